package experiments

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Version is what every definition begins with.
const Version = "candor/v1"

// source is one file, as read: its lines for carets, its root node, and where each path is.
type source struct {
	file   string
	lines  []string
	root   *yaml.Node
	kind   string
	places map[string]Pos
	errs   *ErrorList
	loaded int // how many of errs were found before anything was compiled
}

// readSource reads and parses a file. What is wrong with it goes to errs; nil means that it cannot be used at all.
func readSource(file string, errs *ErrorList) *source {
	s := &source{file: file, places: map[string]Pos{}, errs: errs}
	data, err := readDefinition(file)
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		s.fail(Pos{File: file, Line: 1, Col: 1}, "", "", "cannot be read: %v", err)
		return nil
	}
	s.lines = linesOf(data)
	if at := foreign(data); at >= 0 {
		s.fail(s.byteAt(data, at), "", "", "not text in UTF-8; save the file as UTF-8")
		return nil
	}
	return s.parse(data)
}

func (s *source) parse(data []byte) *source {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		s.syntax(err, data)
		return nil
	}
	var document, second yaml.Node
	if err := loader.Load(&document); err != nil {
		if errors.Is(err, io.EOF) {
			s.noDefinition("is empty")
			return nil
		}
		s.syntax(err, data)
		return nil
	}
	switch err := loader.Load(&second); {
	case err == nil:
		at := &second
		if len(second.Content) > 0 {
			at = second.Content[0]
		}
		s.at(at, "", "", "a second document; write each definition into a file of its own")
		return nil
	case !errors.Is(err, io.EOF):
		s.syntax(err, data)
		return nil
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		s.noDefinition("is no definition")
		return nil
	}
	s.root = document.Content[0]
	if !s.plainNodes(s.root) {
		return nil
	}
	return s.envelope()
}

func (s *source) noDefinition(why string) {
	s.fail(Pos{File: s.file, Line: 1, Col: 1}, "", "", `%s: a definition begins with "apiVersion: %s" and "kind:"`, why, Version)
}

// envelope checks what every definition begins with.
func (s *source) envelope() *source {
	version, kind := s.child(s.root, "apiVersion"), s.child(s.root, "kind")
	switch {
	case version == nil:
		s.at(s.root, "", "begin with apiVersion: "+Version, `"apiVersion" is missing`)
		return nil
	case version.Value != Version:
		s.at(version, "apiVersion", "this candor reads "+Version, "unknown apiVersion %q", version.Value)
		return nil
	case kind == nil:
		s.at(s.root, "", "one of "+strings.Join(kindNames(), ", "), `"kind" is missing`)
		return nil
	}
	s.kind = kind.Value
	if _, known := documents()[s.kind]; !known {
		s.at(kind, "kind", suggest(s.kind, kindNames()), "unknown kind %q", s.kind)
		return nil
	}
	return s
}

// child is the value of a key of a mapping; nil when it is not there.
func (s *source) child(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// plainNodes refuses what makes a file hard to read: anchors, aliases, merge keys and tags. One error is enough.
func (s *source) plainNodes(n *yaml.Node) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		s.at(n, "", "", `an alias ("*%s"): write it out, so that a reader sees what stands here`, n.Value)
		return false
	case n.Anchor != "":
		s.at(n, "", "", `an anchor ("&%s"): write it out where it is used`, n.Anchor)
		return false
	case n.Style&yaml.TaggedStyle != 0:
		s.at(n, "", "", "a tag (%q): what a value is follows from where it stands", n.Tag)
		return false
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && c.Value == "<<" && c.Style == 0 {
			s.at(c, "", "", `a merge key ("<<"): write its keys out`)
			return false
		}
		if !s.plainNodes(c) {
			return false
		}
	}
	return true
}

