package experiments_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/experiments"
)

func block(id int64, text string, y int, live string) experiments.Block {
	return experiments.Block{ID: id, Text: text, Box: experiments.Box{Y: y}, Live: live}
}

func TestAPageIsTheSumOfItsSamples(t *testing.T) {
	start := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	seen := func(n int64, s experiments.PageSeen) experiments.Record {
		s.Journey = "buy"
		return experiments.Record{Seq: n, At: at(int(n)), Page: &s}
	}
	h := experiments.History{Records: []experiments.Record{
		seen(1, experiments.PageSeen{First: true, Born: []experiments.Block{block(1, "Shop", 0, ""), block(2, "Buy", 50, ""), block(3, "", 70, "polite")}}),
		seen(2, experiments.PageSeen{Born: []experiments.Block{block(3, "Saving…", 70, "polite")}}),
		seen(3, experiments.PageSeen{Born: []experiments.Block{block(3, "Saved", 70, "polite")}}),
		seen(4, experiments.PageSeen{Gone: []int64{3}}),
	}}
	v := experiments.NewView()
	for _, r := range h.Records[:3] {
		v.Add(r.At, r.Page)
	}
	if v.Text() != "Shop\nBuy\nSaved\n" || !cmp.Equal(v.Alerts(), []string{"Saved"}) {
		t.Errorf("text %q, alerts %q", v.Text(), v.Alerts())
	}
	h.Records = append(h.Records, seen(5, experiments.PageSeen{First: true, Born: []experiments.Block{block(1, "Elsewhere", 0, "")}}))
	type life struct {
		Text       string
		Born, Died int64
		Left       bool
	}
	var got []life
	for _, l := range experiments.Lives(h) {
		got = append(got, life{l.Block.Text, l.BornN, l.DiedN, l.Left})
	}
	want := []life{{"Shop", 1, 5, true}, {"Buy", 1, 5, true}, {"Saving…", 2, 3, false}, {"Saved", 3, 4, false}, {"Elsewhere", 5, 0, false}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lives (-want +got):\n%s", diff)
	}
}
