package toxiproxy

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/Shopify/toxiproxy/v2/client"

	"github.com/candor-chaos/candor/faults"
)

// known are the toxics that every Toxiproxy 2.12 has.
var known = []string{"latency", "bandwidth", "slow_close", "timeout", "slicer", "limit_data", "reset_peer"}

// Impairable refuses what only an agent in the application's own network can do.
func (w *World) Impairable(i faults.Impairment) error {
	if i.Flap != nil {
		return errors.New("a Toxiproxy of somebody else's has no flap")
	}
	if i.Reply != nil {
		return errors.New("a Toxiproxy of somebody else's answers no HTTP")
	}
	if i.Block != "" && i.Block != "reset" {
		return fmt.Errorf("a Toxiproxy accepts before it dials, so that it cannot %s: use mode reset or hang here", i.Block)
	}
	if i.Partial() {
		return i.Dosed("leave share and ramp out here", "a Toxiproxy of somebody else's draws a share from no seed, and nothing grows in it")
	}
	for _, t := range i.Toxics {
		if !slices.Contains(known, t.Type) {
			return fmt.Errorf("a Toxiproxy of somebody else's has no toxic %q", t.Type)
		}
	}
	return nil
}

// mostToxics is how many toxics one impairment can have; Unimpair does not know how many it had.
const mostToxics = 8

// prefix is what the names of a run's toxics begin with.
func prefix(run string) string { return "candor-" + run + "-" }

// name is that of the nth toxic of an impairment. It is part of a URL.
func (w *World) name(label string, n int) string {
	return fmt.Sprintf("%s%s-%d", prefix(w.config.Run), strings.ReplaceAll(label, "/", "_"), n)
}

// of are the toxics of an impairment. A reset comes with the first word in either direction.
func of(i faults.Impairment) []faults.Toxic {
	if i.Block != "reset" {
		return i.Toxics
	}
	now := map[string]any{"timeout": 0}
	return []faults.Toxic{{Type: "reset_peer", Stream: "upstream", Attributes: now}, {Type: "reset_peer", Stream: "downstream", Attributes: now}}
}

// Impair adds the toxics of an impairment. A call that did not come back may have been heard: what is there counts.
func (w *World) Impair(ctx context.Context, p faults.Path, label string, i faults.Impairment) error {
	if err := w.Impairable(i); err != nil {
		return err
	}
	found, err := w.proxy(ctx, p)
	if err != nil {
		return err
	}
	for n, t := range of(i) {
		name := w.name(label, n)
		if has(found, name) {
			continue
		}
		err := w.call(ctx, fmt.Sprintf("add toxic %s to proxy %q", t.Type, found.Name), func() error {
			_, err := found.AddToxic(name, t.Type, t.Stream, 1, t.Attributes)
			return err
		})
		if err == nil {
			continue
		}
		if now, lerr := w.proxy(ctx, p); lerr != nil || !has(now, name) {
			return errors.Join(err, lerr)
		}
	}
	return nil
}

func has(p *toxiproxy.Proxy, name string) bool {
	return slices.ContainsFunc(p.ActiveToxics, func(t toxiproxy.Toxic) bool { return t.Name == name })
}

