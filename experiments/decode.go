package experiments

import (
	"encoding"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// decoder fills a struct from a node tree and remembers the place of every path. It goes on after a mistake, so that all
// are found at once.
type decoder struct {
	*source
	catalog Catalog
	surface string // of a journey, whose steps' own keys are its
}

// field is one key of a struct.
type field struct {
	name     string
	index    []int
	tag      reflect.StructTag
	envelope string // fault, probe, reader or surface: the value is under one further key, or under all others
}

// fields lists the keys of a struct; those of an inline one count as its own.
func fields(t reflect.Type) []field {
	var all []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case name == "-":
		case options == "inline":
			for _, inner := range fields(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				all = append(all, inner)
			}
		case strings.HasPrefix(options, "kind="):
			all = append(all, field{index: []int{i}, tag: f.Tag, envelope: strings.TrimPrefix(options, "kind=")})
		case name != "":
			all = append(all, field{name: name, index: []int{i}, tag: f.Tag})
		}
	}
	return all
}

// entry is one key of a mapping with its value.
type entry struct{ key, value *yaml.Node }

// entries lists a mapping; a key that stands twice is a mistake.
func (d *decoder) entries(n *yaml.Node, path string) []entry {
	var all []entry
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			d.at(key, path, "", "a key has to be text")
			continue
		}
		if line, twice := seen[key.Value]; twice {
			first := ""
			if line != key.Line {
				first = "; first on line " + strconv.Itoa(line)
			}
			d.at(key, join(path, key.Value), "", "key %q stands twice%s", key.Value, first)
			continue
		}
		seen[key.Value] = key.Line
		all = append(all, entry{key, n.Content[i+1]})
	}
	return all
}

// structure fills a struct from a mapping. known are keys that the caller has dealt with.
func (d *decoder) structure(n *yaml.Node, v reflect.Value, path string, known ...string) {
	if n.Kind != yaml.MappingNode {
		d.wrong(n, path, "keys with values")
		return
	}
	all := fields(v.Type())
	var unknown []entry
	given := map[string]bool{}
	for _, e := range d.entries(n, path) {
		i := slices.IndexFunc(all, func(f field) bool { return f.name == e.key.Value && f.name != "" })
		switch {
		case i >= 0:
			given[e.key.Value] = true
			if e.value.Kind == yaml.ScalarNode && e.value.Tag == "!!str" && e.value.Value == "" && all[i].tag.Get("required") == "true" {
				d.at(e.value, join(path, e.key.Value), "", "%q is empty", e.key.Value)
				continue
			}
			d.value(e.value, v.FieldByIndex(all[i].index), join(path, e.key.Value), all[i].tag)
			d.standsAt(e, join(path, e.key.Value))
		case !slices.Contains(known, e.key.Value):
			unknown = append(unknown, e)
		}
	}
	if i := slices.IndexFunc(all, func(f field) bool { return f.envelope != "" }); i >= 0 {
		d.envelope(n, v, all, all[i], unknown, path)
	} else {
		d.unknown(unknown, all, nil, path)
	}
	for _, f := range all {
		if f.tag.Get("required") == "true" && !given[f.name] && f.envelope == "" {
			d.at(n, join(path, f.name), "", "%q is missing", f.name)
		}
	}
}

// standsAt takes the key for the place of a value that is spread over lines of its own.
func (d *decoder) standsAt(e entry, path string) {
	if e.value.Kind != yaml.ScalarNode && e.value.Style&yaml.FlowStyle == 0 {
		d.places[path] = d.pos(e.key)
	}
}

// unknown reports keys that nobody knows, with what they might have been: one of the kinds, where those decide.
func (d *decoder) unknown(unknown []entry, all []field, kinds []string, path string) {
	names := slices.Clone(kinds)
	for _, f := range all {
		if f.name != "" {
			names = append(names, f.name)
		}
	}
	if kinds == nil {
		kinds = names
	}
	for _, e := range unknown {
		hint := near(e.key.Value, names)
		if hint == "" {
			hint = few(kinds)
		}
		d.at(e.key, join(path, e.key.Value), hint, "unknown key %q", e.key.Value)
	}
}

// value fills one value of any type.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path string, tag reflect.StructTag) {
	d.places[path] = d.pos(n)
	switch into := v.Addr().Interface().(type) {
	case *Expr:
		if d.scalar(n, path, "an expression") {
			*into = Expr{Source: n.Value, at: d.textPlace(n, path)}
		}
		return
	case *Template:
		if d.scalar(n, path, "text") {
			*into = Template{Source: n.Value, at: d.textPlace(n, path)}
		}
		return
	case *Tree:
		into.Value = d.tree(n, path, func(n *yaml.Node) any { return Template{Source: n.Value, at: d.textPlace(n, path)} })
		return
	case *time.Duration:
		d.duration(n, into, path)
		return
	case *Moment:
		d.moment(n, into, path)
		return
	case *Wait:
		d.wait(n, into, path)
		return
	case encoding.TextUnmarshaler:
		if d.scalar(n, path, "text") {
			if err := into.UnmarshalText([]byte(n.Value)); err != nil {
				d.at(n, path, "", "%v", err)
			}
		}
		return
	}
	d.plain(n, v, path, tag)
}

