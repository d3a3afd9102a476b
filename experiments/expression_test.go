package experiments_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/experiments"
)

// bound is a definition with an expression, a template and a tree in it.
type bound struct {
	Expr     experiments.Expr     `yaml:"expr" env:"answer"`
	Template experiments.Template `yaml:"template" env:"answer"`
	Tree     experiments.Tree     `yaml:"tree" env:"answer"`
}

func answer() experiments.Vars {
	return experiments.Vars{
		"status": int64(201), "headers": map[string]string{"content-type": "text/html"}, "elapsed": 1500 * time.Millisecond,
		"body": `<h1>Your  <b>order</b></h1><form><input name="csrf" value="t0k"></form><p class=no></p>`,
		"json": map[string]any{"no": int64(3), "price": 2.5, "state": "placed", "lines": []any{map[string]any{"id": int64(7)}}, "none": nil},
		"hops": []any{map[string]any{"status": int64(302)}}, "answered": true, "marker": "cdr-1-1",
		"env": map[string]string{"USER": "ann"}, "run": map[string]string{"id": "r", "prefix": "cdr-"}, "parameters": map[string]any{"n": 4},
		"services": map[string]any{"orders-db": map[string]any{"port": int64(5432)}}, "web": map[string]any{"url": "http://w"},
		"steps": map[string]any{"place order": map[string]any{"json": map[string]any{"id": int64(12)}}},
	}
}

func TestExpressions(t *testing.T) {
	for source, want := range map[string]any{
		"status":                                int64(201),
		"json.no == 3":                          true,
		"json.no < 3.5 && json.price > 2":       true,
		"json.lines[0].id":                      int64(7),
		"json.lines.exists(l, l.id == 7)":       true,
		"steps['place order'].json.id + 1":      int64(13),
		"services['orders-db'].port":            int64(5432),
		"web.url + '/x'":                        "http://w/x",
		"elapsed < duration('2s')":              true,
		"elapsed":                               1500 * time.Millisecond,
		"duration(string(json.no) + 's')":       3 * time.Second,
		"timestamp('2027-01-31T00:00:00Z')":     time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC),
		"headers['content-type']":               "text/html",
		"headers[?'etag'].orValue('without')":   "without",
		"has(json.missing)":                     false,
		"hops.map(h, h.status)":                 []any{int64(302)},
		"{'a': 1, 'b': [json.price]}":           map[string]any{"a": int64(1), "b": []any{2.5}},
		"json.lines.exists(web, web.id == 7)":   true,
		"json.none":                             nil,
		"env.USER":                              "ann",
		"run.prefix + marker":                   "cdr-cdr-1-1",
		"parameters.n * 2":                      int64(8),
		`html("h1")`:                            "Your order",
		`html("input[name=csrf]", "value")`:     "t0k",
		`html("p.no")`:                          "",
		"json.state.matches('^pl') || false":    true,
		"sets.contains([1, 2], [status - 200])": true,
	} {
		t.Run(source, func(t *testing.T) {
			b := bound{Expr: experiments.Expr{Source: source}}
			if err := experiments.Bind(&b, nil, []string{"web", "orders-db"}); err != nil {
				t.Fatal(err)
			}
			got, err := b.Expr.Eval(answer())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestExpressionsThatCannotLook(t *testing.T) {
	for source, want := range map[string]string{
		"json.missing == 3":               "no such key: missing",
		"headers['etag'] == ''":           "no such key: etag",
		`html("h2") == ""`:                `nothing matches "h2"`,
		`html("h1", "id") == ""`:          `"h1" has no attribute "id"`,
		`html("[" + marker) == ""`:        `"[cdr-1-1" is no CSS selector`,
		"json.no":                         "3 is not true or false",
		`file("no-such-file.txt") == "a"`: "no such file",
		"[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, [1,2,3,4,5,6,7,8,9].all(e, [1,2,3,4,5,6,7,8,9].all(f, true))))))": "cost limit",
	} {
		b := bound{Expr: experiments.Expr{Source: source}}
		if err := experiments.Bind(&b, nil, nil); err != nil {
			t.Fatal(err)
		}
		if holds, err := b.Expr.Holds(answer()); err == nil || holds || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want an error with %q", source, holds, err, want)
		}
	}
}

func TestExpressionsNeedCompiling(t *testing.T) {
	if _, err := (experiments.Expr{Source: "status"}).Eval(answer()); !errors.Is(err, experiments.ErrNotCompiled) {
		t.Errorf("expression: %v", err)
	}
	if _, err := (experiments.Template{Source: "{{ status }}"}).Expand(answer()); !errors.Is(err, experiments.ErrNotCompiled) {
		t.Errorf("template: %v", err)
	}
	if err := experiments.Bind(&bound{Expr: experiments.Expr{Source: "stauts == 1"}}, nil, nil); err == nil || !strings.Contains(err.Error(), `unknown name "stauts"`) {
		t.Errorf("Bind: %v", err)
	}
}

func TestTemplates(t *testing.T) {
	for source, want := range map[string]string{
		"plain":                     "plain",
		"":                          "",
		"a{{ status }}b{{marker}}c": "a201bcdr-1-1c",
		"{{ json.price }}":          "2.5",
		"{{ 1000000.0 }}":           "1000000",
		"{{ elapsed }}":             "1.5s",
		`{{ "}}" + marker }}`:       "}}cdr-1-1",
		"{{ json.lines }}":          `[{"id":7}]`,
		"}} {":                      "}} {",
		"{{ html(\"h1\") }}!":       "Your order!",
	} {
		b := bound{Template: experiments.Template{Source: source}}
		if err := experiments.Bind(&b, nil, nil); err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got, err := b.Template.Expand(answer()); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", source, got, err, want)
		}
	}
	b := bound{Template: experiments.Template{Source: "id {{ json.none }}"}}
	if err := experiments.Bind(&b, nil, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Template.Expand(answer()); err == nil || !strings.Contains(err.Error(), "it is null") {
		t.Errorf("null in text: %q, %v", got, err)
	}
}

func TestTreesKeepTypes(t *testing.T) {
	tree := func(s string) any { return experiments.Template{Source: s} }
	b := bound{Tree: experiments.Tree{Value: map[string]any{
		"id": tree("{{ json.no }}"), "text": tree("no {{ json.no }}"), "list": []any{tree("{{ json.lines }}"), 1, nil, true}}}}
	if err := experiments.Bind(&b, nil, nil); err != nil {
		t.Fatal(err)
	}
	got, err := b.Tree.Expand(answer())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"id": int64(3), "text": "no 3", "list": []any{[]any{map[string]any{"id": int64(7)}}, 1, nil, true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
