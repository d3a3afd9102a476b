package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"

	"github.com/candor-chaos/candor/faults"
)

// Op is what a request asks for.
type Op string

// The operations. All but hello, beat and those about look-ups of names name a path.
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
	Mislead   Op = "mislead"  // let look-ups of names fail
	Unmislead Op = "unmislead"
	Misled    Op = "misled"  // looks at rules
	Lookups   Op = "lookups" // how many have failed
	Lookup    Op = "lookup"  // where a host is; other requests do not wait for it
	Where     Op = "where"   // where the host of a path is, as far as the agent knows by now
)

// Request is one line on the agent's standard input.
type Request struct {
	ID         int64              `json:"id"`
	Op         Op                 `json:"op"`
	Path       faults.Path        `json:"path,omitzero"`
	Addresses  []netip.Addr       `json:"addresses,omitempty"` // of the dependency, IPv4 and IPv6
	Host       string             `json:"host,omitempty"`      // outside: the agent itself looks up where it is, from interpose on
	Lifted     bool               `json:"lifted,omitempty"`    // lead no connection through the proxy: the dependency is down
	Name       string             `json:"name,omitempty"`      // of the impairment, or the label of the misnaming
	Impairment *faults.Impairment `json:"impairment,omitempty"`
	Misnaming  *faults.Misnaming  `json:"misnaming,omitempty"`
}

// Answer is one line on the agent's standard output: to the request with its ID, or, without one, an event.
type Answer struct {
	ID    int64           `json:"id,omitempty"`
	Error string          `json:"error,omitempty"`
	State faults.State    `json:"state,omitempty"`
	Count int64           `json:"count,omitempty"`
	Owned bool            `json:"owned,omitempty"` // hello: the kernel itself removes the table when the agent dies
	Found []netip.Addr    `json:"found,omitempty"` // lookup, where: the addresses of the host
	Seen  *faults.Request `json:"seen,omitempty"`  // event: a request passed
}

// Sight is what look found in a namespace.
type Sight struct {
	Table bool     `json:"table"` // a table of the run is there
	Rules []string `json:"rules"` // the names of its rules
}

// Leads reports whether a path is interposed on: its redirect is there, or lifted for a while.
func (s Sight) Leads(p faults.Path) bool {
	return slices.Contains(s.Rules, comment(wayName(p, "v4"))) || slices.Contains(s.Rules, comment(wayName(p, "v6")))
}

// Blocks reports whether a block of a name is in force on a path.
func (s Sight) Blocks(p faults.Path, name string) bool {
	return slices.Contains(s.Rules, comment(blockName(p, name)))
}

// Misleads reports whether look-ups fail because of a label.
func (s Sight) Misleads(label string) bool {
	return slices.Contains(s.Rules, comment(misledName(label)))
}

// misledName names the rules that lead look-ups to the agent's own name server.
func misledName(label string) string { return "names " + label }

// wayName names the rules that lead a path through the proxy; those of a block carry its own name.
func wayName(p faults.Path, version string) string { return "path " + p.Key() + " " + version }

// blockName names the rules of a block: no two paths share one.
func blockName(p faults.Path, name string) string { return name + " on " + p.Key() }

// comment is a rule's name as the kernel keeps it, which has room for 128 bytes in all.
func comment(name string) string {
	const most = 100
	if len(name) <= most {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return name[:most-18] + "…" + hex.EncodeToString(sum[:6])
}

// tableName is the name of a run's table, and what the names of all runs' tables begin with when run is empty. Run IDs hold what nftables takes, and are cut to its limit.
func tableName(run string) string {
	name := "candor_" + run
	if len(name) > 200 {
		name = name[:200]
	}
	return name
}
