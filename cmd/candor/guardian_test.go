package main

import "testing"

// A guardian is a container where everything around the runner may be killed at once, unless the system says otherwise.
func TestKindOfGuardian(t *testing.T) {
	for _, c := range []struct {
		wish, ci, file string
		want           bool
	}{
		{"", "", "", false},
		{"auto", "", "", false},
		{"auto", "true", "", true},
		{"", "", "/.dockerenv", true},
		{"", "", "/run/.containerenv", true},
		{"process", "true", "/.dockerenv", false},
		{"container", "", "", true},
	} {
		getenv := func(name string) string { return map[string]string{"CI": c.ci}[name] }
		if got := asContainer(c.wish, getenv, func(path string) bool { return path == c.file }); got != c.want {
			t.Errorf("%+v: a container %v", c, got)
		}
	}
}
