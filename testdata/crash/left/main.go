// Left says what is left of candor on this machine. It shares no code with candor, so that what candor is blind to is seen
// all the same: it asks the engine, each network namespace, the cgroup files and /proc.
//
//	left -host unix:///var/run/docker.sock -project P -snapshot >before.json
//	left -host unix:///var/run/docker.sock -project P -system S -state DIR -before before.json
//
// The first prints what stands now; the second prints what differs from it or is candor's own, a JSON array of sentences,
// [] when all is clean. A look that fails is an error and never a clean result.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

// lookTime bounds one look: an engine that hangs must not hang the campaign.
const lookTime = 5 * time.Second

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "left:", err)
		os.Exit(1)
	}
}

// question is what was asked.
type question struct {
	host, project, system, state, before string
	snapshot                             bool
}

func run() error {
	var q question
	flag.StringVar(&q.host, "host", "unix:///var/run/docker.sock", "the engine")
	flag.StringVar(&q.project, "project", "", "whose containers are looked at")
	flag.StringVar(&q.system, "system", "", "candor's name for the system")
	flag.StringVar(&q.state, "state", "", "candor's state directory")
	flag.StringVar(&q.before, "before", "", "file with a snapshot to compare with")
	flag.BoolVar(&q.snapshot, "snapshot", false, "print what stands now")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), lookTime)
	defer cancel()
	e, err := dial(q.host)
	if err != nil {
		return err
	}
	now, err := look(ctx, e, q.project)
	if err != nil {
		return err
	}
	if q.snapshot {
		return json.NewEncoder(os.Stdout).Encode(now)
	}
	if q.system == "" || q.state == "" || q.before == "" {
		return errors.New("-system, -state and -before are needed, or -snapshot")
	}
	data, err := os.ReadFile(q.before)
	if err != nil {
		return err
	}
	var before []standing
	if err := json.Unmarshal(data, &before); err != nil {
		return fmt.Errorf("read %s: %w", q.before, err)
	}
	left := compare(before, now)
	for _, more := range []func() ([]string, error){
		func() ([]string, error) { return e.own(ctx, q.system) },
		func() ([]string, error) { return processes(q.system, q.state) },
		temporary,
	} {
		found, err := more()
		if err != nil {
			return err
		}
		left = append(left, found...)
	}
	return json.NewEncoder(os.Stdout).Encode(append([]string{}, left...))
}
