package experiments_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/experiments"
)

// mistakes writes a text as a definition and gives what Validate says of it, line by line and without the folder.
func mistakes(t *testing.T, text string) []string {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "any.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := experiments.Validate([]string{file}, experiments.LoadOptions{Catalog: catalog()})
	var list experiments.ErrorList
	if !errors.As(err, &list) {
		t.Fatalf("no list of mistakes: %v", err)
	}
	return strings.Split(strings.ReplaceAll(err.Error(), folder+string(filepath.Separator), ""), "\n")
}

func TestMistakesShowTheirLine(t *testing.T) {
	const system = "apiVersion: candor/v1\nkind: System\nname: x\nruntime: {docker: {project: x}}\nservices: {web: {}}\n"
	long := "[" + strings.Repeat("web, ", 100) + "{}, " + strings.Repeat("web, ", 100) + "web]"
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"letters of other bytes": {system + "# caf\xe9\n", []string{
			"any.yaml:6:6: not text in UTF-8; save the file as UTF-8", "    6 | # caf\uFFFD", "      |      ^"}},
		"UTF-16": {"\xff\xfea\x00p\x00i\x00", []string{
			"any.yaml:1:1: not text in UTF-8; save the file as UTF-8", "    1 | \uFFFD\uFFFDa\uFFFDp\uFFFDi\uFFFD", "      | ^"}},
		"the terminal's own language": {system + "up: [é\x1b[2J]\n", []string{
			"any.yaml:6:7: control characters are not allowed (value: 27)", "    6 | up: [é\uFFFD[2J]", "      |       ^"}},
		"a line turned around": {system + "up: [\u202etxt, {}]\n", []string{
			"any.yaml:6:12: want text, got keys with values", "    6 | up: [\uFFFDtxt, {}]", "      |            ^"}},
		"an escape in an expression": {strings.Replace(system, "web: {}", `web: {url: "http://{{ \u001b[2J }}"}`, 1), []string{
			`any.yaml:5:34: "\x1b" cannot be read`, `    5 | services: {web: {url: "http://{{ \u001b[2J }}"}}`, "      | " + strings.Repeat(" ", 33) + "^"}},
		"lines that end as on old machines": {strings.ReplaceAll(system, "\n", "\r") + "up: 3\r", []string{
			`any.yaml:6:5: want a list, got "3"`, "    6 | up: 3", "      |     ^"}},
		"a byte order mark": {"\ufeffapiVersion: candor/v1\nkind: Sistem\n", []string{
			`any.yaml:2:7: unknown kind "Sistem"`, "    2 | kind: Sistem", `      |       ^ did you mean "System"?`}},
		"a long line": {system + "up: " + long + "\n", []string{
			"any.yaml:6:506: want text, got keys with values",
			"    6 | …" + long[501-60:501+100] + "…", "      | " + strings.Repeat(" ", 61) + "^"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, mistakes(t, c.text)); diff != "" {
				t.Errorf("shown (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFoldersShowTheirDefinitions wants a folder to give what says that it is a definition, and nothing else.
func TestFoldersShowTheirDefinitions(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"quoted.yaml":         `{"apiVersion": "candor/v1", "kind": "Standards", "name": "ours", "tiers": {"standard": {}}}`,
		"spaced.yml":          "apiVersion:   'candor/v1'\nkind: Standards\nname: spaced\ntiers: {standard: {}}\n",
		"compose.yaml":        "services: {web: {image: x}}\n",
		"large.yaml":          strings.Repeat("# nothing of ours\n", 1<<18),
		".hidden/hidden.yaml": "apiVersion: candor/v1\nkind: Nonsense\n",
		"notes.txt":           "apiVersion: candor/v1\n",
	} {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	checked, err := experiments.Validate([]string{folder}, experiments.LoadOptions{Catalog: catalog()})
	if err != nil {
		t.Fatal(err)
	}
	want := []experiments.Checked{{File: filepath.Join(folder, "quoted.yaml"), Kind: "Standards", Name: "ours"},
		{File: filepath.Join(folder, "spaced.yml"), Kind: "Standards", Name: "spaced"}}
	if diff := cmp.Diff(want, checked); diff != "" {
		t.Errorf("definitions (-want +got):\n%s", diff)
	}
	_, err = experiments.Validate([]string{filepath.Join(folder, "large.yaml")}, experiments.LoadOptions{Catalog: catalog()})
	if err == nil || !strings.Contains(err.Error(), "large.yaml:1:1: cannot be read: longer than 4 MiB") {
		t.Errorf("a definition of many MiB: %v", err)
	}
}
