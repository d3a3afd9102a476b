package experiments

import (
	"reflect"
	"strings"
)

// spot is what a field's tags say of the expressions in it.
type spot struct {
	place string   // of its tag env; always where it has none
	sees  []string // what the probe at hand lets expressions see
	want  wants
	lone  bool // in a probe or reader, which belong to no intent: no marker, no steps
}

// wanted are the keys whose expressions have to be of one type.
var wanted = map[string]wants{"expect": condition, "success": condition, "refused": condition, "pending": condition,
	"unknown": condition, "per_effect": condition, "promise": lasting}

// bind compiles every expression and template in a value, wherever it stands; sees are the names of the probe at hand.
// Mistakes are reported at their places, and counted.
func (b *bench) bind(value any, sees []string) (mistakes int) {
	return b.walk(reflect.ValueOf(value), spot{place: "always", sees: sees})
}

func (b *bench) walk(v reflect.Value, at spot) (mistakes int) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return b.walk(v.Elem(), at)
		}
	case reflect.Struct:
		if v.CanAddr() {
			return b.walkStruct(v, at)
		}
	case reflect.Slice:
		for i := range v.Len() {
			mistakes += b.walk(v.Index(i), at)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			value := reflect.New(v.Type().Elem()).Elem() // what is in a map cannot be changed in place
			value.Set(v.MapIndex(key))
			mistakes += b.walk(value, at)
			v.SetMapIndex(key, value)
		}
	}
	return mistakes
}

func (b *bench) walkStruct(v reflect.Value, at spot) (mistakes int) {
	if v.CanInterface() {
		switch found := v.Addr().Interface().(type) {
		case *Expr:
			if !found.IsZero() {
				return b.compile(found, b.inSight(at), at.want)
			}
			return 0
		case *Template:
			return b.template(found, b.inSight(at))
		case *Tree:
			return b.tree(&found.Value, at)
		case *Service:
			b.needs = found.Needs
		}
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() && !f.Anonymous {
			continue
		}
		inner := at
		if place := f.Tag.Get("env"); place != "" {
			inner.place = place
		}
		key, kind, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		inner.want = wanted[key]
		inner.lone = at.lone || inner.place == "probe" || kind == "kind=probe" || kind == "kind=reader"
		mistakes += b.walk(v.Field(i), inner)
	}
	return mistakes
}

// tree compiles the templates of a value of any shape.
func (b *bench) tree(value *any, at spot) (mistakes int) {
	switch v := (*value).(type) {
	case Template:
		mistakes = b.template(&v, b.inSight(at))
		*value = v
	case map[string]any:
		for key, inner := range v {
			mistakes += b.tree(&inner, at)
			v[key] = inner
		}
	case []any:
		for i := range v {
			mistakes += b.tree(&v[i], at)
		}
	}
	return mistakes
}

// Bind compiles every expression in a value that did not come through Compile, such as a probe made in Go. services are
// names that expressions may use beside those always in sight.
func Bind(value any, sees, services []string) error {
	b := newBench(services)
	if b.bind(value, sees) > 0 {
		return b.first
	}
	return nil
}
