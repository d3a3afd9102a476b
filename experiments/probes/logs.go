package probes

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"sync"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/wire"
	"github.com/candor-chaos/candor/faults"
)

// Logs counts the lines that a service has logged since the last look and that match a pattern. The first look begins at
// the present: what was logged before it is none of its business.
type Logs struct {
	Service string        `yaml:"service" json:"service" required:"true"`
	Match   string        `yaml:"match" json:"match" required:"true" doc:"a regular expression, as 'panic|FATAL' (RE2)"`
	Timeout time.Duration `yaml:"timeout" json:"timeout,omitempty" doc:"3s when absent"`

	memory  sync.Mutex
	began   bool
	last    time.Time // of the last line seen, by the clock of the world
	pattern *regexp.Regexp
}

const (
	maxLines = 100  // that an expression sees; all are counted
	maxLine  = 4096 // bytes of each
)

// diary is a world that knows what its services log.
type diary interface {
	// LastLogged is when a service logged its last line; zero when it never did.
	LastLogged(ctx context.Context, service string) (time.Time, error)
	// LoggedAfter gives each line since then, oldest first, and when the last of them was logged.
	LoggedAfter(ctx context.Context, service string, after time.Time, line func(text string)) (time.Time, error)
}

// Validate wants a pattern that can be read, and a time that is not below zero.
func (p *Logs) Validate() error {
	var pattern error
	if _, err := regexp.Compile(p.Match); err != nil {
		why := err.Error()
		var wrong *syntax.Error
		if errors.As(err, &wrong) {
			why = wrong.Code.String()
		}
		pattern = &faults.FieldError{Field: "match", Msg: "the pattern cannot be read: " + why}
	}
	return errors.Join(pattern, positive("timeout", p.Timeout))
}

// Observe reads on from the last look. It is fine when nothing matches.
func (p *Logs) Observe(ctx context.Context, in experiments.Surroundings) (experiments.Observation, error) {
	var none experiments.Observation
	world, can := in.World.(diary)
	if !can {
		return none, fmt.Errorf("read what %s logs: this world does not know it", p.Service)
	}
	p.memory.Lock()
	defer p.memory.Unlock()
	if p.pattern == nil {
		var err error
		if p.pattern, err = regexp.Compile(p.Match); err != nil {
			return none, fmt.Errorf("match: %w", err)
		}
	}
	within, cancel := within(ctx, p.Timeout)
	defer cancel()
	count, lines, err := p.read(within, world)
	if err != nil {
		if cause := stopped(ctx); cause != nil {
			err = cause
		}
		return none, fmt.Errorf("read what %s logs: %w", p.Service, err)
	}
	seen := experiments.Observation{OK: count == 0, Vars: experiments.Vars{"count": count, "lines": lines}}
	seen.Summary = fmt.Sprintf("%s: %d new lines match", p.Service, count)
	if len(lines) > 0 {
		seen.Summary = wire.Line(fmt.Sprintf("%s, the first: %v", seen.Summary, lines[0]), 300)
	}
	return seen, nil
}

func (p *Logs) read(ctx context.Context, world diary) (count int64, lines []any, err error) {
	lines = []any{}
	if !p.began {
		if p.last, err = world.LastLogged(ctx, p.Service); err == nil {
			p.began = true
		}
		return 0, lines, err
	}
	last, err := world.LoggedAfter(ctx, p.Service, p.last, func(text string) {
		if !p.pattern.MatchString(text) {
			return
		}
		if count++; len(lines) < maxLines {
			lines = append(lines, wire.Line(text, maxLine))
		}
	})
	if last.After(p.last) { // after an error it is so only when this was too much to read; else the same is read again
		p.last = last
	}
	return count, lines, err
}
