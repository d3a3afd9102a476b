package experiments

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/candor-chaos/candor/faults"
)

// Schema is the JSON Schema (draft 2020-12) of a kind of definition, for editors, made from the structs that are loaded and
// from the catalog. What only Compile can know (names of services, expressions) it leaves open.
func Schema(kind string, c Catalog) ([]byte, error) {
	t, known := documents()[kind]
	if !known {
		return nil, fmt.Errorf("no kind is called %q (%s)", kind, strings.Join(kindNames(), " · "))
	}
	root := schemas{c}.structure(reflect.New(t).Elem(), "")
	root.Version = jsonschema.Version
	root.Title = "candor " + kind
	own := root.Properties
	root.Properties = jsonschema.NewProperties()
	root.Properties.Set("apiVersion", &jsonschema.Schema{Const: Version})
	root.Properties.Set("kind", &jsonschema.Schema{Const: kind})
	for p := own.Oldest(); p != nil; p = p.Next() {
		root.Properties.Set(p.Key, p.Value)
	}
	root.Required = append([]string{"apiVersion", "kind"}, root.Required...)
	if t == reflect.TypeFor[Experiment]() {
		root.AnyOf = []*jsonschema.Schema{{Required: []string{"faults"}}, {Required: []string{"sweep"}}}
	}
	data, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema of %s: %w", kind, err)
	}
	return append(data, '\n'), nil
}

// schemas makes schemas of values the way the decoder fills them.
type schemas struct{ catalog Catalog }

// structure is the schema of a struct. What its fields hold already is the default of their keys.
func (s schemas) structure(v reflect.Value, doc string) *jsonschema.Schema {
	made := &jsonschema.Schema{Type: "object", Description: doc, Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema}
	for _, f := range fields(v.Type()) {
		if f.envelope != "" {
			s.envelope(made, f.envelope)
			continue
		}
		made.Properties.Set(f.name, s.value(v.FieldByIndex(f.index), f.tag.Get("doc"), f.tag.Get("enum")))
		if f.tag.Get("required") == "true" {
			made.Required = append(made.Required, f.name)
		}
	}
	return made
}

// envelope adds one key for each kind, of which exactly one is given; or, for a step, the keys of its surface.
func (s schemas) envelope(into *jsonschema.Schema, envelope string) {
	add := func(name, doc string, made any) {
		into.Properties.Set(name, s.structure(reflect.ValueOf(made).Elem(), doc))
		into.OneOf = append(into.OneOf, &jsonschema.Schema{Required: []string{name}})
	}
	switch envelope {
	case "fault":
		for _, k := range s.catalog.Faults {
			add(k.Name, k.Doc, k.New())
		}
	case "probe":
		for _, k := range s.catalog.Probes {
			add(k.Name, k.Doc, k.New())
		}
	case "reader":
		for _, k := range s.catalog.Readers {
			add(k.Name, k.Doc, k.New())
		}
	case "surface":
		s.surfaces(into)
	}
}

// surfaces adds the keys of all surfaces, since the one that counts is named at the top of the journey.
func (s schemas) surfaces(into *jsonschema.Schema) {
	for _, k := range s.catalog.Surfaces {
		own := s.structure(reflect.ValueOf(k.NewAction()).Elem(), "")
		for p := own.Properties.Oldest(); p != nil; p = p.Next() {
			value := p.Value
			if other, taken := into.Properties.Get(p.Key); taken {
				value = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{other, value}}
			}
			into.Properties.Set(p.Key, value)
		}
	}
}