// plain fills what needs no reading of its own.
func (d *decoder) plain(n *yaml.Node, v reflect.Value, path string, tag reflect.StructTag) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem(), path, tag)
	case reflect.Struct:
		d.structure(n, v, path)
	case reflect.Slice:
		d.list(n, v, path, tag)
	case reflect.Map:
		d.mapping(n, v, path, tag)
	case reflect.Interface:
		if any := d.tree(n, path, func(n *yaml.Node) any { return n.Value }); any != nil {
			v.Set(reflect.ValueOf(any))
		}
	case reflect.String:
		if d.scalar(n, path, "text") {
			v.SetString(n.Value)
			d.choice(n, path, tag)
		}
	case reflect.Bool:
		if n.Kind == yaml.ScalarNode && (n.Value == "true" || n.Value == "false") {
			v.SetBool(n.Value == "true")
		} else {
			d.wrong(n, path, "true or false")
		}
	case reflect.Int, reflect.Int64:
		if i, err := strconv.ParseInt(n.Value, 10, 64); n.Kind == yaml.ScalarNode && err == nil {
			v.SetInt(i)
			if i < 0 {
				d.at(n, path, "", "%q is less than 0", n.Value)
			}
		} else {
			d.wrong(n, path, "a whole number")
		}
	case reflect.Float64:
		if f, err := strconv.ParseFloat(n.Value, 64); n.Kind == yaml.ScalarNode && err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			v.SetFloat(f)
		} else {
			d.wrong(n, path, "a number")
		}
	}
}

// choice holds a text to the words that its tag allows.
func (d *decoder) choice(n *yaml.Node, path string, tag reflect.StructTag) {
	allowed := tag.Get("enum")
	if allowed == "" || n.Value == "" {
		return
	}
	if words := strings.Split(allowed, ","); !slices.Contains(words, n.Value) {
		key := path[strings.LastIndexByte(path, '.')+1:]
		d.at(n, path, suggest(n.Value, words), "unknown value %q for %q", n.Value, key)
	}
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, path string, tag reflect.StructTag) {
	if n.Kind != yaml.SequenceNode {
		d.wrong(n, path, "a list")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, c := range n.Content {
		d.value(c, v.Index(i), index(path, i), tag)
	}
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, path string, tag reflect.StructTag) {
	if n.Kind != yaml.MappingNode {
		d.wrong(n, path, "keys with values")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range d.entries(n, path) {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		d.value(e.key, key, join(path, e.key.Value), "")
		d.value(e.value, value, join(path, e.key.Value), tag)
		d.places[join(path, e.key.Value)] = d.pos(e.key)
		v.SetMapIndex(key, value)
	}
}

// duration wants a number with a unit.
func (d *decoder) duration(n *yaml.Node, into *time.Duration, path string) {
	if !d.scalar(n, path, "a duration such as 3s") {
		return
	}
	parsed, err := time.ParseDuration(n.Value)
	if err != nil {
		hint := ""
		if _, bare := strconv.ParseFloat(n.Value, 64); bare == nil {
			hint = "did you mean " + n.Value + "s?"
		}
		d.at(n, path, hint, "%q is not a duration such as 500ms, 3s or 10m", n.Value)
		return
	}
	if parsed < 0 {
		d.at(n, path, "", "duration %q is less than 0", n.Value)
	}
	*into = parsed
}

// moment wants a duration, or a boundary.
func (d *decoder) moment(n *yaml.Node, into *Moment, path string) {
	if n.Kind != yaml.MappingNode {
		d.duration(n, &into.Time, path)
		return
	}
	into.Boundary = &Boundary{}
	d.structure(n, reflect.ValueOf(into.Boundary).Elem(), path)
	if (into.Boundary.Before == "") == (into.Boundary.After == "") {
		d.at(n, path, "", `want either "before" or "after", with the name of a step`)
	}
}

// wait wants a duration, or what to wait for.
func (d *decoder) wait(n *yaml.Node, into *Wait, path string) {
	if n.Kind != yaml.MappingNode {
		d.duration(n, &into.Time, path)
		return
	}
	into.For = &Locator{}
	d.structure(n, reflect.ValueOf(into.For).Elem(), path)
}

// tree keeps a value of any shape. What becomes of its texts the caller says; a day is text, as it was written.
func (d *decoder) tree(n *yaml.Node, path string, text func(*yaml.Node) any) any {
	d.places[path] = d.pos(n)
	switch n.Kind {
	case yaml.MappingNode:
		all := map[string]any{}
		for _, e := range d.entries(n, path) {
			all[e.key.Value] = d.tree(e.value, join(path, e.key.Value), text)
		}
		return all
	case yaml.SequenceNode:
		all := make([]any, len(n.Content))
		for i, c := range n.Content {
			all[i] = d.tree(c, index(path, i), text)
		}
		return all
	}
	if tag := n.ShortTag(); tag == "!!str" || tag == "!!timestamp" {
		return text(n)
	}
	var value any
	if err := n.Load(&value); err != nil {
		d.at(n, path, "", "%q cannot be read as %s", n.Value, strings.TrimLeft(n.Tag, "!"))
		return nil
	}
	return value
}

// scalar reports whether a node is a single value.
func (d *decoder) scalar(n *yaml.Node, path, want string) bool {
	if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		return true
	}
	d.wrong(n, path, want)
	return false
}

// wrong reports a value of another shape than was wanted.
func (d *decoder) wrong(n *yaml.Node, path, want string) {
	got := strconv.Quote(n.Value)
	switch {
	case n.Kind == yaml.MappingNode:
		got = "keys with values"
	case n.Kind == yaml.SequenceNode:
		got = "a list"
	case n.Tag == "!!null":
		got = "nothing"
	}
	d.at(n, path, "", "want %s, got %s", want, got)
}
