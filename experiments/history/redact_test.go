package history_test

import (
	"encoding/base64"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/history"
)

// kept writes one record with secrets about and gives the file and the record that is read back.
func kept(t *testing.T, secrets map[string]string, r experiments.Record) (string, experiments.Record) {
	t.Helper()
	folder, w := begin(t, secrets)
	if _, err := w.Append(r); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(folder.History())
	if err != nil {
		t.Fatal(err)
	}
	h, err := history.Read(folder.History())
	if err != nil {
		t.Fatal(err)
	}
	return string(data), h.Records[len(h.Records)-1]
}

func TestASecretIsFoundInEachOfItsForms(t *testing.T) {
	const secret = `s3cr<t"/wörd+9`
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("shop:"+secret))
	for name, text := range map[string]string{
		"plain": "x " + secret + " y", "query": "?p=" + url.QueryEscape(secret), "path": "/" + url.PathEscape(secret) + "/",
		"json": `{"p":"s3cr\u003ct\"/wörd+9"}`, "html": "<b>s3cr&lt;t&#34;/wörd+9</b>",
		"base64": base64.StdEncoding.EncodeToString([]byte(secret)), "base64url": base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"basic": basic, "basic shifted": base64.StdEncoding.EncodeToString([]byte("ab:" + secret + "!")),
	} {
		t.Run(name, func(t *testing.T) {
			_, r := kept(t, map[string]string{"DB": secret}, experiments.Record{Exchange: &experiments.Exchange{Body: experiments.Text{Text: text}}})
			if !strings.Contains(r.Exchange.Body.Text, "[redacted:DB]") {
				t.Errorf("the body keeps %q", r.Exchange.Body.Text)
			}
			if len(r.Exchange.Hits) != 1 || r.Exchange.Hits[0].Pattern != "LK-06/secret:DB" {
				t.Errorf("hits %+v; want the secret once", r.Exchange.Hits)
			}
		})
	}
}

func TestOfAnAddressThePasswordAloneIsASecretToo(t *testing.T) {
	_, r := kept(t, map[string]string{"DB": "postgres://shop:hunter2hunter2@db/orders"},
		experiments.Record{Exchange: &experiments.Exchange{Headers: map[string][]string{"X-Debug": {"host=db password=hunter2hunter2"}}}})
	if got, want := r.Exchange.Headers["X-Debug"][0], "host=db password=[redacted:DB]"; got != want {
		t.Errorf("the header keeps %q; want %q", got, want)
	}
	if len(r.Exchange.Hits) != 1 {
		t.Errorf("hits %+v; want one", r.Exchange.Hits)
	}
}

// What a variable holds is not always a secret: an honest page that has the same word must be kept, and is no leak.
func TestOrdinaryValuesAreNoSecrets(t *testing.T) {
	for _, value := range []string{"production", "Postgres", "localhost", "orders-db:5432", "shop.example", "2026-11-24", "10.17.0.1:80", "MAINTENANCE_MODE", "short1", "Ann Lee-Smith", "ann.lee+1@mail.example"} {
		_, r := kept(t, map[string]string{"MODE": value}, experiments.Record{Exchange: &experiments.Exchange{Body: experiments.Text{Text: "at " + value + " now"}}})
		if want := "at " + value + " now"; r.Exchange.Body.Text != want || len(r.Exchange.Hits) != 0 {
			t.Errorf("%q was taken for a secret: kept %q with %+v", value, r.Exchange.Body.Text, r.Exchange.Hits)
		}
	}
	for name, value := range map[string]string{"DB_PASSWORD": "correcthorse", "X": "correct7horse", "Y": "CorrectHorse", "Z": "a7d9-44c1-9b3e"} {
		_, r := kept(t, map[string]string{name: value}, experiments.Record{Exchange: &experiments.Exchange{Why: value}})
		if r.Exchange.Why != "[redacted:"+name+"]" {
			t.Errorf("%s=%s was kept as %q", name, value, r.Exchange.Why)
		}
	}
}

// A secret may be a word of the format itself: the line must stay readable, and all else on it as it was.
func TestRedactionChangesTextsAlone(t *testing.T) {
	yes := true
	value := "12"
	in := experiments.Record{
		Exchange: &experiments.Exchange{Marker: "c-1", Journey: "buy", By: experiments.ByClient, Method: "GET", URL: "http://x/?baseline", Status: 500,
			RequestHeaders: map[string]string{"A": "exchange"}, Headers: map[string][]string{"B": {"v", "exchange!"}}, Expect: &yes,
			Hits: []experiments.PatternHit{{Pattern: "LK-01/go-trace", Offset: 7, Text: "baseline"}}, Body: experiments.Text{Text: "ok", Length: 2}},
		Phase: &experiments.PhaseStart{Name: experiments.PhaseBaseline},
		Claim: &experiments.ClaimMade{Claim: experiments.ClaimRefused, Effects: map[string]experiments.Claim{"order": experiments.ClaimSuccess}},
		Truth: &experiments.TruthRead{Rows: []experiments.TruthRow{{Marker: "c-1", Count: 1, Value: &value}}},
	}
	data, got := kept(t, map[string]string{"A_SECRET": "exchange", "B_TOKEN": "baseline"}, in)
	if in.Exchange.URL != "http://x/?baseline" || in.Exchange.Headers["B"][1] != "exchange!" || len(in.Exchange.Hits) != 1 {
		t.Errorf("the caller's record was changed: %+v", in.Exchange)
	}
	want := in
	exchange := *in.Exchange
	exchange.URL, exchange.RequestHeaders = "http://x/?[redacted:B_TOKEN]", map[string]string{"A": "[redacted:A_SECRET]"}
	exchange.Headers = map[string][]string{"B": {"v", "[redacted:A_SECRET]!"}}
	exchange.Hits = []experiments.PatternHit{{Pattern: "LK-01/go-trace", Offset: 7, Text: "[redacted:B_TOKEN]"}, {Pattern: "LK-06/secret:A_SECRET", Text: "[redacted:A_SECRET]"}}
	want.Exchange, want.Seq, want.At = &exchange, got.Seq, got.At
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the record came back changed (-want +got):\n%s\n%s", diff, data)
	}
}

func TestASecretIsMetBeyondWhatIsKept(t *testing.T) {
	_, w := begin(t, map[string]string{"DB": "postgres://shop:hunter2hunter2@db/orders"})
	defer w.Close()
	theirs := experiments.PatternHit{Pattern: "LK-01/go-trace"}
	inspect := w.Inspect(func([]byte) []experiments.PatternHit { return []experiments.PatternHit{theirs} })
	want := []experiments.PatternHit{{Pattern: "LK-06/secret:DB", Offset: 4, Text: "[redacted:DB]"}, theirs}
	if diff := cmp.Diff(want, inspect([]byte("p = hunter2hunter2; hunter2hunter2"))); diff != "" {
		t.Errorf("hits (-want +got):\n%s", diff)
	}
	if hits := w.Inspect(nil)([]byte("nothing")); hits != nil {
		t.Errorf("met %+v in nothing", hits)
	}
}
