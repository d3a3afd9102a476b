package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A rule that nobody enforces is a wish. These tests read the source of the whole module and hold it to the house's own.

const module = "github.com/candor-chaos/candor"

// goFile is one parsed file of the module.
type goFile struct {
	path string // relative to the module's root, with slashes
	ast  *ast.File
	fset *token.FileSet
}

func (f goFile) dir() string  { return path.Dir(f.path) }
func (f goFile) test() bool   { return strings.HasSuffix(f.path, "_test.go") }
func (f goFile) room() string { room, _, _ := strings.Cut(f.path, "/"); return room }

func house(t *testing.T) []goFile {
	t.Helper()
	root := filepath.Join("..", "..")
	var files []goFile
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "bin" || (strings.HasPrefix(d.Name(), ".") && p != root)) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		files = append(files, goFile{path: filepath.ToSlash(rel), ast: parsed, fset: fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("found only %d Go files: the house was not read", len(files))
	}
	return files
}

func TestHouseTopLevel(t *testing.T) {
	out, err := exec.Command("git", "-C", filepath.Join("..", ".."), "ls-files").Output()
	if err != nil {
		t.Fatalf("list the files that git tracks: %v", err)
	}
	allowed := regexp.MustCompile(`^(cmd/|experiments/|faults/|runbooks/|testdata/|go\.mod$|go\.sum$|Makefile$|README\.md$|LICENSE$|\.)`)
	for line := range strings.Lines(string(out)) {
		if name := strings.TrimSpace(line); !allowed.MatchString(name) {
			t.Errorf("%s stands at the top of the house, where only the decided entries are", name)
		}
	}
}

// TestHouseImports holds the one direction: cmd → runbooks → experiments → faults, subpackages import their root and
// never the other way.
func TestHouseImports(t *testing.T) {
	rank := map[string]int{"faults": 0, "experiments": 1, "runbooks": 2, "cmd": 3}
	for _, f := range house(t) {
		for _, spec := range f.ast.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if testsOnly(target) && !f.test() && f.dir() != "faults/faulttest" {
				t.Errorf("%s imports %s, which is for tests", f.path, target)
			}
			ours, found := strings.CutPrefix(target, module+"/")
			if !found {
				continue
			}
			room, _, nested := strings.Cut(ours, "/")
			switch {
			case f.dir() == "experiments/demo":
				t.Errorf("%s imports %s: the bookshop is somebody else's program", f.path, target)
			case room == "cmd":
				if f.room() != "cmd" {
					t.Errorf("%s imports %s: nobody imports cmd", f.path, target)
				}
			case rank[room] > rank[f.room()]:
				t.Errorf("%s imports %s: imports run cmd → runbooks → experiments → faults", f.path, target)
			case room == f.room() && nested && f.dir() == room && !f.test():
				t.Errorf("%s imports %s: a root package imports none of its subpackages", f.path, target)
			}
		}
	}
}

func testsOnly(target string) bool {
	for _, prefix := range []string{"github.com/google/go-cmp", "github.com/rogpeppe/go-internal", "go.uber.org/goleak", "pgregory.net/rapid", "testing"} {
		if target == prefix || strings.HasPrefix(target, prefix+"/") {
			return true
		}
	}
	return false
}

func TestHousePackageComments(t *testing.T) {
	comments := map[string][]string{}
	packages := map[string]bool{}
	for _, f := range house(t) {
		if f.test() {
			continue
		}
		packages[f.dir()] = true
		if f.ast.Doc != nil {
			comments[f.dir()] = append(comments[f.dir()], f.path)
		}
		name := f.ast.Name.Name
		if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "types", "base", "lib"}, name) {
			t.Errorf("%s: package %s says nothing about what is in it", f.path, name)
		}
	}
	for dir := range packages {
		if n := len(comments[dir]); n != 1 {
			t.Errorf("%s has %d package comments (%v); want one", dir, n, comments[dir])
		}
	}
}

