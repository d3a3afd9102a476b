// Package process is the world in which candor itself starts the services, as processes of this host, and takes them away
// when the run ends: for a system that needs no containers, and for machines that have none.
//
//	web ──▶ front (a port for each need) ──▶ [ Toxiproxy, in this process, once interposed ] ──▶ payments
//
// Each service is told by its environment where its dependencies are, which is where a front listens; so a network fault
// needs no restart and no rights. A front refuses by closing its listener (its port stays bound, so that nobody takes it),
// and makes a black hole by a filter in the kernel that drops every packet, of new connections and of open ones.
//
// Services end with the runner, however it ends: the kernel kills them (a parent's death signal), and what they started
// themselves is found by what its environment says and killed by the guardian, by a descriptor that no other process can
// slip under. Not found is a descendant that has rewritten its environment and outlives its parent.
//
//	Lock ─▶ Up: start all, wait until healthy ─▶ … kill, pause, start, interpose, impair … ─▶ Close: end all
package process

import (
	"time"

	"github.com/rs/zerolog"

	"github.com/candor-chaos/candor/faults"
)

// Config is what a world is opened with. It is saved in the journal, so that heal opens the same world again; what it
// holds starts nothing.
type Config struct {
	Run      string             `json:"run"`
	System   string             `json:"system"`
	Services map[string]Service `json:"services"`
	Prefix   string             `json:"prefix,omitempty"` // of the run's markers
	Keys     []string           `json:"keys,omitempty"`   // what counts as an idempotency key: header NAME, or json.FIELD
	Seed     uint64             `json:"seed,omitempty"`
	Boot     time.Time          `json:"boot,omitzero"` // of this host, as the run saw it: what start times count from
}

// Service is one service of the system.
type Service struct {
	Host  string   `json:"host,omitempty"`  // outside: a name or an address where it runs anyway; here when empty
	Ports Ports    `json:"ports,omitempty"` // on the loopback address, or at the host
	Needs []string `json:"needs,omitempty"`
	Ready string   `json:"ready,omitempty"` // URL that answers 2xx when it can serve; without one it has to listen
}

// Ports are a service's ports by name; a single one has the name "".
type Ports map[string]int

// Options are what this process alone needs.
type Options struct {
	// Launch says how a service is started; nil in a world that only mends. needs are where its dependencies are for it.
	Launch    func(service string, needs map[string]Need) (Launch, error)
	Logs      string               // folder for what services print
	OnRequest func(faults.Request) // told what passes on interposed paths; must not wait; may be nil
	Log       zerolog.Logger
}

// Launch is how a service is started.
type Launch struct {
	Args []string          // the program and its arguments
	Env  map[string]string // beside the environment of candor
	Dir  string
}

// Need is where a service finds one of its dependencies: a front of candor's own.
type Need struct {
	Host  string
	Ports Ports // the front's, by the names of the dependency's ports
}
