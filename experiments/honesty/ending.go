package honesty

import (
	"github.com/candor-chaos/candor/experiments"
)

// ending is how the run ended. Without a last line nobody knows, which is broken; what was left behind makes it dirty.
func (e *evidence) ending() experiments.Ending {
	switch {
	case e.end == nil:
		return experiments.Broken
	case e.environs != nil && !e.environs.Clean:
		return experiments.Dirty
	}
	return e.end.Ending
}

// recovered is how long it took until the product was steady again, in milliseconds; -1 when it never was.
func (e *evidence) recovered() experiments.RecoveryResult {
	if e.end == nil || e.end.SteadyAfter <= 0 {
		return experiments.RecoveryResult{SteadyAfter: -1}
	}
	return experiments.RecoveryResult{SteadyAfter: e.end.SteadyAfter.Milliseconds()}
}

// environment is what was found at the end. What nobody looked at is not clean.
func (e *evidence) environment() experiments.EnvironmentResult {
	if e.environs == nil {
		return experiments.EnvironmentResult{Left: []string{}}
	}
	return experiments.EnvironmentResult{Clean: e.environs.Clean, Left: append([]string{}, e.environs.Left...), Changed: e.environs.Changed}
}

// The exit codes, as every command gives them.
const (
	exitPass     = 0
	exitFail     = 1
	exitUnproven = 3
	exitAborted  = 4
	exitDirty    = 5
	exitBroken   = 6
)

// exitCode says the gravest first: a dirty environment, a failure truly seen, a runner that broke, an early end, nothing
// proven.
func exitCode(v experiments.Verdict, ending experiments.Ending) int {
	switch {
	case ending == experiments.Dirty:
		return exitDirty
	case v == experiments.Fail:
		return exitFail
	case ending == experiments.Broken:
		return exitBroken
	case ending == experiments.Aborted:
		return exitAborted
	case v == experiments.Unproven:
		return exitUnproven
	}
	return exitPass
}