// TestHouseHabits holds what must not be in any file outside tests: init, mutable package state, and reaching for what
// only main may know.
func TestHouseHabits(t *testing.T) {
	for _, f := range house(t) {
		if f.test() || f.dir() == "faults/faulttest" { // the suite is a test that real worlds run too
			continue
		}
		for _, decl := range f.ast.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					t.Errorf("%s: has an init; nothing happens at import", f.path)
				}
				if n := lines(f.fset, d); n > 80 {
					t.Errorf("%s: func %s has %d lines; at most 80", f.path, d.Name.Name, n)
				}
			case *ast.GenDecl:
				checkVariables(t, f, d)
			}
		}
		if n := f.fset.Position(f.ast.End()).Line; n > 400 {
			t.Errorf("%s has %d lines; at most 400", f.path, n)
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				checkReach(t, f, sel)
			}
			if face, ok := n.(*ast.InterfaceType); ok && face.Methods.NumFields() > 4 {
				t.Errorf("%s: an interface has %d methods; at most 4", f.fset.Position(n.Pos()), face.Methods.NumFields())
			}
			return true
		})
	}
}

func lines(fset *token.FileSet, n ast.Node) int {
	return fset.Position(n.End()).Line - fset.Position(n.Pos()).Line + 1
}

// checkVariables allows sentinels (errors.New, fmt.Errorf), literal tables, compiled patterns and assertions.
func checkVariables(t *testing.T, f goFile, d *ast.GenDecl) {
	if d.Tok != token.VAR {
		return
	}
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		embedded := d.Doc != nil && strings.Contains(commentText(d.Doc), "go:embed")
		if embedded || v.Names[0].Name == "_" || (f.path == "cmd/candor/main.go" && v.Names[0].Name == "version") {
			continue
		}
		if len(v.Values) == 0 {
			t.Errorf("%s: var %s has no value: package state", f.fset.Position(v.Pos()), v.Names[0].Name)
		}
		for _, value := range v.Values {
			if !constant(value) {
				t.Errorf("%s: var %s is neither a sentinel nor a literal table", f.fset.Position(v.Pos()), v.Names[0].Name)
			}
		}
	}
}

func commentText(g *ast.CommentGroup) string {
	var b strings.Builder
	for _, c := range g.List {
		b.WriteString(c.Text)
	}
	return b.String()
}

func constant(value ast.Expr) bool {
	switch v := value.(type) {
	case *ast.CompositeLit, *ast.BasicLit, *ast.FuncLit:
		return true
	case *ast.UnaryExpr:
		return constant(v.X)
	case *ast.CallExpr:
		if sel, ok := v.Fun.(*ast.SelectorExpr); ok {
			if pkg, ok := sel.X.(*ast.Ident); ok {
				call := pkg.Name + "." + sel.Sel.Name
				return slices.Contains([]string{"errors.New", "fmt.Errorf", "regexp.MustCompile", "strings.NewReplacer", "template.Must", "lipgloss.NewStyle", "reflect.TypeFor"}, call)
			}
		}
	}
	return false
}

// checkReach keeps the process's own things in main.
func checkReach(t *testing.T, f goFile, sel *ast.SelectorExpr) {
	pkg, ok := sel.X.(*ast.Ident)
	if !ok || f.path == "cmd/candor/main.go" {
		return
	}
	switch pkg.Name + "." + sel.Sel.Name {
	case "os.Exit", "os.Stdin", "os.Stdout", "os.Stderr", "os.Args", "signal.Notify", "signal.NotifyContext", "context.Background", "context.TODO":
		t.Errorf("%s: %s.%s belongs in main", f.fset.Position(sel.Pos()), pkg.Name, sel.Sel.Name)
	case "time.Sleep":
		t.Errorf("%s: a sleep is deaf to its context", f.fset.Position(sel.Pos()))
	}
}
