package agent

import (
	"net/netip"

	"github.com/candor-chaos/candor/faults"
)

// Op is what a request asks for.
type Op string

// The operations. All but hello and beat name a path.
const (
	Hello     Op = "hello"     // is the agent there, and how strong is its promise to clean up
	Beat      Op = "beat"      // the runner lives
	Interpose Op = "interpose" // lead the path through a proxy, with addresses and lifted as in readdress; idempotent
	Readdress Op = "readdress" // the dependency's addresses are these now, and its redirect is lifted or not, in one step
	Withdraw  Op = "withdraw"  // end what interpose began
	Impair    Op = "impair"
	Unimpair  Op = "unimpair"
	Impaired  Op = "impaired" // looks at rules and toxics, not at memory
	Impacts   Op = "impacts"  // what an impairment has hit
	Sighted   Op = "sighted"  // are the path's rules there, those of a lifted one too
)

// Request is one line on the agent's standard input.
type Request struct {
	ID         int64              `json:"id"`
	Op         Op                 `json:"op"`
	Path       faults.Path        `json:"path,omitzero"`
	Addresses  []netip.Addr       `json:"addresses,omitempty"` // of the dependency, IPv4 and IPv6
	Lifted     bool               `json:"lifted,omitempty"`    // lead no connection through the proxy: the dependency is down
	Name       string             `json:"name,omitempty"`      // of the impairment
	Impairment *faults.Impairment `json:"impairment,omitempty"`
}

// Answer is one line on the agent's standard output: to the request with its ID, or, without one, an event.
type Answer struct {
	ID    int64           `json:"id,omitempty"`
	Error string          `json:"error,omitempty"`
	State faults.State    `json:"state,omitempty"`
	Count int64           `json:"count,omitempty"`
	Owned bool            `json:"owned,omitempty"` // hello: the kernel itself removes the table when the agent dies
	Seen  *faults.Request `json:"seen,omitempty"`  // event: a request passed
}

// Sight is what look found in a namespace.
type Sight struct {
	Table bool     `json:"table"` // a table of the run is there
	Rules []string `json:"rules"` // the names of its rules
}

// tableName is the name of a run's table. Run IDs hold what nftables takes, and are cut to its limit.
func tableName(run string) string {
	name := "candor_" + run
	if len(name) > 200 {
		name = name[:200]
	}
	return name
}
