package experiments

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// template compiles the expressions between {{ and }}, and counts the mistakes.
func (b *bench) template(t *Template, names []string) (mistakes int) {
	t.parts = []part{}
	for rest := t.Source; rest != ""; {
		before, after, found := strings.Cut(rest, "{{")
		if before != "" {
			t.parts = append(t.parts, part{text: before})
		}
		if !found {
			break
		}
		start := len(t.Source) - len(after)
		end := closing(after)
		if end < 0 {
			return mistakes + b.broken(t, start-2, `"{{" without "}}"`)
		}
		inner := after[:end]
		rest = after[end+len("}}"):]
		text := strings.TrimSpace(inner)
		if text == "" {
			mistakes += b.broken(t, start-2, `nothing between "{{" and "}}"`)
			continue
		}
		lead := strings.Index(inner, text)
		e := Expr{Source: text, at: t.at.shift(utf8.RuneCountInString(t.Source[:start+lead]))}
		mistakes += b.compile(&e, names, anything)
		t.parts = append(t.parts, part{expr: e})
	}
	return mistakes
}

// broken reports a mistake at a byte of a template.
func (b *bench) broken(t *Template, at int, msg string) int {
	if b.first == nil {
		b.first = fmt.Errorf("%q: %w: %s", t.Source, errMistake, msg)
	}
	t.at.fail(utf8.RuneCountInString(t.Source[:at]), "", "%s", msg)
	return 1
}

// closing is where the }} is that ends an expression, and not one within its texts; -1 when there is none.
func closing(text string) int {
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '}' && strings.HasPrefix(text[i:], "}}"):
			return i
		}
	}
	return -1
}

// plain turns a value of CEL into what Go code expects: maps, lists, text, int64, float64, bool, times and durations.
func plain(v ref.Val) (any, error) {
	switch value := v.(type) {
	case types.Duration:
		return value.Duration, nil
	case types.Timestamp:
		return value.Time, nil
	case types.Null:
		return nil, nil
	case *types.Err:
		return nil, value
	case *types.Optional:
		if !value.HasValue() {
			return nil, nil
		}
		return plain(value.GetValue())
	case traits.Mapper:
		all := map[string]any{}
		for it := value.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			inner, err := plain(value.Get(key))
			if err != nil {
				return nil, err
			}
			all[fmt.Sprint(key.Value())] = inner
		}
		return all, nil
	case traits.Lister:
		all := []any{}
		for it := value.Iterator(); it.HasNext() == types.True; {
			inner, err := plain(it.Next())
			if err != nil {
				return nil, err
			}
			all = append(all, inner)
		}
		return all, nil
	}
	if d, is := v.Value().(time.Duration); is {
		return d, nil
	}
	return v.Value(), nil
}
