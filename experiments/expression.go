package experiments

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
)

// Vars is what an expression sees, by name.
type Vars map[string]any

// With returns a copy with more names.
func (v Vars) With(more Vars) Vars {
	all := make(Vars, len(v)+len(more))
	for name, value := range v {
		all[name] = value
	}
	for name, value := range more {
		all[name] = value
	}
	return all
}

// ErrNotCompiled means that an expression was used without Compile.
var ErrNotCompiled = errors.New("expression is not compiled")

// Expr is an expression in CEL (https://cel.dev), kept as its source and compiled by Compile. The tag env of its field
// says what it sees:
//
//	always   env.NAME, run.id, run.prefix, parameters.NAME, services['orders-db'].url .port .ports .addresses, the same
//	         of a service by its name alone where that is an identifier (web.url, payments.admin), file("path");
//	         in journeys also marker, visitor.name, visitor.password and steps['place order'].json.id, with what those
//	         steps extracted
//	answer   beside that, what a surface answered: status, headers (by lower-case name), body, json (an empty map when the
//	         body is not JSON), elapsed (a duration), hops, answered, and html(selector[, attribute]): the text or an
//	         attribute of the first element of body that a CSS selector matches, an error when there is none
//	         in a browser instead: page.url .title .text .alerts, page.says("…"), elapsed, answered
//	item     beside that, item: one entry of the list that a reader was given
//	probe    beside that, what the probe's kind lists in Sees
//	launch   beside services, needs['orders-db'].url .host .port .address .ports: where a service that candor starts finds
//	         what it needs
//	address  only env, run and parameters: where services are cannot depend on where services are
//
// Of what begins with env, run, parameters, services, steps or visitor Compile knows the names, and refuses others.
type Expr struct {
	Source  string
	at      textPlace
	uses    []use
	program cel.Program
}

// IsZero reports whether no expression was written.
func (e Expr) IsZero() bool { return e.Source == "" }

// MarshalText writes the source.
func (e Expr) MarshalText() ([]byte, error) { return []byte(e.Source), nil }

// UnmarshalText keeps the source.
func (e *Expr) UnmarshalText(text []byte) error {
	e.Source = string(text)
	return nil
}

// Eval evaluates the expression to a plain Go value.
func (e Expr) Eval(vars Vars) (any, error) {
	if e.program == nil {
		return nil, fmt.Errorf("%q: %w", e.Source, ErrNotCompiled)
	}
	out, _, err := e.program.Eval(map[string]any(vars))
	if err != nil {
		return nil, fmt.Errorf("evaluate %q: %w", e.Source, err)
	}
	return plain(out)
}

// Holds evaluates a condition. What the condition cannot look at (a missing field of a body) is an error, not a no.
func (e Expr) Holds(vars Vars) (bool, error) {
	value, err := e.Eval(vars)
	if err != nil {
		return false, err
	}
	holds, ok := value.(bool)
	if !ok {
		return false, fmt.Errorf("evaluate %q: %v is not true or false", e.Source, value)
	}
	return holds, nil
}

// Template is text with expressions between {{ and }}.
type Template struct {
	Source string
	at     textPlace
	parts  []part
}

// part is a literal or an expression.
type part struct {
	text string
	expr Expr
}

// Literal is a template without expressions.
func Literal(text string) Template { return Template{Source: text, parts: []part{{text: text}}} }

// IsZero reports whether no text was written.
func (t Template) IsZero() bool { return t.Source == "" }

// MarshalText writes the source.
func (t Template) MarshalText() ([]byte, error) { return []byte(t.Source), nil }

// UnmarshalText keeps the source.
func (t *Template) UnmarshalText(text []byte) error {
	t.Source = string(text)
	return nil
}

// Expand puts the values of the expressions into the text.
func (t Template) Expand(vars Vars) (string, error) {
	if t.parts == nil && t.Source != "" {
		return "", fmt.Errorf("%q: %w", t.Source, ErrNotCompiled)
	}
	var b strings.Builder
	for _, p := range t.parts {
		if p.expr.IsZero() {
			b.WriteString(p.text)
			continue
		}
		value, err := p.expr.Eval(vars)
		if err != nil {
			return "", err
		}
		text, err := written(value)
		if err != nil {
			return "", fmt.Errorf("put %q into text: %w", p.expr.Source, err)
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// written is a value as text: lists and keys with values as JSON, and no text for nothing.
func written(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", errors.New("it is null")
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case []byte:
		return string(v), nil
	case time.Time:
		return v.Format(time.RFC3339Nano), nil
	case map[string]any, []any:
		data, err := json.Marshal(v)
		return string(data), err
	}
	return fmt.Sprint(value), nil
}

// value is what a template stands for in a tree: a lone expression keeps its type, anything else is text.
func (t Template) value(vars Vars) (any, error) {
	if len(t.parts) == 1 && !t.parts[0].expr.IsZero() {
		return t.parts[0].expr.Eval(vars)
	}
	return t.Expand(vars)
}

// Tree is a value of any shape, such as a JSON body, whose texts are templates: Value holds maps, lists, plain values
// and Templates.
type Tree struct {
	Value any
}

// IsZero reports whether nothing was written.
func (t Tree) IsZero() bool { return t.Value == nil }

// Expand puts values into all texts of the tree.
func (t Tree) Expand(vars Vars) (any, error) { return expandTree(t.Value, vars) }

func expandTree(value any, vars Vars) (any, error) {
	switch v := value.(type) {
	case Template:
		return v.value(vars)
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, inner := range v {
			expanded, err := expandTree(inner, vars)
			if err != nil {
				return nil, err
			}
			out[key] = expanded
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			expanded, err := expandTree(inner, vars)
			if err != nil {
				return nil, err
			}
			out[i] = expanded
		}
		return out, nil
	}
	return value, nil
}
