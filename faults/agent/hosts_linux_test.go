package agent

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
)

func TestSeekerRemembersOtherAnswersForAWhile(t *testing.T) {
	a, b, c := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fd00::3")
	k := &seeker{seen: map[netip.Addr]time.Time{}}
	began := time.Now()
	for _, step := range []struct {
		after  time.Duration
		answer []netip.Addr
		want   []netip.Addr
	}{
		{0, []netip.Addr{b}, []netip.Addr{b}},
		{time.Second, []netip.Addr{a, c}, []netip.Addr{a, c, b}}, // new connections go where the last answer says
		{2 * time.Second, []netip.Addr{b}, []netip.Addr{b, a, c}},
		{time.Hour, []netip.Addr{a}, []netip.Addr{a}},
	} {
		k.found(step.answer, began.Add(step.after))
		if got := k.addresses(); !slices.Equal(got, step.want) {
			t.Errorf("after %s: %v; want %v", step.after, got, step.want)
		}
	}
}

func TestFindHost(t *testing.T) {
	for host, want := range map[string]string{"10.1.2.3": "10.1.2.3", "fd00::7": "fd00::7", "::ffff:10.1.2.3": "10.1.2.3", "localhost": "127.0.0.1"} {
		got, err := FindHost(t.Context(), host)
		if err != nil || !slices.Contains(got, netip.MustParseAddr(want)) {
			t.Errorf("FindHost(%s) = %v, %v; want %s", host, got, err, want)
		}
	}
	if _, err := FindHost(t.Context(), "nobody.invalid"); err == nil || !strings.Contains(err.Error(), "nobody.invalid") {
		t.Errorf("a host that is not there: %v; want an error that names it", err)
	}
}

func TestAgentRefusesToBreakTwoPathsAtOnce(t *testing.T) {
	namespace(t)
	port := echo(t)
	c, _ := serve(t, nil)
	outside, other := faults.Path{From: "app", To: "api", Port: port}, faults.Path{From: "app", To: "dep", Port: port}
	ask(t, c, Request{Op: Interpose, Path: outside, Host: here, Addresses: []netip.Addr{netip.MustParseAddr(here)}})
	refuse := Request{Op: Impair, Path: outside, Name: "refuse", Impairment: &faults.Impairment{Block: "refuse"}}
	ask(t, c, refuse)
	if found := ask(t, c, Request{Op: Where, Path: outside}).Found; !slices.Equal(found, []netip.Addr{netip.MustParseAddr(here)}) {
		t.Errorf("it is at %v; want %s", found, here)
	}
	if conn, err := dial(t, port); err == nil {
		conn.Close()
		t.Error("connected although it is refused")
	}
	ask(t, c, Request{Op: Unimpair, Path: outside, Name: "refuse"})
	ask(t, c, Request{Op: Interpose, Path: other, Addresses: []netip.Addr{netip.MustParseAddr(here)}})
	for _, p := range []faults.Path{outside, other} {
		refuse.Path = p
		if _, err := c.Do(context.Background(), refuse); err == nil || !strings.Contains(err.Error(), "would break both") {
			t.Errorf("%s was broken although another path leads there: %v", p, err)
		}
	}
	ask(t, c, Request{Op: Withdraw, Path: outside})
	ask(t, c, refuse) // alone again
}
