package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestEveryCommandSaysItsExitStatuses walks the whole tree: a pipeline that branches on a status must find it in the help.
func TestEveryCommandSaysItsExitStatuses(t *testing.T) {
	root := newRootCommand(&global{streams: streams{out: &bytes.Buffer{}, err: &bytes.Buffer{}}})
	seen := 0
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Runnable() && !c.Hidden && c.Name() != "help" && !strings.HasPrefix(c.CommandPath(), "candor completion") {
			seen++
			if !strings.Contains(c.Long, "EXIT STATUS") {
				t.Errorf("%s does not say its exit statuses", c.CommandPath())
			}
			if c.Short == "" {
				t.Errorf("%s has no short help", c.CommandPath())
			}
		}
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(root)
	if seen < 14 {
		t.Fatalf("walked over %d commands only", seen)
	}
}
