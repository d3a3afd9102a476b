package halt

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestPressAndLift(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := Check(dir); err != nil {
		t.Errorf("Check of a fresh installation = %v", err)
	}
	first := Halt{Reason: "a real incident", By: "ann@host", Since: time.Now().UTC()}
	if err := Press(dir, first); err != nil {
		t.Fatal(err)
	}
	if err := Press(dir, Halt{Reason: "again", By: "bob@host"}); err != nil {
		t.Errorf("Press again = %v; want no error", err)
	}
	if h, halted := Read(dir); !halted || h.Reason != first.Reason || h.By != first.By {
		t.Errorf("Read = %v, %v; want the first", h, halted)
	}
	if err := Check(dir); !errors.Is(err, ErrHalted) || !strings.Contains(err.Error(), "ann@host") || !strings.Contains(err.Error(), "a real incident") {
		t.Errorf("Check = %v; want ErrHalted with who and why", err)
	}
	if h, was, err := Lift(dir); err != nil || !was || h.Reason != first.Reason {
		t.Errorf("Lift = %v, %v, %v", h, was, err)
	}
	if _, was, err := Lift(dir); err != nil || was {
		t.Errorf("Lift again = %v, %v; want that nothing was halted", was, err)
	}
	if err := Check(dir); err != nil {
		t.Errorf("Check after Lift = %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("there is left: %v, %v", left, err)
	}
}

// Whoever presses wanted everything to stop, also when what they wrote cannot be read.
func TestUnreadableIsPressed(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(file(dir), []byte("stop!!"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Check(dir); !errors.Is(err, ErrHalted) || !strings.Contains(err.Error(), "no reason that can be read") {
		t.Errorf("Check = %v; want ErrHalted", err)
	}
}

func TestManyPressAtOnce(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := Press(dir, Halt{Reason: "one of many", By: "somebody"}); err != nil {
				t.Error(err)
			}
			if h, halted := Read(dir); !halted || h.Reason != "one of many" {
				t.Errorf("Read = %v, %v; nobody reads half of it", h, halted)
			}
		})
	}
	all.Wait()
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("there is %v, %v; want the one file", left, err)
	}
}
