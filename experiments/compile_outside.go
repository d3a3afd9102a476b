package experiments

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/candor-chaos/candor/faults"
)

// hostName is a name as services look it up: underscores are not of hosts, and yet of many.
var hostName = regexp.MustCompile(`^[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?(\.[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?)*\.?$`)

// numbered is what ends like an address and is none, such as 10.0.0.300.
var numbered = regexp.MustCompile(`(^|\.)[0-9]+\.?$`)

// outside checks a service that the runtime does not have.
func (w *compiler) outside(name, at string) {
	from, s := w.Definitions.system, w.System.Services[name]
	at += ".host"
	if _, given := from.places[at]; !given {
		return
	}
	if w.System.Runtime.Toxiproxy != nil {
		from.on(at, "leave it out", `"host" is for runtimes docker and process: a proxy knows itself where it leads`)
	}
	if why, hint := badHost(s.Host); why != "" {
		from.on(at, hint, "%q %s", s.Host, why)
	}
	if s.Port == 0 && len(s.Ports) == 0 {
		from.on(at, "", `service %q is outside, at a "host", and has no "port"`, name)
	}
	if len(s.Command) > 0 {
		from.on("services."+name+".command", "", `service %q is outside, at a "host": candor does not start it`, name)
	}
	if len(s.Needs) > 0 {
		from.on("services."+name+".needs", "", `service %q is outside, at a "host": what it needs is out of candor's reach`, name)
	}
	for _, other := range keys(w.System.Services) {
		o := w.System.Services[other]
		if w.System.Runtime.Docker != nil && other < name && strings.EqualFold(o.Host, s.Host) && slices.ContainsFunc(portsOf(s), func(p int) bool { return slices.Contains(portsOf(o), p) }) {
			from.on(at, "", "service %q is at the same host and port: what breaks one would break both", other)
		}
	}
}

// badHost says what is wrong with a host; nothing when it is one.
func badHost(host string) (why, hint string) {
	const want = "such as api.payments.example or 10.0.0.7"
	if a, err := netip.ParseAddr(host); err == nil {
		if a.IsUnspecified() || a.IsMulticast() || a.Zone() != "" {
			return "is no address of one host", want
		}
		return "", ""
	}
	switch {
	case strings.Contains(host, "://"):
		return "is a URL: want a name or an address", want
	case strings.Contains(host, ":"):
		return `is no name and no address`, `a port stands beside it, as "port"`
	case len(host) > 253 || numbered.MatchString(host) || !hostName.MatchString(host):
		return "is no name and no address", want
	}
	return "", ""
}

func portsOf(s Service) []int {
	if s.Port != 0 {
		return []int{s.Port}
	}
	var all []int
	for _, name := range keys(s.Ports) {
		all = append(all, s.Ports[name])
	}
	return all
}

// within refuses a service outside for what only one of the runtime can be asked.
func (w *compiler) within(at, name, what string) {
	if s := w.System.Services[name]; s.Outside() {
		w.experiment.on(at, "", "%s: %s is outside, at %s", what, name, s.Host)
	}
}

// touched refuses faults on a service outside: only the ways to it can be broken.
func (w *compiler) touched(kind faults.Kind, r faults.Reach, at string) {
	const ways = "only the way to it can be broken, as outage, latency, slow, trickle, cut, linger, flap and errors do"
	if r.Path != nil {
		w.within(at+".from", r.Path.From, "candor breaks a path where it begins, and cannot go there")
		return
	}
	for _, name := range r.Services {
		key := "service"
		if _, given := w.experiment.places[at+"."+key]; !given {
			key = "from"
		}
		w.within(at+"."+key, name, fmt.Sprintf("%s acts on a service itself, but %s", kind.Name, ways))
	}
}
