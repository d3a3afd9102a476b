package lock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
)

func TestOneAtATime(t *testing.T) {
	system := fmt.Sprintf("lock-test-%d", os.Getpid())
	first, err := Take(t.Context(), system, "r1", time.Minute, "the first")
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := Take(short, system, "r2", time.Minute, "the second"); err == nil {
		t.Error("two have the same system")
	}
	other, err := Take(t.Context(), system+"-other", "r3", time.Minute, "elsewhere")
	if err != nil {
		t.Errorf("another system = %v; want its own lock", err)
	} else if err := other.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if err := first.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := Take(t.Context(), system, "r4", 200*time.Millisecond, "an heir")
	if err != nil {
		t.Fatalf("after Release = %v", err)
	}
	select {
	case <-again.Lost():
	case <-time.After(5 * time.Second):
		t.Error("a lock outlives its time")
	}
	if err := again.Release(t.Context()); err != nil {
		t.Errorf("Release of one that is lost = %v", err)
	}
}

// Whoever waits long enough hears who has it.
func TestBusySaysWho(t *testing.T) {
	system := fmt.Sprintf("lock-test-busy-%d", os.Getpid())
	first, err := Take(t.Context(), system, "r1", time.Minute, "process 1 on somewhere")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Take(t.Context(), system, "r2", time.Minute, "the second"); !errors.Is(err, faults.ErrBusy) || !strings.Contains(err.Error(), "process 1 on somewhere") {
		t.Errorf("Take = %v; want ErrBusy and who has it", err)
	}
	if err := first.Release(t.Context()); err != nil {
		t.Error(err)
	}
}
