package experiments

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
)

// Schema is the JSON Schema (draft 2020-12) of a kind of definition, made from the structs that are loaded and from the
// catalog, so that an editor knows what candor knows.
func Schema(kind string, c Catalog) ([]byte, error) {
	t, known := documents()[kind]
	if !known {
		return nil, fmt.Errorf("no kind is called %q (%s)", kind, strings.Join(kindNames(), " · "))
	}
	s := schemas{catalog: c}
	root := s.structure(t)
	root.Version = jsonschema.Version
	root.Title = "candor " + kind
	root.Properties.Set("apiVersion", &jsonschema.Schema{Const: Version})
	root.Properties.Set("kind", &jsonschema.Schema{Const: kind})
	root.Required = append([]string{"apiVersion", "kind"}, root.Required...)
	data, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema of %s: %w", kind, err)
	}
	return append(data, '\n'), nil
}

// schemas makes schemas of structs.
type schemas struct{ catalog Catalog }

func (s schemas) structure(t reflect.Type) *jsonschema.Schema {
	made := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema}
	for _, f := range fields(t) {
		if f.envelope != "" {
			s.envelope(made, f.envelope)
			continue
		}
		property := s.value(t.FieldByIndex(f.index).Type)
		property.Description = f.tag.Get("doc")
		if allowed := f.tag.Get("enum"); allowed != "" {
			for _, word := range strings.Split(allowed, ",") {
				property.Enum = append(property.Enum, word)
			}
		}
		made.Properties.Set(f.name, property)
		if f.tag.Get("required") == "true" {
			made.Required = append(made.Required, f.name)
		}
	}
	return made
}

// envelope adds the keys that the catalog decides.
func (s schemas) envelope(into *jsonschema.Schema, envelope string) {
	add := func(name, doc string, value any) {
		property := s.structure(reflect.TypeOf(value).Elem())
		property.Description = doc
		into.Properties.Set(name, property)
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
		for _, k := range s.catalog.Surfaces {
			own := s.structure(reflect.TypeOf(k.NewAction()).Elem())
			for pair := own.Properties.Oldest(); pair != nil; pair = pair.Next() {
				into.Properties.Set(pair.Key, pair.Value)
			}
		}
	}
}

// value is the schema of a value of any type.
func (s schemas) value(t reflect.Type) *jsonschema.Schema {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`}
	case t == reflect.TypeFor[Tree]():
		return &jsonschema.Schema{}
	case t == reflect.TypeFor[Expr]():
		return &jsonschema.Schema{Type: "string", Title: "an expression in CEL"}
	case t == reflect.TypeFor[Template]():
		return &jsonschema.Schema{Type: "string", Title: "text with {{ expressions }}"}
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return &jsonschema.Schema{Type: "string"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.value(t.Elem())
	case reflect.Struct:
		return s.structure(t)
	case reflect.Slice:
		return &jsonschema.Schema{Type: "array", Items: s.value(t.Elem())}
	case reflect.Map:
		return &jsonschema.Schema{Type: "object", AdditionalProperties: s.value(t.Elem())}
	case reflect.String:
		return &jsonschema.Schema{Type: "string"}
	case reflect.Bool:
		return &jsonschema.Schema{Type: "boolean"}
	case reflect.Int, reflect.Int64:
		return &jsonschema.Schema{Type: "integer"}
	case reflect.Float64:
		return &jsonschema.Schema{Type: "number"}
	}
	return &jsonschema.Schema{}
}