// value is the schema of one value. enum holds the words that are allowed; those of a list hold for its items.
func (s schemas) value(v reflect.Value, doc, enum string) *jsonschema.Schema {
	switch v.Addr().Interface().(type) {
	case *Expr:
		return scalar(doc, "an expression in CEL")
	case *Template:
		return scalar(doc, "text with {{ expressions }}")
	case *Tree:
		return &jsonschema.Schema{Description: note(doc, "of any shape; its texts may have {{ expressions }}")}
	case *time.Duration:
		return &jsonschema.Schema{Type: "string", Description: doc, Pattern: `^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$`}
	case *Moment:
		when := s.value(reflect.New(reflect.TypeFor[time.Duration]()).Elem(), "", "")
		where := s.structure(reflect.ValueOf(&Boundary{}).Elem(), "")
		where.OneOf = []*jsonschema.Schema{{Required: []string{"before"}}, {Required: []string{"after"}}}
		return &jsonschema.Schema{Description: doc, OneOf: []*jsonschema.Schema{when, where}}
	case *Wait:
		long := s.value(reflect.New(reflect.TypeFor[time.Duration]()).Elem(), "", "")
		return &jsonschema.Schema{Description: doc, OneOf: []*jsonschema.Schema{long, s.structure(reflect.ValueOf(&Locator{}).Elem(), "")}}
	case encoding.TextUnmarshaler:
		return textual(v.Type(), doc)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return s.value(reflect.New(v.Type().Elem()).Elem(), doc, enum)
	case reflect.Struct:
		return s.structure(v, doc)
	case reflect.Slice:
		return &jsonschema.Schema{Type: "array", Description: doc, Items: s.value(reflect.New(v.Type().Elem()).Elem(), "", enum)}
	case reflect.Map:
		made := &jsonschema.Schema{Type: "object", Description: doc, AdditionalProperties: s.value(reflect.New(v.Type().Elem()).Elem(), "", enum)}
		if v.Type().Key() == reflect.TypeFor[Claim]() {
			made.PropertyNames = textual(v.Type().Key(), "")
		}
		return made
	case reflect.String:
		return choice(v.String(), doc, enum)
	case reflect.Bool:
		return &jsonschema.Schema{Type: "boolean", Description: doc}
	case reflect.Int, reflect.Int64:
		return &jsonschema.Schema{Type: "integer", Description: doc, Minimum: "0"}
	case reflect.Float64:
		return &jsonschema.Schema{Type: "number", Description: doc}
	}
	return &jsonschema.Schema{Description: doc}
}

// choice is text, of which only some words are allowed when enum has any.
func choice(usual, doc, enum string) *jsonschema.Schema {
	made := &jsonschema.Schema{Type: "string", Description: doc}
	if enum != "" {
		for _, word := range strings.Split(enum, ",") {
			made.Enum = append(made.Enum, word)
		}
	}
	if usual != "" {
		made.Default = usual
	}
	return made
}

// textual is what reads itself from text.
func textual(t reflect.Type, doc string) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[Claim]():
		return choice("", doc, strings.Join(slices.Concat(claimNames[:], []string{"failed", "failure"}), ","))
	case reflect.TypeFor[Date]():
		return &jsonschema.Schema{Type: "string", Description: note(doc, "a day, as 2027-01-31"), Pattern: `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`}
	case reflect.TypeFor[Rate]():
		return &jsonschema.Schema{Type: "string", Description: doc, Pattern: `^[0-9.]+/[smh]$`}
	case reflect.TypeFor[faults.Rate]():
		return &jsonschema.Schema{Type: "string", Description: doc, Pattern: `^[0-9.]+ *([kKMG]i?)?B/s$`}
	case reflect.TypeFor[faults.Bytes]():
		return &jsonschema.Schema{Type: "string", Description: doc, Pattern: `^[0-9.]+ *([kKMG]i?)?B$`}
	case reflect.TypeFor[faults.Share]():
		return &jsonschema.Schema{Description: doc, OneOf: []*jsonschema.Schema{
			{Type: "string", Pattern: `^[0-9.]+ *%$`},
			{Type: "number", ExclusiveMinimum: "0", Maximum: "1"},
		}}
	case reflect.TypeFor[faults.Pick]():
		return &jsonschema.Schema{Description: doc, OneOf: []*jsonschema.Schema{
			{Type: "string", Pattern: `^(all|one|[1-9][0-9]*|[0-9.]+ *%)$`},
			{Type: "integer", Minimum: "1"},
		}}
	case reflect.TypeFor[Comparison]():
		return &jsonschema.Schema{Type: "string", Description: doc, Pattern: `^ *(>=|<=|==|>|<) *[0-9.]+ *(%|ms|s)?$`}
	}
	return scalar(doc, "")
}

// scalar is any single value: what is read as text is not always written in quotes.
func scalar(doc, what string) *jsonschema.Schema {
	return &jsonschema.Schema{Description: note(doc, what), Extras: map[string]any{"type": []string{"string", "number", "boolean"}}}
}

func note(doc, what string) string {
	if doc != "" && what != "" {
		return doc + " (" + what + ")"
	}
	return doc + what
}
