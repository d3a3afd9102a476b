package experiments_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/candor-chaos/candor/experiments"
)

// conform holds a value to the few words of JSON Schema that ours are made of, and lists what is wrong.
func conform(s, value any, at string) (wrong []string) {
	schema, is := s.(map[string]any)
	if !is {
		if s == false {
			return []string{at + ": not allowed"}
		}
		return nil
	}
	if types := schema["type"]; types != nil && !typed(types, value) {
		return []string{fmt.Sprintf("%s: %v is no %v", at, value, types)}
	}
	if c := schema["const"]; c != nil && c != value {
		wrong = append(wrong, fmt.Sprintf("%s: %v is not %v", at, value, c))
	}
	if enum, given := schema["enum"].([]any); given && !slices.Contains(enum, value) {
		wrong = append(wrong, fmt.Sprintf("%s: %v is none of %v", at, value, enum))
	}
	if p, given := schema["pattern"].(string); given && !regexp.MustCompile(p).MatchString(fmt.Sprint(value)) {
		wrong = append(wrong, fmt.Sprintf("%s: %v does not match %s", at, value, p))
	}
	if choices, given := schema["oneOf"].([]any); given {
		fit := 0
		for _, c := range choices {
			if len(conform(c, value, at)) == 0 {
				fit++
			}
		}
		if fit != 1 {
			wrong = append(wrong, fmt.Sprintf("%s: %d of oneOf fit", at, fit))
		}
	}
	if choices, given := schema["anyOf"].([]any); given {
		if !slices.ContainsFunc(choices, func(c any) bool { return len(conform(c, value, at)) == 0 }) {
			wrong = append(wrong, at+": none of anyOf fits")
		}
	}
	switch v := value.(type) {
	case map[string]any:
		wrong = append(wrong, conformKeys(schema, v, at)...)
	case []any:
		for i, item := range v {
			wrong = append(wrong, conform(schema["items"], item, fmt.Sprintf("%s[%d]", at, i))...)
		}
	}
	return wrong
}

func conformKeys(schema, value map[string]any, at string) (wrong []string) {
	required, _ := schema["required"].([]any)
	for _, key := range required {
		if _, has := value[key.(string)]; !has {
			wrong = append(wrong, fmt.Sprintf("%s: %v is missing", at, key))
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	for key, inner := range value {
		property, known := properties[key]
		if !known {
			property = schema["additionalProperties"]
		}
		wrong = append(wrong, conform(property, inner, at+"."+key)...)
	}
	return wrong
}

func typed(types, value any) bool {
	if list, several := types.([]any); several {
		return slices.ContainsFunc(list, func(t any) bool { return typed(t, value) })
	}
	switch value.(type) {
	case map[string]any:
		return types == "object"
	case []any:
		return types == "array"
	case string:
		return types == "string"
	case bool:
		return types == "boolean"
	case int:
		return types == "integer" || types == "number"
	}
	return types == "number"
}

func schemaOf(t *testing.T, kind string) any {
	t.Helper()
	data, err := experiments.Schema(kind, catalog())
	if err != nil {
		t.Fatal(err)
	}
	var schema any
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

// plainValue reads YAML as an editor does: days stay text.
func plainValue(t *testing.T, text string) map[string]any {
	t.Helper()
	var value map[string]any
	if err := yaml.Unmarshal([]byte(regexp.MustCompile(`: (\d{4}-\d\d-\d\d)`).ReplaceAllString(text, `: "$1"`)), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestGoodDefinitionsConformToTheirSchema(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(definitions, "good", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(filepath.Join(definitions, "good", "*", "*.yaml"))
	if err != nil || len(files)+len(more) < 5 {
		t.Fatalf("%d files, %v", len(files)+len(more), err)
	}
	for _, file := range append(files, more...) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		value := plainValue(t, string(data))
		for _, wrong := range conform(schemaOf(t, value["kind"].(string)), value, filepath.Base(file)) {
			t.Error(wrong)
		}
	}
}

func TestSchemaRefusesWhatLoadRefuses(t *testing.T) {
	head := "apiVersion: candor/v1\nkind: Experiment\nname: a\nservice: web\nhypothesis: b\nsteady: [{http: {get: /}}]\njourneys: [{use: a}]\n"
	for text, want := range map[string]string{
		head + "faults: [{for: 5s, outage: {from: a, to: b}}]\n": "",
		head: "x: none of anyOf fits",
		head + "sweep: {journey: a, fault: {for: 5s, outage: {from: a, to: b}}}\n":                 "",
		head + "faults: [{for: 5s, at: {journey: a, before: b}, pause: {service: a}}]\n":           "",
		head + "faults: [{for: 5s, at: {journey: a, before: b, after: c}, pause: {service: a}}]\n": "x.faults[0].at: 0 of oneOf fit",
		head + "faults: [{for: 5s}]\n":                                                 "x.faults[0]: 0 of oneOf fit",
		head + "faults: [{for: 5s, pause: {service: a}, kill: {service: a}}]\n":        "x.faults[0]: 2 of oneOf fit",
		head + "faults: [{for: 5, pause: {service: a}}]\n":                             "x.faults[0].for: 5 is no string",
		head + "faults: [{for: 5 s, pause: {service: a}}]\n":                           `x.faults[0].for: 5 s does not match ^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$`,
		head + "faults: [{for: 5s, pause: {services: a}}]\n":                           "x.faults[0].pause.services: not allowed",
		head + "colour: red\nfaults: [{for: 5s, pause: {service: a}}]\n":               "x.colour: not allowed",
		head + "expect: [{said: [maybe]}]\nfaults: [{for: 5s, pause: {service: a}}]\n": "x.expect[0].said[0]: maybe is none of [none success refused pending unknown failed failure]",
	} {
		wrong := conform(schemaOf(t, "Experiment"), plainValue(t, text), "x")
		if want == "" && len(wrong) > 0 || want != "" && !slices.Contains(wrong, want) {
			t.Errorf("%s\ngot %q, want %q", text, wrong, want)
		}
	}
}

func TestSchemaShowsDefaults(t *testing.T) {
	properties := func(s any, key string) any { return s.(map[string]any)["properties"].(map[string]any)[key] }
	fault := properties(schemaOf(t, "Experiment"), "faults").(map[string]any)["items"]
	mode := properties(properties(fault, "outage"), "mode").(map[string]any)
	if mode["default"] != "refuse" {
		t.Errorf("mode of outage: %v", mode)
	}
	if _, err := experiments.Schema("Soup", catalog()); err == nil {
		t.Error("a schema of soup")
	}
}
