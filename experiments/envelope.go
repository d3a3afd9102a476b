package experiments

import (
	"errors"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/candor-chaos/candor/faults"
)

// articles for the names of what an envelope holds.
var articles = map[string]string{"fault": "a fault", "probe": "a probe", "reader": "a reader"}

// envelope reads what a catalog decides: the one key that names a kind, or, for a step, all keys that are its surface's.
func (d *decoder) envelope(n *yaml.Node, v reflect.Value, all []field, f field, rest []entry, path string) {
	into := v.FieldByIndex(f.index)
	if f.envelope == "surface" {
		d.action(n, into, all, rest, path)
		return
	}
	names := d.kinds(f.envelope)
	var chosen []entry
	var unknown []entry
	for _, e := range rest {
		if slices.Contains(names, e.key.Value) {
			chosen = append(chosen, e)
		} else {
			unknown = append(unknown, e)
		}
	}
	d.unknown(unknown, all, names, path)
	switch {
	case len(chosen) == 0 && len(unknown) == 0:
		d.at(n, path, "", "%s is missing: one of %s", articles[f.envelope], strings.Join(names, ", "))
		return
	case len(chosen) > 1:
		d.at(chosen[1].key, path, "", "%q beside %q: one kind in each", chosen[1].key.Value, chosen[0].key.Value)
		return
	case len(chosen) == 0:
		return
	}
	kind, value := chosen[0].key.Value, chosen[0].value
	if named := v.FieldByName("Kind"); named.IsValid() {
		named.SetString(kind)
	}
	d.places[join(path, kind)] = d.pos(chosen[0].key)
	made := d.make(f.envelope, kind)
	d.structure(value, reflect.ValueOf(made).Elem(), join(path, kind))
	if value.Kind == yaml.MappingNode {
		d.validate(value, made, join(path, kind))
	}
	into.Set(reflect.ValueOf(made))
}

func (d *decoder) kinds(envelope string) []string {
	var names []string
	switch envelope {
	case "fault":
		for _, k := range d.catalog.Faults {
			if !k.Internal {
				names = append(names, k.Name)
			}
		}
	case "probe":
		for _, k := range d.catalog.Probes {
			names = append(names, k.Name)
		}
	case "reader":
		for _, k := range d.catalog.Readers {
			names = append(names, k.Name)
		}
	}
	return names
}

// make makes an empty value of a kind that is in the catalog.
func (d *decoder) make(envelope, kind string) any {
	switch envelope {
	case "fault":
		k, _ := faults.Lookup(d.catalog.Faults, kind)
		return k.New()
	case "probe":
		return d.catalog.Probes[slices.IndexFunc(d.catalog.Probes, func(k ProbeKind) bool { return k.Name == kind })].New()
	}
	return d.catalog.Readers[slices.IndexFunc(d.catalog.Readers, func(k ReaderKind) bool { return k.Name == kind })].New()
}

// validate asks the value itself for what types do not catch. Several mistakes come joined, each with its field.
func (d *decoder) validate(n *yaml.Node, made any, path string) {
	v, can := made.(faults.Validator)
	if !can {
		return
	}
	for _, err := range flatten(v.Validate()) {
		var mistake *faults.FieldError
		if errors.As(err, &mistake) {
			if faulty(*d.errs, d.file, join(path, mistake.Field)) {
				continue
			}
			if mistake.Msg == "is missing" && d.child(n, mistake.Field) == nil {
				d.at(n, join(path, mistake.Field), mistake.Hint, "%q is missing", mistake.Field)
				continue
			}
			d.on(join(path, mistake.Field), mistake.Hint, "%s: %s", mistake.Field, mistake.Msg)
			continue
		}
		d.at(n, path, "", "%v", err)
	}
}

// flatten takes joined errors apart.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	if joined, is := err.(interface{ Unwrap() []error }); is {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, flatten(e)...)
		}
		return all
	}
	return []error{err}
}

// action reads the keys of a step that are its surface's own.
func (d *decoder) action(n *yaml.Node, into reflect.Value, all []field, rest []entry, path string) {
	i := slices.IndexFunc(d.catalog.Surfaces, func(k SurfaceKind) bool { return k.Name == d.surface })
	if i < 0 {
		return // that the surface is unknown is said where it is named
	}
	made := d.catalog.Surfaces[i].NewAction()
	own := fields(reflect.TypeOf(made).Elem())
	mine := &yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Column: n.Column, Tag: "!!map"}
	var unknown []entry
	for _, e := range rest {
		if slices.ContainsFunc(own, func(f field) bool { return f.name == e.key.Value }) {
			mine.Content = append(mine.Content, e.key, e.value)
		} else {
			unknown = append(unknown, e)
		}
	}
	d.unknown(unknown, append(slices.Clone(all), own...), nil, path)
	before := len(*d.errs)
	d.structure(mine, reflect.ValueOf(made).Elem(), path)
	if len(*d.errs) == before && len(unknown) == 0 {
		if err := made.Check(); err != nil {
			d.at(n, path, "", "%v", err)
		}
	}
	into.Set(reflect.ValueOf(made))
}
