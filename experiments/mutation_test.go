package experiments_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/candor-chaos/candor/experiments"
)

// goNames are what must never reach a user.
var goNames = regexp.MustCompile(`\b(experiments|faults|reflect|yaml|cel|ast|strconv)\.[A-Z]|map\[|interface \{\}|!!\w|%!|<nil>|\bpanic\b`)

// TestBrokenLinesHaveAPlace breaks the lines of every good definition, one at a time, in several ways. Whatever is found
// must have a place in its file, and speak the user's language.
func TestBrokenLinesHaveAPlace(t *testing.T) {
	breakers := map[string]func(string) []string{
		"dropped": func(string) []string { return nil },
		"doubled": func(l string) []string { return []string{l, l} },
		"cut":     func(l string) []string { return []string{l[:len(l)/2]} },
		"listed":  func(l string) []string { k, _, _ := strings.Cut(l, ":"); return []string{k + ": [x, {y: 1}]"} },
		"worded":  func(l string) []string { k, _, _ := strings.Cut(l, ":"); return []string{k + ": nonsense"} },
		"nothing": func(l string) []string { k, _, _ := strings.Cut(l, ":"); return []string{k + ":"} },
		"misspelt": func(l string) []string {
			return []string{regexp.MustCompile(`[a-z]{4,}`).ReplaceAllStringFunc(l, func(w string) string { return w[:1] + w[2:] })}
		},
	}
	for _, name := range []string{"candor.yaml", "standards.yaml", "payments-outage.yaml", "journeys/buy-a-book.yaml", "journeys/browse.yaml"} {
		data, err := os.ReadFile(filepath.Join(definitions, "good", name))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
		for how, broken := range breakers {
			t.Run(name+" "+how, func(t *testing.T) {
				_, folder := mustCompile(t, nil)
				file := filepath.Join(folder, name)
				found := 0
				for i := len(how) % 2; i < len(lines); i += 2 { // half of the lines in each way
					text := append(append(append([]string{}, lines[:i]...), broken(lines[i])...), lines[i+1:]...)
					if err := os.WriteFile(file, []byte(strings.Join(text, "\n")), 0o600); err != nil {
						t.Fatal(err)
					}
					found += checkPlaces(t, folder, i+1)
				}
				if found == 0 {
					t.Error("nothing was found wrong")
				}
			})
		}
	}
}

func checkPlaces(t *testing.T, folder string, line int) int {
	t.Helper()
	_, err := experiments.Validate([]string{filepath.Join(folder, "payments-outage.yaml")}, experiments.LoadOptions{Catalog: catalog()})
	if err == nil {
		return 0
	}
	var list experiments.ErrorList
	if !errors.As(err, &list) {
		t.Fatalf("line %d: no list of mistakes: %v", line, err)
	}
	for _, e := range list {
		data, err := os.ReadFile(e.Pos.File)
		if err != nil {
			t.Fatalf("line %d: %v", line, err)
		}
		lines := strings.Split(string(data), "\n")
		if e.Pos.Line < 1 || e.Pos.Line > len(lines) || e.Pos.Col < 1 || e.Pos.Col > len([]rune(lines[e.Pos.Line-1]))+1 {
			t.Errorf("line %d: no such place: %v", line, e)
		}
		if e.Msg == "" || goNames.MatchString(e.Msg+e.Hint) {
			t.Errorf("line %d: not in the user's words: %v", line, e)
		}
	}
	return len(list)
}