// syntax takes over an error of the YAML library with its position; what is open when the file ends, with the place where
// it was opened.
func (s *source) syntax(err error, data []byte) {
	pos := Pos{File: s.file, Line: 1, Col: 1}
	msg := err.Error()
	var load *yaml.LoadError
	if errors.As(err, &load) {
		at, opened := load.Mark, load.ContextMark
		msg = load.Message
		if load.ContextMsg != "" && opened.Line > 0 {
			msg += " " + load.ContextMsg
			if at.Line >= len(s.lines) {
				at = opened
			} else if opened.Line != at.Line {
				msg += fmt.Sprintf(" that begins on line %d", opened.Line)
			}
		}
		if pos.Line, pos.Col = max(1, at.Line), max(1, at.Column); at.Line == 0 && at.Index > 0 {
			pos = s.byteAt(data, at.Index)
		}
	}
	for pos.Line > 1 && (pos.Line > len(s.lines) || strings.TrimSpace(s.lines[pos.Line-1]) == "") {
		pos.Line-- // nobody sees the end of a file: show the last line with something on it
		pos.Col = 1
	}
	if strings.HasPrefix(msg, "unknown anchor ") {
		msg = "an alias of an anchor that is not there; write out what shall stand here"
	}
	s.fail(pos, "", "", "%s", strings.TrimPrefix(msg, "yaml: "))
}

// pos is where a node begins.
func (s *source) pos(n *yaml.Node) Pos {
	return Pos{File: s.file, Line: max(1, n.Line), Col: max(1, n.Column)}
}

// at reports a mistake at a node.
func (s *source) at(n *yaml.Node, path, hint, format string, args ...any) {
	s.fail(s.pos(n), path, hint, format, args...)
}

// on reports a mistake at a path: its own place, or that of the nearest parent which has one. What only follows from a
// mistake that Load found is left out.
func (s *source) on(path, hint, format string, args ...any) {
	if faulty((*s.errs)[:s.loaded], s.file, path) {
		return
	}
	for p := path; ; p = parent(p) {
		if pos, known := s.places[p]; known || p == "" {
			if !known {
				pos = Pos{File: s.file, Line: 1, Col: 1}
			}
			s.fail(pos, path, hint, format, args...)
			return
		}
	}
}

// parent cuts the last step off a path.
func parent(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}

// faulty reports whether something at a path of a file, or below or above it, is wrong already.
func faulty(errs ErrorList, file, path string) bool {
	for _, e := range errs {
		if e.Pos.File == file && e.Path != "" && (e.Path == path || within(e.Path, path) || within(path, e.Path)) {
			return true
		}
	}
	return false
}

// within reports whether a path lies below another.
func within(path, above string) bool {
	rest, below := strings.CutPrefix(path, above)
	return below && rest != "" && (rest[0] == '.' || rest[0] == '[')
}

// fail reports a mistake.
func (s *source) fail(pos Pos, path, hint, format string, args ...any) {
	e := &Error{Pos: pos, Path: path, Hint: hint, Msg: fmt.Sprintf(format, args...)}
	if pos.Line <= len(s.lines) {
		e.Line = s.lines[pos.Line-1]
	}
	*s.errs = append(*s.errs, e)
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// suggest is a hint at what was meant: a name that is one or two letters off, or else the names when they are few.
func suggest(got string, names []string) string {
	if hint := near(got, names); hint != "" {
		return hint
	}
	return few(names)
}

// near is a hint at the name that is one letter off, or two where the name is long enough for that to mean something.
func near(got string, names []string) string {
	best, distance := "", 3
	for _, name := range names {
		d := edits(strings.ToLower(got), strings.ToLower(name))
		if d < distance && (d < 2 && len(name) > 1 || d == 2 && len(name) > 5) {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// few is a hint at all names there are, when they are few.
func few(names []string) string {
	shown := make([]string, len(names))
	for i, name := range names {
		if shown[i] = name; strings.Contains(name, " ") {
			shown[i] = strconv.Quote(name)
		}
	}
	switch {
	case len(names) == 0 || len(names) > 5:
		return ""
	case len(names) == 1:
		return "there is only " + shown[0]
	}
	return "one of " + strings.Join(shown, ", ")
}

// edits counts the letters to insert, delete, replace or swap with a neighbour (Damerau–Levenshtein, restricted).
func edits(a, b string) int {
	before, last := []int(nil), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
