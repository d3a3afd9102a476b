package experiments

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"
	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
)

// costLimit bounds what evaluating one expression may cost: what comes from a target can be large.
const costLimit = 1_000_000

// textPlace is where the text of a scalar begins in its file.
type textPlace struct {
	source *source
	pos    Pos
	block  bool // a block scalar: columns within it are not those of the file
}

// bench compiles expressions: one environment for each set of names that can be in sight.
type bench struct {
	services []string // whose names are identifiers
	envs     map[string]*cel.Env
	first    error // the first mistake
}

func newBench(services []string) *bench {
	b := &bench{envs: map[string]*cel.Env{}}
	for _, name := range services {
		if identifier.MatchString(name) && !reserved[name] {
			b.services = append(b.services, name)
		}
	}
	return b
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// reserved names are in sight by themselves, or words of CEL.
var reserved = map[string]bool{"env": true, "marker": true, "run": true, "parameters": true, "services": true, "steps": true,
	"item": true, "status": true, "headers": true, "body": true, "json": true, "elapsed": true, "hops": true, "in": true,
	"true": true, "false": true, "null": true}

// kindsOf are the types of names that have one; all others can be anything.
func kindsOf(name string) *cel.Type {
	switch name {
	case "status", "exit", "restarts":
		return cel.IntType
	case "body", "stdout", "stderr", "state", "health", "marker":
		return cel.StringType
	case "headers", "env", "run":
		return cel.MapType(cel.StringType, cel.StringType)
	case "elapsed":
		return cel.DurationType
	case "connected", "answered":
		return cel.BoolType
	case "parameters", "services", "steps":
		return cel.MapType(cel.StringType, cel.DynType)
	}
	return cel.DynType
}

// inSight are the names that an expression may use in a place, beside those that are always in sight.
var inSight = map[string][]string{
	"always": nil,
	"answer": {"status", "headers", "body", "json", "elapsed", "hops", "answered"},
	"item":   {"item"},
}

var always = []string{"env", "marker", "run", "parameters", "services", "steps"}

// env is the environment with some names in sight; files are looked for in folder.
func (b *bench) env(names []string, folder string) (*cel.Env, error) {
	key := strings.Join(names, ",") + "\x00" + folder
	if env, made := b.envs[key]; made {
		return env, nil
	}
	options := []cel.EnvOption{ext.Strings(), ext.Math(), ext.Sets(), cel.OptionalTypes(), cel.Macros(cel.StandardMacros...), htmlMacro(1), htmlMacro(2),
		cel.Function("html_of", cel.Overload("html_of", []*cel.Type{cel.StringType, cel.StringType, cel.StringType}, cel.StringType,
			cel.FunctionBinding(htmlOf))),
		cel.Function("file", cel.Overload("file", []*cel.Type{cel.StringType}, cel.StringType, cel.UnaryBinding(fileIn(folder))))}
	for _, list := range [][]string{always, names} {
		for _, name := range list {
			options = append(options, cel.Variable(name, kindsOf(name)))
		}
	}
	for _, name := range b.services {
		options = append(options, cel.Variable(name, cel.MapType(cel.StringType, cel.DynType)))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("prepare expressions: %w", err)
	}
	b.envs[key] = env
	return env, nil
}

// htmlMacro makes html(selector[, attribute]) look into the body that is in sight.
func htmlMacro(args int) cel.EnvOption {
	return cel.Macros(cel.GlobalMacro("html", args, func(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
		if len(args) == 1 {
			args = append(args, f.NewLiteral(types.String("")))
		}
		return f.NewCall("html_of", append([]ast.Expr{f.NewIdent("body")}, args...)...), nil
	}))
}

// htmlOf finds the first element that a CSS selector matches and gives its attribute, or its text where none is named.
func htmlOf(args ...ref.Val) ref.Val {
	var texts [3]string
	for i, a := range args {
		texts[i], _ = a.Value().(string)
	}
	selector, err := cascadia.Parse(texts[1])
	if err != nil {
		return types.NewErr("html: %q is no CSS selector: %v", texts[1], err)
	}
	root, err := html.Parse(strings.NewReader(texts[0]))
	if err != nil {
		return types.NewErr("html: %v", err)
	}
	found := cascadia.Query(root, selector)
	if found == nil {
		return types.NewErr("html: nothing matches %q", texts[1])
	}
	if texts[2] == "" {
		return types.String(strings.Join(strings.Fields(textOf(found)), " "))
	}
	for _, a := range found.Attr {
		if a.Key == texts[2] {
			return types.String(a.Val)
		}
	}
	return types.NewErr("html: %q has no attribute %q", texts[1], texts[2])
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for c := range n.ChildNodes() {
		b.WriteString(textOf(c))
		b.WriteByte(' ')
	}
	return b.String()
}

// fileIn reads small files, relative to a folder, without their last line end: where secrets are kept.
func fileIn(folder string) func(ref.Val) ref.Val {
	return func(name ref.Val) ref.Val {
		path, _ := name.Value().(string)
		text, err := readSmall(folder, path)
		if err != nil {
			return types.WrapErr(err)
		}
		return types.String(text)
	}
}

func readSmall(folder, path string) (string, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(folder, path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("file: %w", err)
	}
	if len(data) > sizeLimit {
		return "", fmt.Errorf("file %s is longer than %d MiB", path, sizeLimit>>20)
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

// wants is what an expression has to be.
type wants uint8

const (
	anything wants = iota
	condition
)

// compile compiles one expression. What is wrong with it is reported at its place.
func (b *bench) compile(e *Expr, names []string, want wants) error {
	folder := ""
	if e.at.source != nil {
		folder = filepath.Dir(e.at.source.file)
	}
	env, err := b.env(names, folder)
	if err != nil {
		return err
	}
	checked, issues := env.Compile(e.Source)
	if issues.Err() != nil {
		for _, i := range issues.Errors() {
			e.at.fail(e.Source, i.Location.Line(), i.Location.Column(), i.Message)
		}
		return b.wrong(fmt.Errorf("compile %q: %w", e.Source, issues.Err()))
	}
	if want == condition && checked.OutputType() != cel.BoolType && checked.OutputType() != cel.DynType {
		e.at.fail(e.Source, 1, 0, fmt.Sprintf("a condition has to be true or false, and this is %s", typeWords(checked.OutputType())))
		return b.wrong(fmt.Errorf("%q is not a condition", e.Source))
	}
	e.program, err = env.Program(checked, cel.CostLimit(costLimit))
	if err != nil {
		return fmt.Errorf("compile %q: %w", e.Source, err)
	}
	return nil
}

func (b *bench) wrong(err error) error {
	if b.first == nil {
		b.first = err
	}
	return err
}

func typeWords(t *cel.Type) string {
	words := map[string]string{"int": "a whole number", "double": "a number", "string": "text", "google.protobuf.Duration": "a duration"}[t.String()]
	if words == "" {
		return t.String()
	}
	return words
}

// fail reports a mistake at a line (from 1) and column (from 0) of the text.
func (p textPlace) fail(text string, line, column int, msg string) {
	if p.source == nil {
		return
	}
	pos := p.pos
	if p.block || line > 1 {
		pos.Line += line - 1
		pos.Col = 1
		if pos.Line <= len(p.source.lines) {
			shown := p.source.lines[pos.Line-1]
			pos.Col = len(shown) - len(strings.TrimLeft(shown, " ")) + column + 1
		}
	} else {
		pos.Col += column
	}
	msg, hint := celWords(msg)
	p.source.fail(pos, "", hint, "%s", msg)
}

var (
	undeclared = regexp.MustCompile(`undeclared reference to '([^']+)'.*`)
	noOverload = regexp.MustCompile(`found no matching overload for '([^']+)' applied to '([^']+)'.*`)
	operators  = strings.NewReplacer("_==_", "==", "_!=_", "!=", "_<_", "<", "_<=_", "<=", "_>_", ">", "_>=_", ">=", "_&&_", "&&",
		"_||_", "||", "_+_", "+", "_-_", "-", "_*_", "*", "_/_", "/", "@in", "in", "!_", "!")
)

// celWords puts the library's messages into the words of all others.
func celWords(msg string) (text, hint string) {
	if m := undeclared.FindStringSubmatch(msg); m != nil {
		names := []string{"status", "headers", "body", "json", "elapsed", "hops", "env", "marker", "run", "parameters", "services", "steps", "item"}
		return fmt.Sprintf("unknown name %q in an expression", m[1]), suggest(m[1], names)
	}
	if m := noOverload.FindStringSubmatch(msg); m != nil {
		return fmt.Sprintf("%q cannot be applied to %s", operators.Replace(m[1]), m[2]), ""
	}
	if rest, syntax := strings.CutPrefix(msg, "Syntax error: "); syntax {
		return "expression: " + rest, ""
	}
	return "expression: " + msg, ""
}

// template compiles the expressions between {{ and }}.
func (b *bench) template(t *Template, names []string) error {
	t.parts = []part{}
	rest, offset := t.Source, 0
	for {
		before, after, found := strings.Cut(rest, "{{")
		if before != "" {
			t.parts = append(t.parts, part{text: before})
		}
		if !found {
			return nil
		}
		inner, tail, closed := strings.Cut(after, "}}")
		start := offset + len(before) + len("{{")
		if !closed {
			t.at.fail(t.Source, 1, start-2, `"{{" without "}}"`)
			return b.wrong(fmt.Errorf("%q is not closed", t.Source))
		}
		lead := len(inner) - len(strings.TrimLeft(inner, " \t\n"))
		line, column := 1, start+lead
		if head := t.Source[:start+lead]; strings.Contains(head, "\n") {
			line += strings.Count(head, "\n")
			column = len(head) - strings.LastIndexByte(head, '\n') - 1
		}
		e := Expr{Source: strings.TrimSpace(inner), at: t.at.shift(line, column)}
		if err := b.compile(&e, names, anything); err != nil {
			return err
		}
		t.parts = append(t.parts, part{expr: e})
		offset = start + len(inner) + len("}}")
		rest = tail
	}
}

// shift is the place of a later part of the text.
func (p textPlace) shift(line, column int) textPlace {
	if p.block || line > 1 {
		p.pos.Line += line - 1
		return p
	}
	p.pos.Col += column
	return p
}

// plain turns a value of CEL into what Go code expects.
func plain(v ref.Val) (any, error) {
	switch value := v.(type) {
	case types.Duration:
		return value.Duration, nil
	case types.Timestamp:
		return value.Time, nil
	case types.Null:
		return nil, nil
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
	case *types.Err:
		return nil, value
	}
	if d, is := v.Value().(time.Duration); is {
		return d, nil
	}
	return v.Value(), nil
}
