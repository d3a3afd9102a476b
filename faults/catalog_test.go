package faults_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/faults"
)

// kindsIn lists the kinds that a folder's files declare, and what is wrong with the catalog of that folder.
func kindsIn(dir string) (declared, wrong []string, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, nil, err
	}
	listed := map[string][]string{}
	where := map[string]string{} // the function that has to list a kind
	file := map[string]string{}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, nil, err
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if filepath.Base(path) == "catalog.go" {
					listed[d.Name.Name] = identifiers(d.Body)
				}
			case *ast.GenDecl:
				for name, internal := range kindVars(d) {
					declared = append(declared, name)
					file[name], where[name] = filepath.Base(path), "All"
					if internal {
						where[name] = "Obligations"
					}
				}
			}
		}
	}
	for _, name := range declared {
		if !slices.Contains(listed[where[name]], name) {
			wrong = append(wrong, fmt.Sprintf("%s declares %s, but %s in catalog.go does not list it", file[name], name, where[name]))
		}
	}
	return declared, wrong, nil
}

// kindVars finds `var X = Kind{…}` and whether it says Internal: true.
func kindVars(d *ast.GenDecl) map[string]bool {
	kinds := map[string]bool{}
	for _, s := range d.Specs {
		v, ok := s.(*ast.ValueSpec)
		if !ok || d.Tok != token.VAR {
			continue
		}
		for i, value := range v.Values {
			lit, ok := value.(*ast.CompositeLit)
			if !ok {
				continue
			}
			if t, ok := lit.Type.(*ast.Ident); ok && t.Name == "Kind" {
				kinds[v.Names[i].Name] = slices.ContainsFunc(lit.Elts, func(e ast.Expr) bool {
					kv, ok := e.(*ast.KeyValueExpr)
					return ok && kv.Key.(*ast.Ident).Name == "Internal"
				})
			}
		}
	}
	return kinds
}

func identifiers(n ast.Node) []string {
	var all []string
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			all = append(all, id.Name)
		}
		return true
	})
	return all
}

func TestCatalogIsComplete(t *testing.T) {
	declared, wrong, err := kindsIn(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(declared) == 0 {
		t.Fatal("no kind was found: the test looks in the wrong place")
	}
	for _, w := range wrong {
		t.Error(w)
	}
	if got := len(faults.Obligations()); got != len(declared) {
		t.Errorf("Obligations lists %d kinds, and the files declare %d: %v", got, len(declared), declared)
	}
}

func TestCatalogTestCatches(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"clock.go":   "package faults\n\nvar Clock = Kind{Name: \"clock\"}\n",
		"owed.go":    "package faults\n\nvar Owed = Kind{Name: \"owed\", Internal: true}\n",
		"pause.go":   "package faults\n\nvar Pause = Kind{Name: \"pause\"}\n",
		"catalog.go": "package faults\n\nfunc All() []Kind { return []Kind{Pause} }\n\nfunc Obligations() []Kind { return All() }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, wrong, err := kindsIn(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"clock.go declares Clock, but All in catalog.go does not list it",
		"owed.go declares Owed, but Obligations in catalog.go does not list it",
	}
	if diff := cmp.Diff(want, wrong); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestKindsDescribeThemselves(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range faults.Obligations() {
		if k.Doc == "" || k.Example == "" || k.New == nil || k.Needs == nil || k.Reach == nil {
			t.Errorf("%s lacks one of Doc, Example, New, Needs, Reach", k.Name)
		}
		if seen[k.Name] {
			t.Errorf("two kinds are called %s", k.Name)
		}
		seen[k.Name] = true
		if got, ok := faults.Lookup(faults.Obligations(), k.Name); !ok || got.Name != k.Name {
			t.Errorf("Lookup(%q) = %q, %v", k.Name, got.Name, ok)
		}
	}
	for _, k := range faults.All() {
		if k.Internal {
			t.Errorf("All offers %s, which users cannot write", k.Name)
		}
	}
}
