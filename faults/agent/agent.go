// Package agent is the small process that candor puts into a target's network namespace to carry network faults out
// there: the embedded Toxiproxy, and one nftables table that leads the target's own connections through it.
//
//	application ──SYN──▶ [ before: refuse, reset, blackhole ] ─▶ [ redirect ] ─▶ proxy on loopback ─▶ toxics ─▶ dependency
//	            └─ a connection that was open before ─▶ [ direct: TCP reset ], so that it comes back through the proxy
//
// Requests arrive as one JSON line each on standard input and are answered on standard output; nothing listens for
// commands on any network. The table carries the kernel's owner flag (5.12 and newer): when the agent's netlink socket
// closes, SIGKILL included, the kernel removes it. End of input, the end of its context, a heartbeat that stays away and
// a hard expiry all mean the same: remove the table, end the proxies, return.
//
// The same binary also does small jobs: signal ends exactly one process of the host, limit writes into the control
// group of one, look tells whether a run's table is still in this namespace, lookup where hosts are as seen from it, and lock lives as long as whoever holds its input, and a little longer.
package agent

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

// Group is the group that the agent runs as. Its own connections to the dependency are told from the application's by
// it, and are not led through the proxy again.
const Group = 31337

// ErrUsage means that the agent was started with arguments that it does not know.
var ErrUsage = errors.New("usage: agent serve|look|lookup|signal|limit|lock [flags]")

// Main is the agent's command line: what the hidden command of candor's binary calls.
func Main(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) == 0 {
		return ErrUsage
	}
	flags := flag.NewFlagSet("agent "+args[0], flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	switch args[0] {
	case "serve":
		var o Options
		var keys string
		flags.StringVar(&o.Run, "run", "", "the run's ID")
		flags.StringVar(&o.Prefix, "prefix", "", "what the run's markers begin with")
		flags.StringVar(&keys, "keys", "[]", "what counts as an idempotency key, as a JSON list")
		flags.Uint64Var(&o.Seed, "seed", 0, "seed of what is drawn by chance")
		flags.DurationVar(&o.Expiry, "expiry", time.Hour, "after which it ends by itself")
		flags.DurationVar(&o.Silence, "silence", 30*time.Second, "without any request, after which it ends by itself")
		if err := flags.Parse(args[1:]); err != nil {
			return errors.Join(ErrUsage, err)
		}
		if err := json.Unmarshal([]byte(keys), &o.Keys); err != nil {
			return fmt.Errorf("read -keys: %w", err)
		}
		return Serve(ctx, in, out, o)
	case "look":
		var run string
		flags.StringVar(&run, "run", "", "the run's ID")
		if err := flags.Parse(args[1:]); err != nil {
			return errors.Join(ErrUsage, err)
		}
		sight, err := Look(run)
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(sight)
	case "lookup":
		return json.NewEncoder(out).Encode(findHosts(ctx, args[1:]))
	case "signal":
		var pid int
		var container, name string
		flags.IntVar(&pid, "pid", 0, "the process, as the host numbers it")
		flags.StringVar(&container, "in", "", "the container that it has to belong to")
		flags.StringVar(&name, "signal", "KILL", "the signal's name")
		if err := flags.Parse(args[1:]); err != nil {
			return errors.Join(ErrUsage, err)
		}
		return Signal(pid, container, name)
	case "limit":
		return Limit(args[1:], out)
	case "lock":
		expiry := flags.Duration("expiry", time.Hour, "after which it ends by itself")
		if err := flags.Parse(args[1:]); err != nil {
			return errors.Join(ErrUsage, err)
		}
		return Lock(ctx, in, *expiry, Linger)
	}
	return ErrUsage
}

// Options are how an agent serves.
type Options struct {
	Run     string
	Prefix  string        // what the run's markers begin with; empty: none is looked for
	Keys    []string      // what counts as an idempotency key beside Idempotency-Key: header NAME, or json.FIELD
	Seed    uint64        // of what is drawn by chance
	Expiry  time.Duration // the hard end
	Silence time.Duration // how long the runner may say nothing
}
