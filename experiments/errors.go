package experiments

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
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

// Error gives what editors parse, then the line, a caret and the hint. What a file holds cannot steer the terminal.
func (e *Error) Error() string {
	head := printable(fmt.Sprintf("%s: %s", e.Pos, e.Msg))
	if e.Line == "" {
		return head
	}
	line, before := excerpt([]rune(e.Line), e.Pos.Col-1)
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, before)
	return strings.TrimRight(fmt.Sprintf("%s\n%5d | %s\n      | %s^ %s", head, e.Pos.Line, line, pad, printable(e.Hint)), " ")
}

// What an excerpt shows of a long line: so much in all, and so much of it before the mistake.
const (
	excerptWidth  = 160
	excerptBefore = 60
)

// excerpt is the part of a line around a character, from 0, and what of that part stands before the character.
func excerpt(line []rune, at int) (shown, before string) {
	from, to := 0, len(line)
	at = max(0, min(at, to))
	if len(line) > excerptWidth {
		from = max(0, min(at-excerptBefore, len(line)-excerptWidth))
		to = from + excerptWidth
	}
	shown, before = printable(string(line[from:to])), printable(string(line[from:at]))
	if from > 0 {
		shown, before = "…"+shown, "…"+before
	}
	if to < len(line) {
		shown += "…"
	}
	return shown, before
}

// printable replaces every character that is none to look at, one by one, so that columns stay.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
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
