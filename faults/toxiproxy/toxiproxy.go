// Package toxiproxy is the world of an existing Toxiproxy whose proxies the application uses already. candor adds toxics
// of its own there, with the run's ID in their names, and removes those and nothing else: no proxy is made, disabled or
// enabled, and its reset, which takes everybody's toxics, is never called.
//
// A Toxiproxy accepts a connection before it dials, so that it can neither refuse nor swallow one: of the outages only
// reset and hang are to be had here. It counts nothing either, so that what a fault hits is counted by the users' own steps.
package toxiproxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Shopify/toxiproxy/v2/client"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/lock"
)

// Config is what a world is opened with. It is saved in the journal, so that heal opens the same world again.
type Config struct {
	Run      string           `json:"run"`
	System   string           `json:"system"`
	URL      string           `json:"url"`
	Services map[string]Ports `json:"services"`
	Proxies  []Proxy          `json:"proxies"`
	Before   []Standing       `json:"before,omitempty"` // how the proxies stood before the run (Remember)
}

// Ports are a service's ports by name; a single one has the name "".
type Ports map[string]int

// Proxy is the proxy on the path from one service to another.
type Proxy struct {
	From string `json:"from"`
	To   string `json:"to"`
	Name string `json:"name"`
}

// Standing is how one proxy stands, but for toxics of candor's own.
type Standing struct {
	Name    string            `json:"name"`
	Enabled bool              `json:"enabled"`
	Toxics  []toxiproxy.Toxic `json:"toxics"`
}

// World is one Toxiproxy and one system behind it.
type World struct {
	config Config
	client *toxiproxy.Client
	busy   chan struct{}   // holds one while a call is made: parallel ones race in the server
	led    map[string]bool // paths that a run relies on, by key; wants busy
}

// Open reaches the server. It fails with faults.ErrUnreachable when none answers.
func Open(ctx context.Context, c Config) (*World, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("toxiproxy at %q: it is no URL with a host", c.URL)
	}
	w := &World{config: c, client: toxiproxy.NewClient(u.Scheme + "://" + u.Host), busy: make(chan struct{}, 1), led: map[string]bool{}}
	if _, err := w.proxies(ctx); err != nil {
		return nil, err
	}
	return w, nil
}

// callTime bounds one call: a client of somebody's proxy that does not read can hold up the server for good.
const callTime = 10 * time.Second

// call makes one call at a time. One that does not come back is left behind: the library ends it after 30 seconds.
func (w *World) call(ctx context.Context, what string, do func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, callTime, fmt.Errorf("%w within %s", faults.ErrUnreachable, callTime))
	defer cancel()
	select {
	case w.busy <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%s: toxiproxy %w", what, context.Cause(ctx))
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-w.busy }()
		done <- do()
	}()
	select {
	case err := <-done:
		return translate(what, err)
	case <-ctx.Done():
		return fmt.Errorf("%s: toxiproxy %w", what, context.Cause(ctx))
	}
}

// textLimit bounds what is shown of a server's answer, which is somebody else's text.
const textLimit = 300

