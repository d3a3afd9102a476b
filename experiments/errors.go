package experiments

import (
	"fmt"
	"slices"
	"strings"
)

// Pos is a place in a file; line and column count from 1.
type Pos struct {
	File string
	Line int
	Col  int
}

func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col) }

// Error is one mistake in a definition.
type Error struct {
	Pos  Pos
	Path string // such as faults[0].outage.to
	Msg  string // what is wrong: lower case, values in quotes
	Hint string // what would be right, when we are fairly sure
	Line string // the source line, for the caret
}

// Error gives what editors parse, then the line, a caret and the hint.
func (e *Error) Error() string {
	head := fmt.Sprintf("%s: %s", e.Pos, e.Msg)
	if e.Line == "" {
		return head
	}
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, firstRunes(e.Line, e.Pos.Col-1))
	return strings.TrimRight(fmt.Sprintf("%s\n%5d | %s\n      | %s^ %s", head, e.Pos.Line, e.Line, pad, e.Hint), " ")
}

func firstRunes(s string, n int) string {
	runes := []rune(s)
	return string(runes[:max(0, min(n, len(runes)))])
}

// ErrorList is every mistake of every file, in order.
type ErrorList []*Error

func (l ErrorList) Error() string {
	texts := make([]string, len(l))
	for i, e := range l {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "\n")
}

// Err is a sorted copy of the list without what stands twice, and nil when there is nothing in it.
func (l ErrorList) Err() error {
	if len(l) == 0 {
		return nil
	}
	l = slices.Clone(l)
	slices.SortStableFunc(l, func(a, b *Error) int {
		if c := strings.Compare(a.Pos.File, b.Pos.File); c != 0 {
			return c
		}
		if a.Pos.Line != b.Pos.Line {
			return a.Pos.Line - b.Pos.Line
		}
		if a.Pos.Col != b.Pos.Col {
			return a.Pos.Col - b.Pos.Col
		}
		return strings.Compare(a.Msg, b.Msg)
	})
	return slices.CompactFunc(l, func(a, b *Error) bool { return a.Pos == b.Pos && a.Msg == b.Msg })
}
