package honesty

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/candor-chaos/candor/experiments"
)

// TestAllListsEveryRule parses the package and names the rule that somebody forgot.
func TestAllListsEveryRule(t *testing.T) {
	declared, listed := map[string]string{}, map[string]bool{}
	names := map[string][]string{} // that the functions of catalog.go mention
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range files {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			f, is := decl.(*ast.FuncDecl)
			if !is {
				continue
			}
			if returnsRule(f) {
				declared[f.Name.Name] = name
			}
			if name == "catalog.go" {
				ast.Inspect(f.Body, func(n ast.Node) bool {
					if id, is := n.(*ast.Ident); is {
						names[f.Name.Name] = append(names[f.Name.Name], id.Name)
					}
					return true
				})
			}
		}
	}
	for _, family := range names["All"] {
		for _, rule := range names[family] {
			listed[rule] = true
		}
	}
	if len(declared) == 0 {
		t.Fatal("no rule was found at all")
	}
	for name, file := range declared {
		if !listed[name] {
			t.Errorf("%s declares %s, but catalog.go does not list it", file, name)
		}
	}
}

func returnsRule(f *ast.FuncDecl) bool {
	if f.Recv != nil || f.Type.Results == nil || len(f.Type.Results.List) != 1 {
		return false
	}
	id, is := f.Type.Results.List[0].Type.(*ast.Ident)
	return is && id.Name == "Rule"
}

func TestEveryRuleIsNamedOnce(t *testing.T) {
	infos := Infos()
	count := map[string]int{}
	var grave []string
	for _, r := range infos {
		count[r.ID]++
		if r.Name == "" || r.Level == "" || r.Doc == "" {
			t.Errorf("%s lacks its name, level or doc", r.ID)
		}
		if strings.HasPrefix(r.ID, "MT-") != (r.Severity == "") {
			t.Errorf("%s has severity %q: all but the rules about candor itself have one", r.ID, r.Severity)
		}
		if r.Severity == experiments.S1 {
			grave = append(grave, r.ID)
		}
	}
	for id, n := range count {
		if n != 1 {
			t.Errorf("%s is named %d times", id, n)
		}
	}
	if len(infos) != 88 {
		t.Errorf("%d rules are named; want 82 and 6", len(infos))
	}
	slices.Sort(grave)
	want := strings.Fields("CL-01 CL-02 CL-03 CL-04 CL-06 CL-08 CL-09 CL-10 CL-11 HT-09 LK-06 LK-07 RC-03 RC-04 RC-10 SP-01 ST-01 ST-02 ST-04 TX-02")
	diff(t, "rules that are always S1", want, grave)
}

func TestBuiltRulesExplainThemselves(t *testing.T) {
	for _, rule := range All() {
		info := rule.Info
		if info.Check == "" || info.Guard == "" || info.Source == "" || info.Example == "" {
			t.Errorf("%s lacks its check, guard, source or example", info.ID)
		}
		if !contains(info.Check, "Exercised") && info.ID != "MT-05" {
			t.Errorf("%s does not say when it is exercised", info.ID)
		}
	}
}

// TestUnbuiltStandsInEveryResult: a rule that is missing is a hole that must be seen.
func TestUnbuiltStandsInEveryResult(t *testing.T) {
	r := newStory().judge()
	for _, info := range unbuilt {
		if got := ruleOf(t, r, info.ID); got.Verdict != experiments.NotExercised || got.Exercised != 0 {
			t.Errorf("%s = %+v; want not-exercised", info.ID, got)
		}
	}
}
