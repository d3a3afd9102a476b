package browser

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/candor-chaos/candor/experiments"
)

// TestFourUsersAreLookedAtInTime: each of four busy pages is looked at four times a second, and what is written down of a
// minute fits into a few megabytes. Other work on the machine makes a sample late now and then, so the bound is wide; what
// was measured is logged.
func TestFourUsersAreLookedAtInTime(t *testing.T) {
	r := newRig(t, map[string]string{"/": `<h1>Feed</h1><ul id=l></ul><p id=c role=status></p>
<script>for (let i = 0; i < 150; i++) { const e = document.createElement('li'); e.textContent = 'row ' + i + ' with a few words that stay'; l.append(e) }
let n = 0; setInterval(() => { c.textContent = 'tick ' + ++n }, 500)</script>`})
	var group errgroup.Group
	const busy = 4 * time.Second
	for i := range 4 {
		u := r.user(i)
		r.do(u, "open", &Action{Open: lit("/")})
		group.Go(func() error {
			_, err := u.Do(t.Context(), experiments.Act{Visit: 1, Step: "watch", Action: &Action{Wait: experiments.Wait{Time: busy}}, Timeout: time.Minute})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	var gaps []int
	size := 0
	for _, rec := range r.notes.all() {
		line, err := json.Marshal(rec)
		if err != nil {
			t.Fatal(err)
		}
		size += len(line)
		if rec.Page != nil {
			gaps = append(gaps, rec.Page.Gaps...)
		}
	}
	slices.Sort(gaps)
	if len(gaps) < 20 {
		t.Fatalf("%d samples in %s of four pages", len(gaps), busy)
	}
	p95 := gaps[len(gaps)*95/100]
	t.Logf("%d samples, one each %d ms at p50, %d ms at p95; %d KiB", len(gaps), gaps[len(gaps)/2], p95, size>>10)
	if p50 := gaps[len(gaps)/2]; p50 > 500 {
		t.Errorf("a sample each %d ms at p50", p50)
	}
	if size > 2<<20 {
		t.Errorf("%d KiB of history in %s", size>>10, busy)
	}
}
