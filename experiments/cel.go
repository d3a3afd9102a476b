package experiments

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
)

// costLimit bounds what evaluating one expression may cost: what comes from a target can be large.
const costLimit = 1_000_000

// bench compiles expressions: one environment for each set of names that can be in sight.
type bench struct {
	known
	idents []string // services whose names are identifiers
	envs   map[string]*cel.Env
	first  error // the first mistake
	pages  bool  // the journey at hand goes through a browser: its answers are pages
}

func newBench(services []string) *bench {
	b := &bench{envs: map[string]*cel.Env{}}
	for _, name := range services {
		if identifier.MatchString(name) && !reserved[name] {
			b.idents = append(b.idents, name)
		}
	}
	return b
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// reserved names are in sight by themselves, or words of CEL.
var reserved = map[string]bool{"env": true, "marker": true, "visitor": true, "run": true, "parameters": true, "services": true, "steps": true, "needs": true,
	"item": true, "status": true, "headers": true, "body": true, "json": true, "elapsed": true, "hops": true, "answered": true, "page": true,
	"connected": true, "exit": true, "stdout": true, "stderr": true, "state": true, "health": true, "restarts": true,
	"rows": true, "value": true, "count": true, "lines": true,
	"file": true, "html": true, "html_of": true, "in": true, "true": true, "false": true, "null": true, "as": true,
	"break": true, "const": true, "continue": true, "else": true, "for": true, "function": true, "if": true, "import": true,
	"let": true, "loop": true, "package": true, "namespace": true, "return": true, "var": true, "void": true, "while": true}

// typeOf are the types of names that have one; all others can be anything.
func typeOf(name string) *cel.Type {
	switch name {
	case "status", "exit", "restarts", "count":
		return cel.IntType
	case "body", "stdout", "stderr", "state", "health", "marker":
		return cel.StringType
	case "headers", "env", "run", "visitor":
		return cel.MapType(cel.StringType, cel.StringType)
	case "elapsed":
		return cel.DurationType
	case "connected", "answered":
		return cel.BoolType
	case "rows":
		return cel.ListType(cel.MapType(cel.StringType, cel.DynType))
	case "lines":
		return cel.ListType(cel.StringType)
	case "parameters", "services", "steps", "needs", "page":
		return cel.MapType(cel.StringType, cel.DynType)
	}
	return cel.DynType
}

// inSight are the names that an expression may use in a place. The addresses of services cannot build on each other.
func (b *bench) inSight(at spot) []string {
	always := []string{"env", "parameters", "run"}
	if at.place == "address" {
		return always
	}
	if always = append(always, "services"); at.place == "launch" {
		return append(append(always, b.idents...), "needs")
	}
	if !at.lone {
		always = append(always, "marker", "steps", "visitor")
	}
	always = append(always, b.idents...)
	switch at.place {
	case "answer":
		if b.pages && !at.lone { // a reader is no page
			return append(always, "page", "elapsed", "answered")
		}
		return append(always, "status", "headers", "body", "json", "elapsed", "hops", "answered")
	case "item":
		return append(always, "item")
	case "probe":
		return append(always, at.sees...)
	}
	return always
}

// env is the environment with some names in sight; files are looked for in folder.
func (b *bench) env(names []string, folder string) (*cel.Env, error) {
	key := strings.Join(names, ",") + "\x00" + folder
	if env, made := b.envs[key]; made {
		return env, nil
	}
	options := []cel.EnvOption{ext.Strings(), ext.Math(), ext.Sets(), cel.OptionalTypes(), cel.CrossTypeNumericComparisons(true),
		cel.Macros(cel.StandardMacros...),
		cel.Function("file", cel.Overload("file", []*cel.Type{cel.StringType}, cel.StringType, cel.UnaryBinding(fileIn(folder))))}
	if slices.Contains(names, "body") {
		options = append(options, htmlMacro(1), htmlMacro(2),
			cel.Function("html_of", cel.Overload("html_of", []*cel.Type{cel.StringType, cel.StringType, cel.StringType}, cel.StringType,
				cel.FunctionBinding(htmlOf))))
	}
	if slices.Contains(names, "page") {
		options = append(options, cel.Function("says", cel.MemberOverload("page_says", []*cel.Type{cel.MapType(cel.StringType, cel.DynType), cel.StringType},
			cel.BoolType, cel.BinaryBinding(pageSays))))
	}
	for _, name := range names {
		kind := typeOf(name)
		if slices.Contains(b.idents, name) {
			kind = cel.MapType(cel.StringType, cel.DynType)
		}
		options = append(options, cel.Variable(name, kind))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("prepare expressions: %w", err)
	}
	b.envs[key] = env
	return env, nil
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
	info, err := os.Stat(path)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > sizeLimit) {
		err = fmt.Errorf("file %s is no plain file of at most %d MiB", path, sizeLimit>>20)
	}
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

// wants is what an expression has to be.
type wants uint8

const (
	anything wants = iota
	condition
	lasting
)

// errMistake is what Bind wraps, since a value made in Go has no places.
var errMistake = errors.New("the expression has a mistake")

// syntaxOnly is how the library begins what its parser says.
const syntaxOnly = "Syntax error: "

// compile compiles one expression. What is wrong with it is reported at its place, and counted.
func (b *bench) compile(e *Expr, names []string, want wants) (mistakes int) {
	last := utf8.RuneCountInString(strings.TrimRight(e.Source, " \t\n"))
	wrong := func(at int, hint, format string, args ...any) {
		mistakes++
		at = min(at, last) // what is missing at the end is missing after the last word, not on an empty line
		if b.first == nil {
			b.first = fmt.Errorf("%q: %w: %s", e.Source, errMistake, fmt.Sprintf(format, args...))
		}
		e.at.fail(at, hint, format, args...)
	}
	env, err := b.env(names, e.folder())
	if err != nil {
		wrong(0, "", "%v", err)
		return mistakes
	}
	checked, issues := env.Compile(e.Source)
	if issues.Err() != nil {
		for _, i := range issues.Errors() {
			text, hint := celWords(i.Message, names)
			wrong(character(e.Source, i.Location), hint, "%s", text)
			if strings.HasPrefix(i.Message, syntaxOnly) {
				break // what follows is confusion
			}
		}
		return mistakes
	}
	if e.uses = b.lookUp(checked, wrong); mistakes > 0 {
		return mistakes
	}
	switch t := checked.OutputType(); {
	case t == cel.DynType || want == anything:
	case want == condition && t != cel.BoolType:
		wrong(0, "", "a condition has to be true or false, and this is %s", typeWords(t.String()))
	case want == lasting && t != cel.DurationType:
		wrong(0, `write duration("30s")`, "a duration is wanted here, and this is %s", typeWords(t.String()))
	}
	if e.program, err = env.Program(checked, cel.CostLimit(costLimit)); err != nil {
		wrong(0, "", "%v", err)
	}
	return mistakes
}

// folder is where an expression's file lies.
func (e Expr) folder() string {
	if e.at.source == nil {
		return ""
	}
	return filepath.Dir(e.at.source.file)
}
