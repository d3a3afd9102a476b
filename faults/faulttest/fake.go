package faulttest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// Failure is how a call of a Fake fails.
type Failure int

// Early fails before anything happened. Late does what was asked, and the answer is lost.
const (
	None Failure = iota
	Early
	Late
)

// ErrBroken is what a call returns that was told to fail.
var ErrBroken = errors.New("the fake world fails as it was told")

// Fake is a world with every ability and a small shop in it: web, orders, payments and catalog with one port, mail with
// two, and vault, which is protected. It is as touchy as an engine: it refuses to pause what is paused, to unpause what is
// not, to kill what does not run.
type Fake struct {
	// Restarts is the restart policy of all services: a crash brings them back at once.
	Restarts bool
	// Before, if set, is called before every call, with the calls so far. It must not call the Fake.
	Before func(call int, write bool) Failure

	mu        sync.Mutex
	things    map[string]*thing
	calls     int
	writes    int
	births    int
	lock      *FakeLock
	noNetwork bool
	crowds    map[string]faults.Crowd // by journey and label
}

type thing struct {
	ID          faults.Identity
	Ports       []int
	Running     bool
	Paused      bool
	Allowed     faults.Allowance
	Attached    []faults.Attachment
	Misnamings  map[string]faults.Misnaming  `json:",omitempty"` // by label
	Ending      bool                         `json:",omitempty"` // asked to end
	Redirects   map[string]int               `json:",omitempty"` // path → how many of its two halves stand
	Impairments map[string]faults.Impairment `json:",omitempty"` // by label
}

// NewFake makes the world.
func NewFake() *Fake {
	f := &Fake{things: map[string]*thing{}}
	for service, ports := range map[string][]int{"web": {8080}, "orders": {8081}, "payments": {8083}, "catalog": {8082}, "mail": {25, 143}, "vault": {8200},
		"basket/1": {8084}, "basket/2": {8084}, "basket/3": {8084}} {
		f.put(service, ports)
	}
	f.things["vault"].ID.Protected = true
	return f
}

// Add puts a further service into the world.
func (f *Fake) Add(service string, ports ...int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.put(service, ports)
}

func (f *Fake) put(service string, ports []int) {
	f.births++
	of, number, scaled := strings.Cut(service, "/")
	if !scaled {
		number = "1"
	}
	f.things[service] = &thing{Ports: ports, Running: true, Redirects: map[string]int{}, Impairments: map[string]faults.Impairment{},
		ID: faults.Identity{Service: of, ID: fmt.Sprintf("%s-%d", service, f.births), Name: "shop_" + of + "_" + number}}
	f.things[service].Attached = []faults.Attachment{fakeNetwork(service)}
	f.bear(f.things[service])
}

// bear begins a new incarnation.
func (f *Fake) bear(t *thing) {
	f.births++
	t.Running, t.Paused, t.Ending = true, false, false
	t.Allowed = fakeAllowance
	t.ID.Born = time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC).Add(time.Duration(f.births) * time.Second)
	t.ID.Process = 1000 + f.births
}

// Replace puts another one in the place of a service, as a deployment does.
func (f *Fake) Replace(service string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.put(service, f.things[service].Ports)
}

// Remove takes a service away.
func (f *Fake) Remove(service string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.things, service)
}

// Restart begins a new incarnation of the same service.
func (f *Fake) Restart(service string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bear(f.things[service])
}

// Stop ends a service.
func (f *Fake) Stop(service string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.things[service].Running = false
}

// Counts says how many calls there were, and how many of them could change something.
func (f *Fake) Counts() (calls, writes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls, f.writes
}

// Dump is everything there is, for comparison.
func (f *Fake) Dump() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, err := json.MarshalIndent(f.things, "", " ")
	if err != nil {
		return err.Error()
	}
	if len(f.crowds) > 0 {
		return fmt.Sprintf("%s\n%v", data, f.crowds)
	}
	return string(data)
}

// Broken lists what is not as it was made: "web: impaired by outage-12", "orders: paused".
func (f *Fake) Broken() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.broken()
	slices.Sort(all)
	return all
}

