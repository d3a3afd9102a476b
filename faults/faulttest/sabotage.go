package faulttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/faults"
)

// Sabotage runs over kinds what only a Fake can be asked: calls that fail, each in turn, and services that are replaced,
// removed or restarted between Inject and Revert.
func Sabotage(t *testing.T, kinds []faults.Kind) {
	t.Helper()
	if len(kinds) == 0 {
		t.Fatal("there are no kinds: this would show nothing")
	}
	for _, k := range kinds {
		t.Run(k.Name, func(t *testing.T) {
			t.Run("Prepare and State write nothing", func(t *testing.T) { writesNothing(t, k) })
			for _, restarts := range []bool{false, true} {
				t.Run(fmt.Sprintf("every call of Inject fails, restarts %v", restarts), func(t *testing.T) { failing(t, k, restarts, true) })
				t.Run(fmt.Sprintf("every call of Revert fails, restarts %v", restarts), func(t *testing.T) { failing(t, k, restarts, false) })
			}
			for _, service := range touched(t, k) {
				t.Run(service+" is replaced", func(t *testing.T) { replaced(t, k, service) })
				t.Run(service+" is removed", func(t *testing.T) { removed(t, k, service) })
				t.Run(service+" is restarted", func(t *testing.T) { restarted(t, k, service) })
			}
		})
	}
}

// touched are the services whose fate matters to a fault.
func touched(t *testing.T, k faults.Kind) []string {
	r := k.Reach(decoded(t, k))
	services := r.Services
	if k.Name == faults.Several.Name {
		services = replicasOf(t, k)
	}
	if r.Path != nil {
		services = append(services, r.Path.From)
	}
	if len(services) == 0 && r.Journey == "" {
		t.Fatalf("Reach of %s names no service and no journey", k.Name)
	}
	return services
}

// replicasOf are those that the example of Several names.
func replicasOf(t *testing.T, k faults.Kind) []string {
	t.Helper()
	var saved struct{ Replicas []string }
	data, err := json.Marshal(decoded(t, k))
	if err == nil {
		err = json.Unmarshal(data, &saved)
	}
	if err != nil || len(saved.Replicas) < 2 {
		t.Fatalf("the replicas of %s: %v, %v", data, saved.Replicas, err)
	}
	return saved.Replicas
}

// scene is a world with a prepared fault in it, its path interposed, and what the test itself has broken for that.
type scene struct {
	w      *Fake
	f      faults.Fault
	before []string
}

func set(t *testing.T, k faults.Kind, restarts bool) scene {
	w := NewFake()
	w.Restarts = restarts
	interposed(t, w, k)
	return scene{w: w, before: w.Broken(), f: prepared(t, w, k)}
}

func (s scene) inject(t *testing.T) {
	t.Helper()
	if err := s.f.Inject(t.Context(), s.w); err != nil {
		t.Fatalf("Inject = %v", err)
	}
}

// left is what is broken and was not before.
func (s scene) left() []string {
	return slices.DeleteFunc(s.w.Broken(), func(b string) bool { return slices.Contains(s.before, b) })
}

func writesNothing(t *testing.T, k faults.Kind) {
	s := set(t, k, false)
	before := s.w.Dump()
	_, writes := s.w.Counts()
	if _, err := s.f.Prepare(t.Context(), s.w); err != nil {
		t.Fatalf("Prepare = %v", err)
	}
	if state, err := s.f.State(t.Context(), s.w); state != faults.Absent || err != nil {
		t.Errorf("State = %v, %v; want absent", state, err)
	}
	if _, after := s.w.Counts(); after != writes {
		t.Errorf("%d calls could have written", after-writes)
	}
	if diff := cmp.Diff(before, s.w.Dump()); diff != "" {
		t.Errorf("the world has changed (-before +after):\n%s", diff)
	}
}

// failing lets one verb fail at its first call, then at its second, and so on, before acting and after; then Revert must
// mend what there is.
func failing(t *testing.T, k faults.Kind, restarts, inject bool) {
	for n := 1; failingAt(t, k, restarts, inject, n); n++ {
	}
}

// failingAt is false when the verb makes fewer calls than n.
func failingAt(t *testing.T, k faults.Kind, restarts, inject bool, n int) bool {
	for _, how := range []Failure{Early, Late} {
		s := set(t, k, restarts)
		verb := s.f.Inject
		if !inject {
			s.inject(t)
			verb = s.f.Revert
		}
		start, _ := s.w.Counts()
		reached := false
		s.w.Before = func(call int, _ bool) Failure {
			if call != start+n {
				return None
			}
			reached = true
			return how
		}
		err := verb(t.Context(), s.w)
		s.w.Before = nil
		if !reached {
			if n == 1 {
				t.Error("the verb asks nothing of the world")
			}
			return false
		}
		if err == nil && (inject || len(s.left()) > 0) {
			t.Errorf("call %d failed, and the verb does not say so", n)
		}
		if err := s.f.Revert(t.Context(), s.w); err != nil {
			t.Errorf("Revert after call %d failed (%v) = %v", n, how, err)
		}
		await(t, s.w, s.f, faults.Absent)
		if left := s.left(); len(left) > 0 {
			t.Errorf("after call %d failed (%v) there is left: %v", n, how, left)
		}
	}
	return true
}

// replaced checks that the one who took the name is not touched.
func replaced(t *testing.T, k faults.Kind, service string) {
	s := set(t, k, false)
	s.inject(t)
	s.w.Replace(service)
	stranger := s.w.dump(service)
	for range 2 {
		if err := s.f.Revert(t.Context(), s.w); err != nil && !errors.Is(err, faults.ErrReplaced) {
			t.Errorf("Revert = %v; want nil or ErrReplaced", err)
		}
	}
	if diff := cmp.Diff(stranger, s.w.dump(service)); diff != "" {
		t.Errorf("Revert touched another %s (-before +after):\n%s", service, diff)
	}
	s.gone(t)
}

func removed(t *testing.T, k faults.Kind, service string) {
	s := set(t, k, false)
	s.inject(t)
	s.w.Remove(service)
	for range 2 {
		if err := s.f.Revert(t.Context(), s.w); err != nil {
			t.Errorf("Revert = %v; what is gone counts as reverted", err)
		}
	}
	s.gone(t)
}

func restarted(t *testing.T, k faults.Kind, service string) {
	s := set(t, k, false)
	s.inject(t)
	s.w.Restart(service)
	if err := s.f.Revert(t.Context(), s.w); err != nil {
		t.Errorf("Revert = %v", err)
	}
	s.gone(t)
}

func (s scene) gone(t *testing.T) {
	t.Helper()
	await(t, s.w, s.f, faults.Absent)
	if left := s.left(); len(left) > 0 {
		t.Errorf("there is left: %v", left)
	}
}
