package faults

import (
	"fmt"
	"slices"
	"strings"
)

// required is nil when the field has a value.
func required(field, value string) error {
	if value == "" {
		return &FieldError{Field: field, Msg: "is missing"}
	}
	return nil
}

// oneOf is nil when the value is one of the choices.
func oneOf(field, value string, choices ...string) error {
	if slices.Contains(choices, value) {
		return nil
	}
	e := &FieldError{Field: field, Msg: fmt.Sprintf("unknown %s %q", field, value), Hint: "one of " + strings.Join(choices, ", ")}
	for _, c := range choices {
		if distance(strings.ToLower(value), strings.ToLower(c)) <= 2 {
			e.Hint = fmt.Sprintf("did you mean %q?", c)
			break
		}
	}
	return e
}

// distance is the number of letters to add, drop or change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			changed := diagonal
			if a[i] != b[j] {
				changed++
			}
			diagonal = row[j+1]
			row[j+1] = min(changed, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
