package agent

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
)

// Limit is the job that writes limits into the control group of a container and prints what is allowed then. Its flags
// name the process and the container that it has to belong to; without a limit it only reads.
func Limit(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("agent limit", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	process := flags.Int("pid", 0, "the process, as the host numbers it")
	container := flags.String("in", "", "the container that it has to belong to")
	root := flags.String("root", GroupRoot, "where the host's control groups are")
	quota := flags.Int64("quota", -1, "microseconds of processor time in each period; 0: no limit")
	period := flags.Int64("period", 100_000, "in microseconds")
	memory := flags.Int64("memory", -1, "bytes of memory; 0: no limit")
	if err := flags.Parse(args); err != nil {
		return errors.Join(ErrUsage, err)
	}
	g, err := groupOf(*root, *process, *container)
	if err != nil {
		return err
	}
	if *quota >= 0 {
		err = g.limitCPU(*quota, *period)
	}
	if err == nil && *memory >= 0 {
		err = g.limitMemory(*memory)
	}
	if err != nil {
		return fmt.Errorf("limit process %d: %w", *process, err)
	}
	allowed, err := g.allowance()
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(allowed)
}
