package experiments

import (
	"reflect"
)

// bind compiles every expression and template in a value, wherever it stands. names are in sight where a field's tag does
// not say otherwise; sees are those of the probe at hand. Mistakes are reported at their places, and counted.
func (b *bench) bind(value any, sees []string) (mistakes int) {
	return b.walk(reflect.ValueOf(value), "always", sees)
}

func (b *bench) walk(v reflect.Value, env string, sees []string) int {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return 0
		}
		return b.walk(v.Elem(), env, sees)
	case reflect.Struct:
		return b.walkStruct(v, env, sees)
	case reflect.Slice:
		n := 0
		for i := range v.Len() {
			n += b.walk(v.Index(i), env, sees)
		}
		return n
	case reflect.Map:
		return b.walkMap(v, env, sees)
	}
	return 0
}

func (b *bench) walkStruct(v reflect.Value, env string, sees []string) int {
	if !v.CanAddr() {
		return 0
	}
	names := inSight[env]
	if env == "probe" {
		names = sees
	}
	switch at := v.Addr().Interface().(type) {
	case *Expr:
		return count(!at.IsZero() && b.compile(at, names, anything) != nil)
	case *Template:
		return count(!at.IsZero() && b.template(at, names) != nil)
	case *Tree:
		return b.tree(&at.Value, names)
	}
	n := 0
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() && !f.Anonymous {
			continue
		}
		place := f.Tag.Get("env")
		if place == "" {
			place = env
		}
		if e, is := v.Field(i).Addr().Interface().(*Expr); is && conditions[f.Tag.Get("yaml")] {
			names := inSight[place]
			if place == "probe" {
				names = sees
			}
			n += count(!e.IsZero() && b.compile(e, names, condition) != nil)
			continue
		}
		n += b.walk(v.Field(i), place, sees)
	}
	return n
}

// conditions are the keys whose expressions have to be true or false.
var conditions = map[string]bool{"expect": true, "success": true, "refused": true, "pending": true, "unknown": true}

// walkMap takes values out, since what is in a map cannot be changed in place.
func (b *bench) walkMap(v reflect.Value, env string, sees []string) int {
	n := 0
	for _, key := range v.MapKeys() {
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(v.MapIndex(key))
		n += b.walk(value, env, sees)
		v.SetMapIndex(key, value)
	}
	return n
}

func (b *bench) tree(value *any, names []string) int {
	n := 0
	switch v := (*value).(type) {
	case Template:
		n += count(!v.IsZero() && b.template(&v, names) != nil)
		*value = v
	case map[string]any:
		for key, inner := range v {
			n += b.tree(&inner, names)
			v[key] = inner
		}
	case []any:
		for i := range v {
			n += b.tree(&v[i], names)
		}
	}
	return n
}

func count(wrong bool) int {
	if wrong {
		return 1
	}
	return 0
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
