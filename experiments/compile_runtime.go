package experiments

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// runtime checks that there is exactly one, and what each of them has to know.
func (w *compiler) runtime(s *source) {
	r := w.System.Runtime
	switch names := r.names(); len(names) {
	case 0:
		s.on("runtime", "", `"runtime" names no runtime: want docker, process or toxiproxy`)
	case 1:
	default:
		s.on("runtime", "", `"runtime" names %s: want one`, strings.Join(names, " and "))
		return
	}
	if d := r.Docker; d != nil && (d.Project == "") == (len(d.Labels) == 0) {
		s.on("runtime.docker", "", `runtime docker wants either "project" or "labels", so that it finds the system's containers and no others`)
	}
	if r.Process != nil {
		w.launches(s)
		return
	}
	for _, name := range keys(w.System.Services) {
		service := w.System.Services[name]
		for key, given := range map[string]bool{"command": len(service.Command) > 0, "env": len(service.Env) > 0, "dir": service.Dir != ""} {
			if given {
				s.on("services."+name+"."+key, "", "%q is for runtime process: candor starts no service in another one", key)
			}
		}
	}
	if r.Toxiproxy != nil {
		w.proxies(s)
	}
}

func (r Runtime) names() (all []string) {
	for _, one := range []struct {
		name  string
		given bool
	}{{"docker", r.Docker != nil}, {"process", r.Process != nil}, {"toxiproxy", r.Toxiproxy != nil}} {
		if one.given {
			all = append(all, one.name)
		}
	}
	return all
}

// name is that of the only runtime.
func (r Runtime) name() string {
	if names := r.names(); len(names) == 1 {
		return names[0]
	}
	return ""
}

// launches checks that every service can be started, and that no two listen on one port of this host.
func (w *compiler) launches(s *source) {
	if w.System.Guardian == "container" {
		s.on("guardian", "", "a guardian in a container cannot see the processes that runtime process starts")
	}
	taken := map[int]string{}
	for _, name := range keys(w.System.Services) {
		service, at := w.System.Services[name], "services."+name
		if service.Outside() {
			continue
		}
		if len(service.Command) == 0 {
			s.on(at, "", `service %q has no "command": runtime process starts every service itself`, name)
		}
		for path, port := range w.ports(at, service) {
			if other, is := taken[port]; is {
				s.on(path, "", "port %d is that of %s already, and both are on this host", port, other)
			}
			taken[port] = name
		}
	}
}

// proxies checks the paths on which proxies are named.
func (w *compiler) proxies(s *source) {
	t := w.System.Runtime.Toxiproxy
	if u := t.URL.Source; u != "" && !strings.HasPrefix(u, "http://") && !strings.HasPrefix(u, "https://") && !strings.HasPrefix(u, "{{") {
		s.on("runtime.toxiproxy.url", "", "%q does not begin with http:// or https://", u)
	}
	if len(t.Paths) == 0 {
		s.on("runtime.toxiproxy.paths", "", "a runtime without a path: nothing could be broken there")
	}
	on := map[string]string{}
	for _, path := range keys(t.Paths) {
		at := "runtime.toxiproxy.paths." + path
		from, to, is := ends(path)
		switch {
		case !is:
			s.on(at, `such as "web → payments"`, "%q is no path", path)
			continue
		case t.Paths[path] == "":
			s.on(at, "", "no proxy is named")
		case on[t.Paths[path]] != "":
			s.on(at, "", "proxy %q is on %s already: what breaks one would break both", t.Paths[path], on[t.Paths[path]])
		}
		on[t.Paths[path]] = path
		if w.known(s, at, from) && w.known(s, at, to) && !slices.Contains(w.System.Services[from].Needs, to) {
			s.on(at, "", "%q does not need %q", from, to)
		}
	}
}

// ends are the two services of a path as people write it.
func ends(path string) (from, to string, is bool) {
	from, to, is = strings.Cut(path, "→")
	if !is {
		from, to, is = strings.Cut(path, "->")
	}
	from, to = strings.TrimSpace(from), strings.TrimSpace(to)
	return from, to, is && from != "" && to != ""
}

// Proxy is the name of the proxy on a path, empty where none is named.
func (t *ToxiproxyRuntime) Proxy(from, to string) string {
	for path, proxy := range t.Paths {
		if f, o, is := ends(path); is && f == from && o == to {
			return proxy
		}
	}
	return ""
}

// Launch is how a service of runtime process is started.
type Launch struct {
	Args []string
	Env  map[string]string
	Dir  string
}

// Address is where one service finds another.
type Address struct {
	Host  string
	Ports map[string]int // a single one has the name ""
}

// vars is what expressions see of an address.
func (a Address) vars() map[string]any {
	known := map[string]any{"host": a.Host, "ports": a.Ports}
	if len(a.Ports) == 1 {
		for _, port := range a.Ports {
			address := fmt.Sprintf("%s:%d", a.Host, port)
			known["port"], known["address"], known["url"] = int64(port), address, "http://"+address
		}
	}
	return known
}

// Launch expands the command of a service. needs are the addresses at which it is to find what it needs.
func (x *Exec) Launch(service string, needs map[string]Address) (l Launch, err error) {
	s, there := x.System.Services[service], map[string]any{}
	for name, address := range needs {
		there[name] = address.vars()
	}
	vars := x.Vars.With(Vars{"needs": there})
	for i, part := range s.Command {
		text, err := part.Expand(vars)
		if err != nil {
			return l, fmt.Errorf("service %s: command, part %d: %w", service, i+1, err)
		}
		l.Args = append(l.Args, text)
	}
	l.Env = map[string]string{}
	for _, name := range keys(s.Env) {
		if l.Env[name], err = s.Env[name].Expand(vars); err != nil {
			return l, fmt.Errorf("service %s: env %s: %w", service, name, err)
		}
	}
	if l.Dir = x.Root; s.Dir != "" {
		l.Dir = beside(filepath.Join(x.Root, systemFile), s.Dir)
	}
	return l, nil
}
