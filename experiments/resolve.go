package experiments

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// RunNames are what a run is called by.
type RunNames struct {
	ID     string // run.id
	Prefix string // run.prefix: what every marker begins with
}

// EnvName is an environment variable that an expression uses, and where.
type EnvName struct {
	Name string
	Pos  Pos
}

// EnvNames lists every use of an environment variable, in the order of files.
func (x *Exec) EnvNames() []EnvName {
	var all []EnvName
	for _, e := range x.expressions() {
		for _, u := range e.uses {
			if u.root == "env" {
				all = append(all, EnvName{u.name, e.at.locate(u.at)})
			}
		}
	}
	return all
}

// Resolve puts the environment and the names of a run into what expressions see, and expands the addresses of services.
// Variables that are not set and files that cannot be read come back at their places, as an ErrorList. It may be called
// again, for another run.
func (x *Exec) Resolve(env map[string]string, n RunNames) error {
	x.secrets = map[string]string{}
	errs := ErrorList{}
	for _, e := range x.expressions() {
		for _, u := range e.uses {
			switch u.root {
			case "env":
				x.takeEnv(e, u, env, &errs)
			case "file":
				x.takeFile(e, u, &errs)
			}
		}
	}
	if err := errs.Err(); err != nil {
		return err
	}
	parameters := map[string]any{}
	maps.Copy(parameters, x.System.Parameters)
	maps.Copy(parameters, x.Experiment.Parameters)
	x.Vars = Vars{"env": env, "parameters": parameters, "marker": "", "steps": map[string]any{},
		"run": map[string]string{"id": n.ID, "prefix": n.Prefix}, "visitor": map[string]string{"name": "", "password": ""}}
	if err := x.logins(); err != nil {
		return err
	}
	return x.addresses()
}

func (x *Exec) takeEnv(e Expr, u use, env map[string]string, errs *ErrorList) {
	value, set := env[u.name]
	if !set {
		e.at.report(errs, u.at, fmt.Sprintf("environment variable %s is not set", u.name))
		return
	}
	x.secrets[u.name] = value
}

func (x *Exec) takeFile(e Expr, u use, errs *ErrorList) {
	text, err := readSmall(e.folder(), u.name)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		e.at.report(errs, u.at, fmt.Sprintf("file %q cannot be read: %v", u.name, err))
		return
	}
	x.secrets[filepath.Base(u.name)] = text
}

// report adds a mistake at a character of a text to a list of its own, since the one of Load is done with.
func (p textPlace) report(errs *ErrorList, at int, msg string) {
	if p.source == nil {
		*errs = append(*errs, &Error{Msg: msg})
		return
	}
	s := *p.source
	s.errs = errs
	s.fail(p.locate(at), p.path, "", "%s", msg)
}

// addresses expands where services are. A service's address can use everything but other services.
func (x *Exec) addresses() error {
	services := map[string]any{}
	for _, name := range keys(x.System.Services) {
		s := x.System.Services[name]
		known, named := map[string]any{"port": int64(s.Port)}, map[string]any{}
		for _, address := range keys(s.Addresses) {
			at, err := s.Addresses[address].Expand(x.Vars)
			if err != nil {
				return fmt.Errorf("service %s: address %s: %w", name, address, err)
			}
			named[address], known[address] = at, at
		}
		at, err := s.URL.Expand(x.Vars)
		if err != nil {
			return fmt.Errorf("service %s: url: %w", name, err)
		}
		known["url"], known["addresses"], known["ports"] = at, named, s.Ports
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

// Secrets are the values of the environment variables and files that expressions use, by name, and the passwords of
// visitors: what the recorder blots
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
	for _, visitors := range x.Visitors {
		for _, v := range visitors {
			secrets["password of visitor "+v.Name] = v.Password
		}
	}
	return secrets
}

// expressions lists every expression of the experiment and of all that it names.
func (x *Exec) expressions() []Expr {
	all := append(expressionsOf(x.System), expressionsOf(x.Experiment)...)
	for _, j := range x.Journeys {
		all = append(all, expressionsOf(j)...)
	}
	slices.SortStableFunc(all, func(a, b Expr) int {
		return strings.Compare(fmt.Sprintf("%s %6d %6d", a.at.pos.File, a.at.pos.Line, a.at.pos.Col+a.at.offset),
			fmt.Sprintf("%s %6d %6d", b.at.pos.File, b.at.pos.Line, b.at.pos.Col+b.at.offset))
	})
	return all
}

// expressionsOf lists the expressions in a value, wherever they stand.
func expressionsOf(value any) []Expr {
	var all []Expr
	collect(reflect.ValueOf(value), &all)
	return all
}

// collect finds expressions; those within templates count by themselves.
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
		if v.CanInterface() {
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
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() || f.Anonymous {
				collect(v.Field(i), all)
			}
		}
	}
}