// broken wants the mutex.
func (f *Fake) broken() []string {
	var all []string
	for who := range f.crowds {
		all = append(all, "crowd on "+who)
	}
	for service, t := range f.things {
		if !t.Running {
			all = append(all, service+": does not run")
		}
		if t.Paused {
			all = append(all, service+": paused")
		}
		if t.Allowed != fakeAllowance {
			all = append(all, service+": limited")
		}
		if !slices.ContainsFunc(t.Attached, isFakeNetwork) {
			all = append(all, service+": is not in its network")
		}
		for label := range t.Misnamings {
			all = append(all, service+": misled by "+label)
		}
		if t.Ending {
			all = append(all, service+": asked to end")
		}
		for path := range t.Redirects {
			all = append(all, service+": interposed on "+path)
		}
		for label := range t.Impairments {
			all = append(all, service+": impaired by "+label)
		}
	}
	return all
}

// dump is one service, as text.
func (f *Fake) dump(service string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, err := json.MarshalIndent(f.things[service], "", " ")
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// Name is docker, so that messages read as users see them.
func (f *Fake) Name() string { return "docker" }

// Find finds a service by its name, or the replica of one that runs several times, as in basket/2.
func (f *Fake) Find(ctx context.Context, service string) (id faults.Identity, err error) {
	err = f.call(ctx, false, func() error {
		of, number, _ := strings.Cut(service, "/")
		found := f.replicas(of)
		if number != "" {
			found = slices.DeleteFunc(found, func(name string) bool {
				return name != service && f.things[name].ID.Name != number
			})
		}
		switch len(found) {
		case 0:
			return fmt.Errorf("no service %s: %w", service, faults.ErrNotFound)
		case 1:
			id = f.things[found[0]].ID
			return nil
		}
		return fmt.Errorf("service %s: there are %v: %w", service, found, faults.ErrAmbiguous)
	})
	return id, err
}

// Replicas are the numbers of a service's running replicas.
func (f *Fake) Replicas(ctx context.Context, service string) (numbers []string, err error) {
	err = f.call(ctx, false, func() error {
		for _, name := range f.replicas(service) {
			if _, number, scaled := strings.Cut(name, "/"); f.things[name].Running && scaled {
				numbers = append(numbers, number)
			}
		}
		switch {
		case f.things[service] != nil:
			numbers = []string{"1"}
		case len(numbers) == 0:
			return fmt.Errorf("no service %s: %w", service, faults.ErrNotFound)
		}
		return nil
	})
	return numbers, err
}

// replicas are the things of a service; it wants the mutex.
func (f *Fake) replicas(service string) (names []string) {
	for name, t := range f.things {
		if t.ID.Service == service {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (f *Fake) call(ctx context.Context, write bool, act func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	f.calls++
	if write {
		f.writes++
	}
	fail := None
	if f.Before != nil {
		fail = f.Before(f.calls, write)
	}
	if fail == Early {
		return fmt.Errorf("call %d: %w", f.calls, ErrBroken)
	}
	err := act()
	if fail == Late {
		return fmt.Errorf("call %d, after it acted: %w", f.calls, ErrBroken)
	}
	return err
}

// byID finds exactly the thing that is meant, whoever has its name.
func (f *Fake) byID(id faults.Identity) (*thing, error) {
	for _, t := range f.things {
		if t.ID.ID == id.ID {
			return t, nil
		}
	}
	return nil, fmt.Errorf("no %s: %w", id.ID, faults.ErrNotFound)
}

// exactly is byID, and the same incarnation, and running.
func (f *Fake) exactly(id faults.Identity) (*thing, error) {
	t, err := f.byID(id)
	if err != nil {
		return nil, err
	}
	if !t.ID.Born.Equal(id.Born) {
		return nil, fmt.Errorf("%s was restarted: %w", id.ID, faults.ErrReplaced)
	}
	if !t.Running {
		return nil, fmt.Errorf("%s does not run", id.ID)
	}
	return t, nil
}
