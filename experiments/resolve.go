package experiments

import (
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// RunNames are what a run is called by.
type RunNames struct {
	ID     string // run.id
	Prefix string // run.prefix: what every marker begins with
}

var (
	envName  = regexp.MustCompile(`\benv(?:\.([A-Za-z_][A-Za-z0-9_]*)|\[['"]([^'"]+)['"]\])`)
	fileName = regexp.MustCompile(`\bfile\(['"]([^'"]+)['"]\)`)
)

// Resolve puts the environment and the names of a run into what expressions see, and expands the addresses of services.
// Names that the environment lacks come back at their places, as an ErrorList.
func (x *Exec) Resolve(env map[string]string, n RunNames) error {
	parameters := map[string]any{}
	for _, from := range []map[string]any{x.System.Parameters, x.Experiment.Parameters} {
		maps.Copy(parameters, from)
	}
	x.secrets = map[string]string{}
	errs := ErrorList{}
	for _, e := range x.expressions() {
		for _, m := range envName.FindAllStringSubmatch(e.Source, -1) {
			name := m[1] + m[2]
			value, is := env[name]
			if !is {
				x.missing(e, name, &errs)
				continue
			}
			x.secrets[name] = value
		}
		for _, m := range fileName.FindAllStringSubmatch(e.Source, -1) {
			if text, err := readSmall(e.folder(), m[1]); err == nil {
				x.secrets[filepath.Base(m[1])] = text
			}
		}
	}
	if err := errs.Err(); err != nil {
		return err
	}
	x.Vars = Vars{"env": env, "parameters": parameters, "marker": "", "steps": map[string]any{},
		"run": map[string]string{"id": n.ID, "prefix": n.Prefix}}
	return x.addresses()
}

// missing reports an environment variable that is not set, once for each place.
func (x *Exec) missing(e Expr, name string, errs *ErrorList) {
	if e.at.source == nil {
		*errs = append(*errs, &Error{Msg: fmt.Sprintf("environment variable %s is not set", name)})
		return
	}
	s := *e.at.source
	s.errs = errs
	s.fail(e.at.pos, "", "", "environment variable %s is not set", name)
}

// addresses expands where services are. A service's address can use everything but other services.
func (x *Exec) addresses() error {
	services := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(x.System.Services)) {
		s := x.System.Services[name]
		known, named := map[string]any{"port": int64(s.Port)}, map[string]any{}
		at, err := s.URL.Expand(x.Vars)
		if err != nil {
			return fmt.Errorf("service %s: url: %w", name, err)
		}
		known["url"] = at
		for _, address := range slices.Sorted(maps.Keys(s.Addresses)) {
			at, err := s.Addresses[address].Expand(x.Vars)
			if err != nil {
				return fmt.Errorf("service %s: address %s: %w", name, address, err)
			}
			named[address], known[address] = at, at
		}
		known["addresses"] = named
		services[name] = known
	}
	x.Vars["services"] = services
	for name, known := range services {
		if identifier.MatchString(name) && !reserved[name] {
			x.Vars[name] = known
		}
	}
	return nil
}

// Secrets are the values of the environment variables and files that expressions use, by name: what the recorder blots
// out. An address without a user in it is none: reports need it, and it is no secret.
func (x *Exec) Secrets() map[string]string {
	secrets := map[string]string{}
	for name, value := range x.secrets {
		if u, err := url.Parse(value); err == nil && u.Host != "" && u.User == nil {
			continue
		}
		if filepath.IsAbs(value) || !strings.ContainsFunc(value, func(r rune) bool { return r < '0' || r > '9' }) {
			continue // a path, or a number such as a port
		}
		secrets[name] = value
	}
	return secrets
}


// expressions lists every expression of the experiment and of all that it names.
func (x *Exec) expressions() []Expr {
	var all []Expr
	collect(reflect.ValueOf(x.System), &all)
	collect(reflect.ValueOf(x.Experiment), &all)
	for _, j := range x.Journeys {
		collect(reflect.ValueOf(j), &all)
	}
	return all
}

// sources lists the texts of every expression in a value.
func sources(value any) []string {
	var all []Expr
	collect(reflect.ValueOf(value), &all)
	var texts []string
	for _, e := range all {
		texts = append(texts, e.Source)
	}
	return texts
}

// collect finds expressions wherever they stand; those within templates count by themselves.
func collect(v reflect.Value, all *[]Expr) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			collect(v.Elem(), all)
		}
	case reflect.Slice:
		for i := range v.Len() {
			collect(v.Index(i), all)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			collect(v.MapIndex(key), all)
		}
	case reflect.Struct:
		if !v.CanInterface() {
			return
		}
		switch found := v.Interface().(type) {
		case Expr:
			*all = append(*all, found)
			return
		case Template:
			for _, p := range found.parts {
				if !p.expr.IsZero() {
					*all = append(*all, p.expr)
				}
			}
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() || f.Anonymous {
				collect(v.Field(i), all)
			}
		}
	}
}
