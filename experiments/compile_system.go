package experiments

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// maxPort is the highest number of a TCP port.
const maxPort = 65535

// system binds the names within the system, and gives the plan its services.
func (w *compiler) system() {
	s := w.Definitions.system
	setDefault(&w.System.Environment.MaxFault, defaultMaxFault)
	setDefault(&w.System.Environment.MaxParallelFaults, defaultMaxParallel)
	if e := w.System.Environment; e.Class == Protected && e.Name == "" {
		s.on("environment", "", `a protected environment needs a "name": whoever runs there has to name it`)
	}
	w.runtime(s)
	if len(w.System.Services) == 0 {
		s.on("services", "", "a system without a service")
	}
	w.named(s, "name", w.System.Name)
	for i, key := range w.System.Idempotency {
		if name, header := strings.CutPrefix(key, "header "); (!header || strings.TrimSpace(name) == "") && !strings.HasPrefix(key, "json.") {
			s.on(index("idempotency", i), "", `%q says not where a key is: want "header NAME" or "json.FIELD"`, key)
		}
	}
	for _, name := range keys(w.System.Services) {
		w.service(name, "services."+name)
		tier := w.System.Services[name].Tier
		setDefault(&tier, defaultTier)
		p := PlannedService{Name: name, Tier: tier, Needs: w.needs(name), Outside: w.System.Services[name].Outside()}
		if s := w.System.Services[name]; s.URL.Source != "" {
			p.Ready = s.Ready
		}
		w.plan.Services = append(w.plan.Services, p)
	}
	w.status()
	w.bench.bind(w.System, nil)
	if w.Standards != nil {
		w.checkStandards()
	}
}

// service checks one service.
func (w *compiler) service(name, at string) {
	from, s := w.Definitions.system, w.System.Services[name]
	w.named(from, at, name)
	for i, need := range s.Needs {
		if w.known(from, index(at+".needs", i), need) && need == name {
			from.on(index(at+".needs", i), "", "service %q needs itself", name)
		}
	}
	if u := s.URL.Source; u != "" && !strings.HasPrefix(u, "http://") && !strings.HasPrefix(u, "https://") && !strings.HasPrefix(u, "{{") {
		from.on(at+".url", "", "%q does not begin with http:// or https://", u)
	}
	if s.Port != 0 && len(s.Ports) > 0 {
		from.on(at+".ports", "", `either "port" or "ports"`)
	}
	for path, port := range w.ports(at, s) {
		if port < 1 || port > maxPort {
			from.on(path, "", "%d is no port: want 1 to %d", port, maxPort)
		}
	}
	w.outside(name, at)
	if w.Standards == nil || s.Tier == "" {
		return
	}
	if _, is := w.Standards.Tiers[s.Tier]; !is {
		from.on(at+".tier", suggest(s.Tier, keys(w.Standards.Tiers)), "unknown tier %q", s.Tier)
	}
}

var (
	plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	unplain   = regexp.MustCompile(`[^A-Za-z0-9._-]+`)
)

// named wants a name that can stand in the name of a folder or a container.
func (w *compiler) named(s *source, at, name string) {
	if name == "" || plainName.MatchString(name) {
		return
	}
	hint := ""
	if plain := strings.Trim(unplain.ReplaceAllString(name, "-"), "-._"); plain != "" {
		hint = fmt.Sprintf("such as %q", strings.ToLower(plain))
	}
	s.on(at, hint, `%q cannot be a name here: want letters, digits, "-", "_" and "."`, name)
}

// ports are the ports that a service gives, by where it gives them.
func (w *compiler) ports(at string, s Service) map[string]int {
	all := map[string]int{}
	if _, given := w.Definitions.system.places[at+".port"]; given {
		all[at+".port"] = s.Port
	}
	for name, port := range s.Ports {
		all[at+".ports."+name] = port
	}
	return all
}

// needs is everything that a service needs, directly or through others, in alphabetical order.
func (w *compiler) needs(service string) []string {
	seen := map[string]bool{}
	var visit func(string)
	visit = func(name string) {
		for _, need := range w.System.Services[name].Needs {
			if !seen[need] {
				seen[need] = true
				visit(need)
			}
		}
	}
	visit(service)
	return slices.Sorted(maps.Keys(seen))
}

// tier is a service's tier and its deadlines, those of the tiers that it inherits from included.
func (w *compiler) tier(service string) (string, Deadlines) {
	name := w.System.Services[service].Tier
	setDefault(&name, defaultTier)
	var d Deadlines
	for t := range w.inherited(name) {
		d.fill(t.Deadlines)
	}
	d.fill(DefaultDeadlines())
	return name, d
}

// fill takes over what is not set yet.
func (d *Deadlines) fill(from Deadlines) {
	setDefault(&d.Feedback, from.Feedback)
	setDefault(&d.Explanation, from.Explanation)
	setDefault(&d.Final, from.Final)
	setDefault(&d.Recovery, from.Recovery)
}

// serviceOf is the service that a probe's or reader's key of that name names, where its kind has one.
func serviceOf(spec any) string {
	v := reflect.Indirect(reflect.ValueOf(spec))
	if v.Kind() != reflect.Struct {
		return ""
	}
	for _, f := range fields(v.Type()) {
		if value := v.FieldByIndex(f.index); f.name == "service" && value.Kind() == reflect.String {
			return value.String()
		}
	}
	return ""
}