// Unimpair removes the toxics of an impairment and nothing else. A proxy that is gone holds none.
func (w *World) Unimpair(ctx context.Context, p faults.Path, label string) error {
	found, err := w.proxy(ctx, p)
	if errors.Is(err, faults.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for n := range mostToxics {
		errs = append(errs, w.remove(ctx, found, w.name(label, n)))
	}
	return errors.Join(errs...)
}

// remove removes one toxic of our own. One that is not there is no error.
func (w *World) remove(ctx context.Context, p *toxiproxy.Proxy, name string) error {
	if !has(p, name) {
		return nil
	}
	err := w.call(ctx, fmt.Sprintf("remove toxic %s from proxy %q", name, p.Name), func() error { return p.RemoveToxic(name) })
	if errors.Is(err, faults.ErrNotFound) {
		return nil
	}
	return err
}

// Impaired looks for the toxics of an impairment, with what they were given; in a proxy that was disabled meanwhile they
// bite nobody.
func (w *World) Impaired(ctx context.Context, p faults.Path, label string, i faults.Impairment) (faults.State, error) {
	proxy, err := w.proxy(ctx, p)
	if errors.Is(err, faults.ErrNotFound) {
		return faults.Absent, nil
	}
	if err != nil {
		return faults.Unknown, err
	}
	found, wanted := 0, of(i)
	for n := range wanted {
		if has(proxy, w.name(label, n)) {
			found++
		}
	}
	switch {
	case found == 0:
		return faults.Absent, nil
	case found < len(wanted), !proxy.Enabled:
		return faults.Partial, nil
	}
	return faults.Present, nil
}

// Impacts cannot be had: a Toxiproxy counts bytes and not what its toxics meet.
func (w *World) Impacts(context.Context, faults.Path, string) (int64, error) {
	return 0, fmt.Errorf("what a toxic meets: %w", faults.ErrUncounted)
}

// ours are the proxies of the system's paths, in the order of the definition; one that is gone is left out.
func (w *World) ours(ctx context.Context) ([]*toxiproxy.Proxy, error) {
	all, err := w.proxies(ctx)
	var ours []*toxiproxy.Proxy
	for _, p := range w.config.Proxies {
		if found := all[p.Name]; found != nil {
			ours = append(ours, found)
		}
	}
	return ours, err
}

// standing is how the proxies stand, but for what any candor added.
func (w *World) standing(ctx context.Context) ([]Standing, error) {
	ours, err := w.ours(ctx)
	all := []Standing{}
	for _, p := range ours {
		others := slices.DeleteFunc(slices.Clone(p.ActiveToxics), func(t toxiproxy.Toxic) bool { return strings.HasPrefix(t.Name, "candor-") })
		all = append(all, Standing{Name: p.Name, Enabled: p.Enabled, Toxics: append([]toxiproxy.Toxic{}, others...)})
	}
	return all, err
}

// Remember keeps how the proxies stand. It reads only.
func (w *World) Remember(ctx context.Context) (err error) {
	w.config.Before, err = w.standing(ctx)
	return err
}

// Survey looks for toxics of a run, or of any other run when run is empty, and says what others changed meanwhile.
func (w *World) Survey(ctx context.Context, run string) (after faults.Aftermath, err error) {
	ours, err := w.ours(ctx)
	if err != nil {
		return after, err
	}
	for _, p := range ours {
		for _, t := range p.ActiveToxics {
			mine := strings.HasPrefix(t.Name, prefix(w.config.Run))
			if run == "" && !mine && strings.HasPrefix(t.Name, "candor-") || run != "" && strings.HasPrefix(t.Name, prefix(run)) {
				after.Left = append(after.Left, fmt.Sprintf("toxic %q of proxy %q", t.Name, p.Name))
			}
		}
	}
	if w.config.Before == nil || run != w.config.Run {
		return after, nil
	}
	now, err := w.standing(ctx)
	for _, b := range w.config.Before {
		i := slices.IndexFunc(now, func(s Standing) bool { return s.Name == b.Name })
		switch {
		case i < 0:
			after.Changed = append(after.Changed, fmt.Sprintf("proxy %q is gone since the run began", b.Name))
		case b.Enabled != now[i].Enabled:
			after.Changed = append(after.Changed, fmt.Sprintf("proxy %q was enabled or disabled during the run", b.Name))
		case !reflect.DeepEqual(b.Toxics, now[i].Toxics):
			after.Changed = append(after.Changed, fmt.Sprintf("proxy %q has other toxics of others' than before the run", b.Name))
		}
	}
	return after, err
}

// Sweep removes every toxic of a run.
func (w *World) Sweep(ctx context.Context, run string, _ bool) error {
	ours, err := w.ours(ctx)
	errs := []error{err}
	for _, p := range ours {
		for _, t := range p.ActiveToxics {
			if strings.HasPrefix(t.Name, prefix(run)) {
				errs = append(errs, w.remove(ctx, p, t.Name))
			}
		}
	}
	return errors.Join(errs...)
}
