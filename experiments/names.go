package experiments

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
)

// use is a name that an expression takes from outside itself, such as env.ORDERS_DB, with its place in the text.
type use struct {
	root string // env, services or file
	name string
	at   int // character of the text, from 0
}

// known are the names that can be checked before a run. A nil map or list is not known and not checked.
type known struct {
	services   map[string]Service
	parameters map[string]any
	steps      []string // of the journey at hand
	visitor    []string // what is known of its visitor: nothing when it has none
	needs      []string // of the service at hand
}

// lookUp checks the names that an expression reaches for within those always in sight, and lists its uses.
func (k known) lookUp(checked *cel.Ast, wrong func(at int, hint, format string, args ...any)) []use {
	var uses []use
	own := ownNames(checked.NativeRep().Expr())
	visit := func(e ast.Expr) {
		root, steps := reach(e)
		if own[root] || optional(e) {
			return
		}
		at := character(checked.Source().Content(), checked.NativeRep().SourceInfo().GetStartLocation(startOf(e).ID()))
		if len(steps) == 0 {
			if _, is := k.services[root]; is && e.Kind() == ast.IdentKind && !reserved[root] {
				uses = append(uses, use{"services", root, at})
			}
			return
		}
		name := steps[len(steps)-1]
		switch {
		case root == "env" && len(steps) == 1, root == "file", root == "services" && len(steps) == 1:
			uses = append(uses, use{root, name, at})
		}
		if what, names := k.within(root, steps[:len(steps)-1]); names != nil && !slices.Contains(names, name) {
			wrong(at, suggest(name, names), what, name)
		}
	}
	ast.PostOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(visit))
	return uses
}

// optional reports whether an expression may well name what is not there: has(a.b), a.?b, a[?"b"].
func optional(e ast.Expr) bool {
	switch e.Kind() {
	case ast.SelectKind:
		return e.AsSelect().IsTestOnly()
	case ast.CallKind:
		return e.AsCall().FunctionName() == "_?._" || e.AsCall().FunctionName() == "_[?_]"
	}
	return false
}

// ownNames are those that an expression gives to entries of a list, as in orders.exists(o, o.id == 1).
func ownNames(e ast.Expr) map[string]bool {
	own := map[string]bool{}
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.ComprehensionKind {
			own[e.AsComprehension().IterVar()] = true
			own[e.AsComprehension().IterVar2()] = true
		}
	}))
	delete(own, "")
	return own
}

// within lists the names that there are after a root and the steps taken from it, and says how a wrong one is called. No
// list means that nothing is known of it.
func (k known) within(root string, steps []string) (what string, names []string) {
	switch {
	case root == "run" && len(steps) == 0:
		return "run has no %q", []string{"id", "prefix"}
	case root == "parameters" && len(steps) == 0 && k.parameters != nil:
		return "no parameter is called %q", keys(k.parameters)
	case root == "visitor" && len(steps) == 0 && k.visitor != nil && len(k.visitor) == 0:
		return "the journey has no visitors, and nobody has a %q", k.visitor
	case root == "visitor" && len(steps) == 0 && k.visitor != nil:
		return "a visitor has no %q", k.visitor
	case root == "steps" && len(steps) == 0 && k.steps != nil:
		return "no step is called %q", k.steps
	case root == "services" && len(steps) == 0 && k.services != nil:
		return "unknown service %q", keys(k.services)
	case root == "needs" && len(steps) == 0:
		return "this service does not need %q", append([]string{}, k.needs...)
	case root == "needs" && (len(steps) > 1 || !slices.Contains(k.needs, steps[0])):
		return "", nil // said already, or not known
	case root == "needs":
		has := []string{"host"}
		if s := k.services[steps[0]]; s.Port != 0 || len(s.Ports) == 1 {
			has = append(has, "url", "address", "port")
		} else if len(s.Ports) > 1 {
			has = append(has, "ports")
		}
		return "needs." + steps[0] + " has no %q", has
	case root == "services" && len(steps) > 0:
		root, steps = steps[0], steps[1:]
	case reserved[root]:
		return "", nil
	}
	s, is := k.services[root]
	if !is {
		return "", nil
	}
	addresses := keys(s.Addresses)
	switch {
	case len(steps) == 0:
		has := []string{}
		for _, own := range []struct {
			name  string
			given bool
		}{{"url", !s.URL.IsZero()}, {"port", s.Port != 0}, {"ports", len(s.Ports) > 0}, {"addresses", len(addresses) > 0}} {
			if own.given {
				has = append(has, own.name)
			}
		}
		return "service " + root + " has no %q in the system", append(has, addresses...)
	case len(steps) == 1 && steps[0] == "addresses":
		return "service " + root + " has no address %q", addresses
	}
	return "", nil
}

// keys is a sorted list of what a map holds; empty and not nil when that is nothing.
func keys[V any](m map[string]V) []string {
	return append([]string{}, slices.Sorted(maps.Keys(m))...)
}

// character is the number of characters before a place in a text.
func character(text string, place common.Location) int {
	at := place.Column()
	for range place.Line() - 1 {
		line, rest, _ := strings.Cut(text, "\n")
		at += utf8.RuneCountInString(line) + 1
		text = rest
	}
	return max(0, at)
}

// reach follows a.b["c"] back to its root and the names taken from it. It gives no root when that cannot be told from the
// text alone. file("x") counts as a step from file.
func reach(e ast.Expr) (root string, steps []string) {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent(), nil
	case ast.SelectKind:
		root, steps = reach(e.AsSelect().Operand())
		return root, append(steps, e.AsSelect().FieldName())
	case ast.CallKind:
		call := e.AsCall()
		name, written := "", false
		if n := len(call.Args()); n > 0 {
			name, written = literal(call.Args()[n-1])
		}
		switch {
		case call.FunctionName() == "file" && written:
			return "file", []string{name}
		case (call.FunctionName() == "_[_]" || call.FunctionName() == "_[?_]" || call.FunctionName() == "_?._") && written:
			root, steps = reach(call.Args()[0])
			return root, append(steps, name)
		}
	}
	return "", nil
}

// startOf is the part of an expression where its text begins.
func startOf(e ast.Expr) ast.Expr {
	for {
		switch {
		case e.Kind() == ast.SelectKind:
			e = e.AsSelect().Operand()
		case e.Kind() == ast.CallKind && e.AsCall().FunctionName() == "_[_]":
			e = e.AsCall().Args()[0]
		default:
			return e
		}
	}
}

// literal is the text of an expression that is nothing but text.
func literal(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	text, is := e.AsLiteral().Value().(string)
	return text, is
}
