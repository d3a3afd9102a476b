package experiments_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/journeys"
)

func environment() map[string]string {
	return map[string]string{"SHOP_HOST": "shop.test", "ORDERS_DB": "postgres://candor:s3cret@127.0.0.1/orders"}
}

func TestResolveFillsWhatExpressionsSee(t *testing.T) {
	p, folder := mustCompile(t, nil)
	if p.Exec.Root != folder {
		t.Errorf("root is %q, want %q", p.Exec.Root, folder)
	}
	if err := p.Exec.Resolve(environment(), experiments.RunNames{ID: "r1", Prefix: "cdr-r1-"}); err != nil {
		t.Fatal(err)
	}
	seen := p.Exec.Vars.With(experiments.Vars{"marker": "cdr-r1-7",
		"steps": map[string]any{"sign in": map[string]any{"csrf": "t0k"}, "basket": map[string]any{"no": int64(9)}}})
	order, is := p.Exec.Journeys[0].Steps[1].Action.(*journeys.Request)
	if !is {
		t.Fatalf("action is %T", p.Exec.Journeys[0].Steps[1].Action)
	}
	expand := func(text experiments.Template) string {
		got, err := text.Expand(seen)
		if err != nil {
			t.Error(err)
		}
		return got
	}
	body, err := order.JSON.Expand(seen)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{"post": expand(order.Post), "key": expand(order.Headers["Idempotency-Key"]), "csrf": expand(order.Headers["X-Csrf"]), "json": body,
		"parameter": expand(p.Exec.Journeys[0].Steps[0].Action.(*journeys.Request).Get),
		"file":      expand(p.Exec.Journeys[0].Setup[0].Action.(*journeys.Request).Form["token"])}
	want := map[string]any{"post": "http://shop.test:18080/api/orders", "key": "cdr-r1-7", "csrf": "t0k",
		"json":      map[string]any{"book": 42, "basket": int64(9), "note": "cdr-r1-7", "due": "2027-01-31"},
		"parameter": "/basket?book=42", "file": "let-me-in"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("expanded (-want +got):\n%s", diff)
	}
}

func TestResolveSaysWhereAVariableIsMissing(t *testing.T) {
	p, folder := mustCompile(t, nil)
	err := p.Exec.Resolve(map[string]string{"SHOP_HOST": "shop.test"}, experiments.RunNames{})
	var list experiments.ErrorList
	if !errors.As(err, &list) || len(list) != 1 {
		t.Fatalf("got %v", err)
	}
	file := filepath.Join(folder, "journeys", "buy-a-book.yaml")
	line, col := placeOf(t, file, "env.ORDERS_DB")
	want := experiments.Pos{File: file, Line: line, Col: col}
	if list[0].Pos != want || list[0].Msg != "environment variable ORDERS_DB is not set" {
		t.Errorf("got %v, want it at %v", list[0], want)
	}
	names := p.Exec.EnvNames()
	if len(names) != 2 || names[0].Name != "SHOP_HOST" || names[1] != (experiments.EnvName{Name: "ORDERS_DB", Pos: want}) {
		t.Errorf("names of the environment: %v", names)
	}
}

// placeOf finds a text in a file.
func placeOf(t *testing.T, file, text string) (line, col int) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range strings.Split(string(data), "\n") {
		if at := strings.Index(l, text); at >= 0 {
			return i + 1, at + 1
		}
	}
	t.Fatalf("%s does not hold %q", file, text)
	return 0, 0
}

func TestResolveSaysWhichFileIsMissing(t *testing.T) {
	p, folder := mustCompile(t, nil)
	if err := os.Remove(filepath.Join(folder, "journeys", "login.txt")); err != nil {
		t.Fatal(err)
	}
	err := p.Exec.Resolve(environment(), experiments.RunNames{})
	want := `file "login.txt" cannot be read: no such file or directory`
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestSecretsAreWhatCameFromOutside(t *testing.T) {
	p, _ := mustCompile(t, nil)
	env := environment()
	env["UNUSED"] = "never named"
	if err := p.Exec.Resolve(env, experiments.RunNames{}); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"SHOP_HOST": "shop.test", "ORDERS_DB": env["ORDERS_DB"], "login.txt": "let-me-in"}
	if diff := cmp.Diff(want, p.Exec.Secrets()); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
}

func TestExperimentParametersOutrankThoseOfTheSystem(t *testing.T) {
	p, _ := mustCompile(t, nil)
	if err := p.Exec.Resolve(environment(), experiments.RunNames{}); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(p.Exec.Vars["parameters"])
	if want := fmt.Sprint(map[string]any{"book": 42, "shelf": "quiet"}); got != want {
		t.Errorf("parameters are %s, want %s", got, want)
	}
}

func TestSystemIsFoundUpwards(t *testing.T) {
	_, folder := mustCompile(t, nil)
	t.Chdir(filepath.Join(folder, "journeys"))
	if err := os.WriteFile("broken.yaml", []byte("apiVersion: candor/v1\nkind: Journey\nname: a\nsurface: http\nsteps: [{get: \"{{ wbe.url }}\"}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := experiments.Validate([]string{"broken.yaml"}, experiments.LoadOptions{Catalog: catalog()})
	want := "broken.yaml:5:19: unknown name \"wbe\" in an expression\n    5 | steps: [{get: \"{{ wbe.url }}\"}]\n      |                   ^ did you mean \"web\"?"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if err := os.Rename(filepath.Join(folder, "candor.yaml"), filepath.Join(folder, "other.yaml")); err != nil {
		t.Fatal(err)
	}
	if _, err := experiments.Validate([]string{"browse.yaml"}, experiments.LoadOptions{Catalog: catalog()}); err == nil || !strings.Contains(err.Error(), "no candor.yaml here or in any folder above") {
		t.Errorf("without a system: %v", err)
	}
	if _, err := experiments.Validate([]string{"browse.yaml"}, experiments.LoadOptions{System: "../other.yaml", Catalog: catalog()}); err != nil {
		t.Errorf("with a named system: %v", err)
	}
}
