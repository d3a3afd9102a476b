package faults

import (
	"context"
	"fmt"
)

// Interpose puts candor's proxy on a path. Nobody writes it in an experiment: it is what candor owes while a network
// fault of a run needs its path, and it is in force from before the baseline, so that baseline and fault are measured
// over the same way. It needs a world that can route and interpose.
var Interpose = Kind{
	Name:     "interpose",
	Doc:      "candor's own proxy on the path from one service to another",
	Example:  "interpose: {from: web, to: payments}",
	New:      func() Fault { return new(interpose) },
	Needs:    func(w World) bool { return Can[router](w) && Can[interposer](w) },
	Reach:    func(f Fault) Reach { return f.(*interpose).reach() },
	Internal: true,
}

// InterposeOn makes the obligation for a path, as Reach of a network fault gives it. A port of 0 is found by Prepare.
func InterposeOn(p Path) Fault {
	i := &interpose{onPath{From: p.From, To: p.To}}
	if p.Port != 0 {
		i.To = fmt.Sprintf("%s:%d", p.To, p.Port)
	}
	return i
}

type interpose struct {
	onPath `yaml:",inline"`
}

func (i *interpose) Validate() error { return i.check() }

func (i *interpose) Prepare(ctx context.Context, w World) (string, error) {
	if err := i.resolve(ctx, w); err != nil {
		return "", err
	}
	from, to := i.ends()
	return fmt.Sprintf("connections from %s to %s pass through candor's proxy, and those that are open are reset once", from, to), nil
}

func (i *interpose) Inject(ctx context.Context, w World) error {
	p, err := ask[interposer](w, "interpose")
	if err != nil {
		return err
	}
	if err := p.Interpose(ctx, i.Way, i.FromID); err != nil {
		return fmt.Errorf("interpose on %s: %w", i.Way, err)
	}
	return nil
}

func (i *interpose) State(ctx context.Context, w World) (State, error) {
	p, err := ask[interposer](w, "interpose")
	if err != nil {
		return Unknown, err
	}
	s, err := p.Interposed(ctx, i.Way, i.FromID)
	if err != nil {
		return Unknown, fmt.Errorf("look at %s: %w", i.Way, err)
	}
	return s, nil
}

func (i *interpose) Revert(ctx context.Context, w World) error {
	p, err := ask[interposer](w, "interpose")
	if err != nil {
		return err
	}
	if err := p.Withdraw(ctx, i.Way, i.FromID); err != nil {
		return fmt.Errorf("withdraw from %s: %w", i.Way, err)
	}
	return nil
}
