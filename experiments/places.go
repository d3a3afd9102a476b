package experiments

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// textPlace is where the text of a scalar begins in its file, so that a mistake within an expression has a place too.
type textPlace struct {
	source *source
	path   string
	pos    Pos // of the first character: after the quote, or on the line after the sign of a block
	style  yaml.Style
	offset int // characters of the scalar before this text: an expression within a template
}

// textPlace is the place of a scalar's text.
func (d *decoder) textPlace(n *yaml.Node, path string) textPlace {
	p := textPlace{source: d.source, path: path, pos: d.pos(n), style: n.Style}
	switch {
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		p.pos.Col++
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		p.pos.Line++
		p.pos.Col = 1
		if p.pos.Line <= len(d.lines) {
			p.pos.Col += indent([]rune(d.lines[p.pos.Line-1]))
		}
	}
	return p
}

func indent(line []rune) int {
	n := 0
	for n < len(line) && line[n] == ' ' {
		n++
	}
	return n
}

// shift is the place of what begins n characters further on.
func (p textPlace) shift(n int) textPlace {
	p.offset += n
	return p
}

// fail reports a mistake at a character of the text, from 0.
func (p textPlace) fail(at int, hint, format string, args ...any) {
	if p.source != nil {
		p.source.fail(p.locate(at), p.path, hint, format, args...)
	}
}

// locate reads the scalar again as YAML does, character by character, until it has met as many as are wanted: lines are
// joined by one space or kept, their indentation is no text, and an escape in quotes is one character.
func (p textPlace) locate(at int) Pos {
	pos := p.pos
	if p.source == nil {
		return pos
	}
	for left := p.offset + at; pos.Line <= len(p.source.lines); {
		line := []rune(p.source.lines[pos.Line-1])
		end := len(line)
		if p.style&yaml.LiteralStyle == 0 {
			end = len([]rune(strings.TrimRight(string(line), " \t\r")))
		}
		for ; pos.Col <= end && left > 0; left-- {
			pos.Col += p.width(line[pos.Col-1:])
		}
		if left == 0 || pos.Line == len(p.source.lines) {
			break
		}
		left--
		pos.Line, pos.Col = pos.Line+1, 1+indent([]rune(p.source.lines[pos.Line]))
		if p.style&yaml.LiteralStyle != 0 {
			pos.Col = p.pos.Col
		}
	}
	return pos
}

// width is how many characters of the file stand for the next one of the text.
func (p textPlace) width(rest []rune) int {
	switch {
	case p.style&yaml.SingleQuotedStyle != 0 && len(rest) > 1 && rest[0] == '\'' && rest[1] == '\'':
		return 2
	case p.style&yaml.DoubleQuotedStyle != 0 && len(rest) > 1 && rest[0] == '\\':
		return max(2, map[rune]int{'x': 4, 'u': 6, 'U': 10}[rest[1]])
	}
	return 1
}
