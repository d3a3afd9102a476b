package experiments_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/experiments"
)

// Faults that come again, and a recovery that is not clean, become faults of their own in the plan.
func TestCompileFaultsThatComeAgain(t *testing.T) {
	type fault struct {
		Name, After string
		At, For     time.Duration
		Brief       bool
	}
	const second = "  - {at: 5s, for: 5s, latency: {from: orders, to: \"orders-db:5432\", delay: 300ms}}\n"
	first := "mode: refuse}, for: 15s}"
	for name, tt := range map[string]struct {
		edits []string
		want  []fault
	}{
		"every": {[]string{second, "", first, "mode: refuse}, for: 15s, every: 20s, times: 3, at: 1s}"}, []fault{
			{Name: "payments refuses connections", At: time.Second, For: 15 * time.Second},
			{Name: "payments refuses connections, 2nd time", After: "payments refuses connections", At: 21 * time.Second, For: 15 * time.Second},
			{Name: "payments refuses connections, 3rd time", After: "payments refuses connections, 2nd time", At: 41 * time.Second, For: 15 * time.Second},
		}},
		"flapping": {[]string{second, "", "faults:", "recovery: {profile: flapping}\nfaults:"}, []fault{
			{Name: "payments refuses connections", For: 15 * time.Second},
			{Name: "payments refuses connections, back 1", After: "payments refuses connections", At: 16 * time.Second, For: time.Second, Brief: true},
			{Name: "payments refuses connections, back 2", After: "payments refuses connections, back 1", At: 18 * time.Second, For: time.Second, Brief: true},
		}},
		"partial, several": {[]string{"recovery: 20s", "recovery: 30s", "faults:", "recovery: {profile: partial}\nfaults:"}, []fault{
			{Name: "payments refuses connections", For: 25 * time.Second}, // it ends last, a third of the recovery later
			{Name: "latency 2", At: 5 * time.Second, For: 5 * time.Second},
		}},
		"partial, one": {[]string{"recovery: 20s", "recovery: 30s", second, "", "faults:", "recovery: {profile: partial}\nfaults:"}, []fault{
			{Name: "payments refuses connections", For: 15 * time.Second},
			{Name: "payments refuses connections, half of it", After: "payments refuses connections", At: 15 * time.Second, For: 10 * time.Second},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := mustCompile(t, map[string][]string{"payments-outage.yaml": tt.edits})
			var got []fault
			for _, f := range p.Faults {
				got = append(got, fault{f.Name, f.After, f.At, f.For, f.Brief})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
	p, _ := mustCompile(t, map[string][]string{"payments-outage.yaml": {"faults:", "recovery: {profile: under-load}\nfaults:"}})
	if len(p.Faults) != 2 || p.Recovery != (experiments.Recovery{Profile: experiments.RecoveryUnderLoad}) || p.Recovery.Words() == "" {
		t.Errorf("under load: %d faults, recovery %+v; want the two that are written, and the profile", len(p.Faults), p.Recovery)
	}
}