// translate gives an error the meaning that callers branch on.
func translate(what string, err error) error {
	var api *toxiproxy.ApiError
	var network net.Error
	var broken *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &api) && api.Status == 404:
		return fmt.Errorf("%s: %w", what, faults.ErrNotFound)
	case errors.As(err, &api):
		text := api.Message[:min(len(api.Message), textLimit)]
		return fmt.Errorf("%s: toxiproxy answers %d, %q", what, api.Status, text)
	case errors.As(err, &network):
		return fmt.Errorf("%s: toxiproxy %w: %w", what, faults.ErrUnreachable, err)
	case errors.As(err, &broken):
		return fmt.Errorf("%s: what answers there is no Toxiproxy: %w", what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// proxies asks for all proxies with their toxics.
func (w *World) proxies(ctx context.Context) (map[string]*toxiproxy.Proxy, error) {
	answer := make(chan map[string]*toxiproxy.Proxy, 1)
	err := w.call(ctx, "list the proxies at "+w.config.URL, func() error {
		all, err := w.client.Proxies()
		answer <- all
		return err
	})
	if err != nil {
		return nil, err
	}
	return <-answer, nil
}

// proxy asks for the proxy of a path.
func (w *World) proxy(ctx context.Context, p faults.Path) (*toxiproxy.Proxy, error) {
	i := slices.IndexFunc(w.config.Proxies, func(x Proxy) bool { return x.From == p.From && x.To == p.To })
	if i < 0 {
		return nil, fmt.Errorf("no proxy is named for %s: %w", p, faults.ErrNotFound)
	}
	all, err := w.proxies(ctx)
	if err != nil {
		return nil, err
	}
	found := all[w.config.Proxies[i].Name]
	if found == nil {
		return nil, fmt.Errorf("toxiproxy has no proxy %q, which is named for %s: %w", w.config.Proxies[i].Name, p, faults.ErrNotFound)
	}
	return found, nil
}

// Name is toxiproxy.
func (w *World) Name() string { return "toxiproxy" }

// Config is what the world was opened with.
func (w *World) Config() Config { return w.config }

// Find finds a service by its name alone: this world sees none.
func (w *World) Find(_ context.Context, service string) (faults.Identity, error) {
	if _, known := w.config.Services[service]; !known {
		return faults.Identity{}, fmt.Errorf("service %s is not in system %s: %w", service, w.config.System, faults.ErrNotFound)
	}
	return faults.Identity{Service: service, ID: w.config.System + "/" + service}, nil
}

// Route finds the path and looks at its proxy: a toxic on one that is disabled would be taken, and bite nobody.
func (w *World) Route(ctx context.Context, from, to string) (faults.Path, error) {
	service, wanted, named := strings.Cut(to, ":")
	p := faults.Path{From: from, To: service}
	ports := w.config.Services[service]
	for name, port := range ports {
		if !named && len(ports) == 1 || named && (wanted == name || wanted == strconv.Itoa(port)) {
			p.Port = port
		}
	}
	if p.Port == 0 && (named || len(ports) > 1) {
		return p, fmt.Errorf("service %s has no port %q, or several: %w", service, wanted, faults.ErrAmbiguous)
	}
	found, err := w.proxy(ctx, p)
	if err != nil {
		return p, err
	}
	if !found.Enabled {
		return p, fmt.Errorf("proxy %q is disabled, so that a fault on it cannot bite", found.Name)
	}
	return p, nil
}

// Interpose only notes that a run relies on the path: the proxy is there already.
func (w *World) Interpose(ctx context.Context, p faults.Path, _ faults.Identity) error {
	found, err := w.proxy(ctx, p)
	if err != nil {
		return err
	}
	if !found.Enabled {
		return fmt.Errorf("proxy %q is disabled, so that a fault on it cannot bite", found.Name)
	}
	return w.call(ctx, "note the path", func() error { w.led[p.Key()] = true; return nil })
}

// Withdraw forgets the note.
func (w *World) Withdraw(ctx context.Context, p faults.Path, _ faults.Identity) error {
	return w.call(ctx, "forget the path", func() error { delete(w.led, p.Key()); return nil })
}

// Interposed is present while a run relies on the path and its proxy is enabled.
func (w *World) Interposed(ctx context.Context, p faults.Path, _ faults.Identity) (faults.State, error) {
	led := make(chan bool, 1)
	if err := w.call(ctx, "look at the path", func() error { led <- w.led[p.Key()]; return nil }); err != nil {
		return faults.Unknown, err
	}
	if !<-led {
		return faults.Absent, nil
	}
	found, err := w.proxy(ctx, p)
	switch {
	case err != nil:
		return faults.Unknown, err
	case !found.Enabled:
		return faults.Partial, nil
	}
	return faults.Present, nil
}

// Lock takes the system on this host, for at most so long. It fails with faults.ErrBusy while another has it.
func (w *World) Lock(ctx context.Context, longest time.Duration, holder string) (faults.Lock, error) {
	return lock.Take(ctx, w.config.System, w.config.Run, longest, holder)
}

// Memo is what opens this world again, for a journal.
func (w *World) Memo() (json.RawMessage, error) { return json.Marshal(w.config) }

// Close has nothing to let go of.
func (w *World) Close(context.Context) error { return nil }
