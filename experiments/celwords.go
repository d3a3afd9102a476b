package experiments

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	undeclared = regexp.MustCompile(`^undeclared reference to '([^']+)'`)
	noOverload = regexp.MustCompile(`^found no matching overload for '([^']+)' applied to '(?:([^.(]+(?:\([^.]*\))?)\.)?\((.*)\)'`)
	noFields   = regexp.MustCompile(`^type '([^']+)' does not support field selection`)
	unexpected = regexp.MustCompile(`^(?:mismatched input|extraneous input|no viable alternative at input) '(.*?)'(?: expecting .*)?$`)
	unreadable = regexp.MustCompile(`^token recognition error at: '(.*)'$`)
)

// operators are the names that CEL gives to its operators.
var operators = strings.NewReplacer("_==_", "==", "_!=_", "!=", "_<_", "<", "_<=_", "<=", "_>_", ">", "_>=_", ">=",
	"_&&_", "&&", "_||_", "||", "_+_", "+", "_-_", "-", "_*_", "*", "_/_", "/", "_%_", "%", "@in", "in", "!_", "!", "-_", "-",
	"_?_:_", "? :", "_[_]", "[ ]", "html_of", "html")

// celWords puts a message of the library into the words of all others. names are in sight.
func celWords(msg string, names []string) (text, hint string) {
	rest, syntax := strings.CutPrefix(msg, syntaxOnly)
	if m := undeclared.FindStringSubmatch(rest); m != nil {
		if m[1] == "html" {
			return "html(…) looks into an answer, and there is none here", ""
		}
		hint = near(m[1], names)
		if m[1] == "marker" {
			hint = "each intent has its own, and there is none here; all of this run begin with run.prefix"
		}
		return fmt.Sprintf("unknown name %q in an expression", operators.Replace(m[1])), hint
	}
	if m := noOverload.FindStringSubmatch(rest); m != nil {
		return overloadWords(operators.Replace(m[1]), m[2], m[3])
	}
	if m := noFields.FindStringSubmatch(rest); m != nil {
		return typeWords(m[1]) + " has no fields", ""
	}
	if m := unexpected.FindStringSubmatch(rest); m != nil && syntax {
		if m[1] == "<EOF>" {
			return "the expression ends too early", ""
		}
		return fmt.Sprintf("%q is not expected here", m[1]), singleEquals(m[1])
	}
	if m := unreadable.FindStringSubmatch(rest); m != nil && syntax {
		return fmt.Sprintf("%q cannot be read", strings.TrimSpace(m[1])), singleEquals(m[1])
	}
	return rest, ""
}

// singleEquals is a hint for what other languages write differently.
func singleEquals(found string) string {
	switch {
	case strings.HasPrefix(found, "="):
		return `equal is "=="`
	case found == "and":
		return `and is "&&"`
	case found == "or":
		return `or is "||"`
	case found == "not":
		return `not is "!"`
	}
	return ""
}

// overloadWords says that an operator or function does not take what it was given.
func overloadWords(name, on, given string) (text, hint string) {
	var kinds []string
	for _, t := range splitTypes(given) {
		kinds = append(kinds, typeWords(t))
	}
	joined := strings.Join(kinds, " and ")
	if strings.Contains(joined, "a duration") && strings.Contains(joined, "number") {
		hint = `a duration is written as duration("5s")`
	}
	if on != "" {
		if joined == "" {
			joined = "nothing"
		}
		return fmt.Sprintf("%s has no %s(…) that takes %s", typeWords(on), name, joined), hint
	}
	return fmt.Sprintf("%q does not go with %s", name, joined), hint
}

// splitTypes splits a list of types at the commas that are not within one.
func splitTypes(list string) []string {
	var all []string
	depth, from := 0, 0
	for i, r := range list {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == ',' && depth == 0:
			all = append(all, strings.TrimSpace(list[from:i]))
			from = i + 1
		}
	}
	if last := strings.TrimSpace(list[from:]); last != "" {
		all = append(all, last)
	}
	return all
}

// typeWords is a type of CEL in words.
func typeWords(t string) string {
	name, _, _ := strings.Cut(t, "(")
	words := map[string]string{"int": "a whole number", "uint": "a whole number", "double": "a number", "string": "text",
		"bool": "true or false", "google.protobuf.Duration": "a duration", "duration": "a duration",
		"google.protobuf.Timestamp": "a time", "timestamp": "a time", "list": "a list", "map": "keys with values",
		"null": "null", "null_type": "null", "dyn": "anything", "bytes": "bytes"}[name]
	if words == "" {
		return t
	}
	return words
}
