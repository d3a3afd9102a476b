package history_test

import (
	"os"
	"strings"
	"testing"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/history"
)

func begin(t *testing.T, secrets map[string]string) (history.Folder, *history.Writer) {
	t.Helper()
	folder, err := history.NewFolder(t.TempDir(), history.NewRun("Payments outage!"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := history.Create(folder, experiments.Head{Schema: history.Schema, Run: "r"}, secrets)
	if err != nil {
		t.Fatal(err)
	}
	return folder, w
}

func TestWhatIsAppendedIsRead(t *testing.T) {
	folder, w := begin(t, nil)
	for range 3 {
		if _, err := w.Append(experiments.Record{Phase: &experiments.PhaseStart{Name: experiments.PhaseFault}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	h, err := history.Read(folder.History())
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Records) != 4 || h.Records[3].Seq != 4 || h.Records[3].Phase.Name != experiments.PhaseFault || h.Torn {
		t.Errorf("read %d records, the last %+v, torn %v; want 4 whole ones", len(h.Records), h.Records[len(h.Records)-1], h.Torn)
	}
	if _, err := w.Append(experiments.Record{}); err == nil {
		t.Error("an append to a closed history succeeded: evidence would be lost in silence")
	}
}

func TestATornLastLineIsLeftOutAndABadOneElsewhereIsNamed(t *testing.T) {
	folder, w := begin(t, nil)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(folder.History())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, tail, want string
		torn             bool
	}{
		{"torn", `{"seq":2,"at":"2026-`, "", true},
		{"garbage", "garbage\n", ":2: not a record", false},
		{"newer", `{"seq":2,"at":"2026-11-24T00:00:00Z","telepathy":{}}` + "\n", `unknown field "telepathy"`, false},
		{"gap", `{"seq":3,"at":"2026-11-24T00:00:00Z"}` + "\n", "says that it is line 3", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := history.ReadFrom("h", strings.NewReader(string(whole)+c.tail))
			if c.want == "" {
				if err != nil || h.Torn != c.torn || len(h.Records) != 1 {
					t.Errorf("read %d records, torn %v, %v; want 1, torn %v", len(h.Records), h.Torn, err, c.torn)
				}
			} else if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v; want one with %q", err, c.want)
			}
		})
	}
}

func TestSecretsAreNamedAndNotKept(t *testing.T) {
	secret := `p"ss/wörd+1`
	folder, w := begin(t, map[string]string{"SHOP_PASSWORD": secret, "SHORT": "a"})
	_, err := w.Append(experiments.Record{Exchange: &experiments.Exchange{URL: "http://x/?p=p%22ss%2Fw%C3%B6rd%2B1", Body: experiments.Text{Text: "dsn " + secret + " a"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(folder.History())
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{`p\"ss/wörd+1`, "p%22ss", "wörd"} {
		if strings.Contains(string(data), form) {
			t.Errorf("the history keeps the secret as %s", form)
		}
	}
	h, err := history.Read(folder.History())
	if err != nil {
		t.Fatal(err)
	}
	x := h.Records[1].Exchange
	if want := "dsn [redacted:SHOP_PASSWORD] a"; x.Body.Text != want {
		t.Errorf("body %q; want %q", x.Body.Text, want)
	}
	if len(x.Hits) != 1 || x.Hits[0].Pattern != "LK-06/secret:SHOP_PASSWORD" {
		t.Errorf("hits %+v; want the one secret, named", x.Hits)
	}
}

func TestMarkersAreReservedOnDiskBeforeTheyAreUsed(t *testing.T) {
	folder, w := begin(t, nil)
	m := history.NewMarkers(w, "cabc-")
	seen := map[string]bool{}
	for i := range 1500 {
		marker, err := m.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if seen[marker] {
			t.Fatalf("marker %s was handed out twice", marker)
		}
		seen[marker] = true
		if i == 0 || i == 1499 { // nothing was flushed since: what is read is what a crash would leave
			h, err := history.Read(folder.History())
			if err != nil {
				t.Fatal(err)
			}
			last := h.Records[len(h.Records)-1].Block
			if last == nil || last.Last < int64(i+1) {
				t.Errorf("marker %d is out, and the disk holds %+v", i+1, last)
			}
		}
	}
}

func TestResultAndPlanComeBack(t *testing.T) {
	folder, w := begin(t, nil)
	defer w.Close()
	hash, err := folder.SavePlan(&experiments.Plan{Schema: "candor.plan/v1", System: "shop"})
	if err != nil || len(hash) != 64 {
		t.Fatalf("SavePlan = %q, %v", hash, err)
	}
	plan, err := folder.LoadPlan()
	if err != nil || plan.System != "shop" {
		t.Errorf("LoadPlan = %+v, %v", plan, err)
	}
	if err := folder.SaveResult(experiments.Result{Run: "r", Verdict: experiments.Pass}); err != nil {
		t.Fatal(err)
	}
	result, err := folder.LoadResult()
	if err != nil || result.Verdict != experiments.Pass {
		t.Errorf("LoadResult = %+v, %v", result, err)
	}
	if again, err := history.OpenFolder(folder.Path()); err != nil || again.Path() != folder.Path() {
		t.Errorf("OpenFolder = %v, %v", again, err)
	}
}
