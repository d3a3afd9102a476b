package stores_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/effects"
	"github.com/candor-chaos/candor/experiments/probes"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRealServers asks what distributions ship, because a server that we wrote ourselves agrees with everything.
func TestRealServers(t *testing.T) {
	s := start(t)
	t.Run("mariadb", func(t *testing.T) { testMariaDB(t, s) })
	t.Run("postgres", func(t *testing.T) { testPostgres(t, s) })
	t.Run("redis", func(t *testing.T) { testRedis(t, s) })
	t.Run("prometheus", func(t *testing.T) { testPrometheus(t, s) })
}

func value(s string) *string { return &s }

func testMariaDB(t *testing.T, s servers) {
	s.mariadb(t, "create table orders (note varchar(40), pence decimal(12,2), made timestamp(3) default '2026-03-01 10:00:00.5')",
		"set time_zone = '+00:00'", "insert into orders (note, pence) values ('cdr-x-1', 12.50), ('cdr-x-1', 12.50), ('cdr-x-2', 7), ('cdr-y-1', 1)")
	url := "mysql://ann:s3cret@" + s.mysql + "/shop"
	reader := &effects.SQL{URL: text(url), Query: "select note, count(*), max(pence), max(made) from orders where note like ? group by note order by note",
		Args: []experiments.Template{text("{{ run.prefix }}%")}}
	bind(t, reader, nil)
	rows, err := reader.Read(t.Context(), surroundings())
	at := time.Date(2026, 3, 1, 10, 0, 0, 500e6, time.UTC)
	want := []experiments.TruthRow{{Marker: "cdr-x-1", Count: 2, Value: value("12.50"), At: at}, {Marker: "cdr-x-2", Count: 1, Value: value("7.00"), At: at}}
	if diff := cmp.Diff(want, rows); diff != "" || err != nil {
		t.Errorf("read %v (-want +got):\n%s", err, diff)
	}
	sees(t, &probes.SQL{URL: text(url), Query: "select count(*) as n, sum(pence) as total, null as nothing, 'x' as word from orders"},
		`rows[0].n == 4 && rows[0].total == 33.0 && rows[0].nothing == null && rows[0].word == "x"`)
	sees(t, &probes.SQL{URL: text(url), Query: "select note from orders where note = ?", Args: []experiments.Template{text("cdr-x-1")}}, "size(rows) == 2")
	for what, query := range map[string]string{
		"a reader must not write":     "delete from orders",
		"doesn't exist":               "select * from nothing",
		"named \"a\"":                 "select 1 as a, 2 as a",
		"more than 1000 rows":         "select seq from shop.x",
		"did not end|query was cance": "select sleep(20)",
	} {
		if strings.Contains(query, "shop.x") {
			query = "with recursive x(seq) as (select 1 union all select seq+1 from x where seq < 2000) select seq from x"
		}
		blind(t, &probes.SQL{URL: text(url), Query: query, Timeout: time.Second}, what)
	}
	sees(t, &probes.SQL{URL: text(url), Query: "select count(*) as n from orders"}, "rows[0].n == 4")
	blind(t, &probes.SQL{URL: text(strings.Replace(url, "s3cret", "wr0ng", 1)), Query: "select 1"}, "Access denied")
	blind(t, &probes.SQL{URL: text("mysql://ann:s3cret@" + closed(t) + "/shop"), Query: "select 1"}, "refused")
	blind(t, &probes.SQL{URL: text(url + "?allowAllFiles=true"), Query: "select 1"}, "cannot follow")
}

func testPostgres(t *testing.T, s servers) {
	s.psql(t, "create table orders (note text, pence numeric)", "insert into orders values ('cdr-x-1', 12.50), ('cdr-x-2', 7)")
	url := "postgres://ann:s3cret@" + s.postgres + "/postgres"
	sees(t, &probes.SQL{URL: text(url), Query: "select count(*) as n, sum(pence) as total, true as yes, null as nothing from orders where note like $1",
		Args: []experiments.Template{text("cdr-x-%")}}, `rows[0].n == 2 && rows[0].total == 19.5 && rows[0].yes && rows[0].nothing == null`)
	sees(t, &probes.SQL{URL: text(url), Query: "select note from orders where false"}, "size(rows) == 0")
	for what, query := range map[string]string{
		"a reader must not write": "delete from orders",
		"does not exist":          "select * from nothing",
		"did not end|cancelled":   "select pg_sleep(20)",
		"KiB of rows":             "select repeat('x', 10000) as a from generate_series(1, 900)",
	} {
		blind(t, &probes.SQL{URL: text(url), Query: query, Timeout: time.Second}, what)
	}
	reader := &effects.SQL{URL: text(url), Query: "select note, count(*), max(pence) from orders group by note order by note"}
	bind(t, reader, nil)
	rows, err := reader.Read(t.Context(), surroundings())
	want := []experiments.TruthRow{{Marker: "cdr-x-1", Count: 1, Value: value("12.50")}, {Marker: "cdr-x-2", Count: 1, Value: value("7")}}
	if diff := cmp.Diff(want, rows); diff != "" || err != nil {
		t.Errorf("read %v (-want +got):\n%s", err, diff)
	}
}

func testRedis(t *testing.T, s servers) {
	client := s.client(t)
	ctx := t.Context()
	pipe := client.Pipeline()
	want := map[string]experiments.TruthRow{}
	for i := range 3000 {
		marker := fmt.Sprintf("cdr-x-%d", i)
		pipe.Set(ctx, "order:"+marker, fmt.Sprintf(`{"pence": %d}`, i), 0)
		want[marker] = experiments.TruthRow{Marker: marker, Count: 1, Value: value(fmt.Sprint(i))}
	}
	pipe.Set(ctx, "order:cdr-y-1", "{}", 0)
	pipe.HSet(ctx, "paid:cdr-x-1", "pence", "1200", "times", "2")
	for _, entry := range []string{"cdr-x-1", "cdr-x-2", "cdr-x-1"} {
		pipe.RPush(ctx, "mails", entry)
		pipe.SAdd(ctx, "members", entry)
		pipe.ZAdd(ctx, "scores", redis.Z{Score: 3, Member: entry})
	}
	pipe.XAdd(ctx, &redis.XAddArgs{Stream: "events", ID: "1772359200500-0", Values: []string{"ref", "cdr-x-1", "pence", "1200"}})
	pipe.XAdd(ctx, &redis.XAddArgs{Stream: "events", ID: "1772359200500-1", Values: []string{"ref", "cdr-x-1", "pence", "900"}})
	pipe.Set(ctx, "big", strings.Repeat("x", 9<<20), 0)
	if _, err := pipe.Exec(ctx); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 10, 0, 0, 500e6, time.UTC)
	url := text("redis://:s3cret@" + s.redis + "/0")
	reads(t, &effects.Redis{URL: url, Keys: text("order:{{ run.prefix }}*"), Marker: expr("item.key.replace('order:', '')"), Value: expr("item.json.pence")},
		slices.Collect(maps.Values(want))...)
	reads(t, &effects.Redis{URL: url, Keys: text("paid:*"), Marker: expr("item.key.split(':')[1]"), Count: expr("int(item.value.times)"), Value: expr("item.value.pence")},
		experiments.TruthRow{Marker: "cdr-x-1", Count: 2, Value: value("1200")})
	reads(t, &effects.Redis{URL: url, List: text("mails")}, experiments.TruthRow{Marker: "cdr-x-1", Count: 2}, experiments.TruthRow{Marker: "cdr-x-2", Count: 1})
	reads(t, &effects.Redis{URL: url, Set: text("members")}, experiments.TruthRow{Marker: "cdr-x-1", Count: 1}, experiments.TruthRow{Marker: "cdr-x-2", Count: 1})
	reads(t, &effects.Redis{URL: url, Sorted: text("scores"), Count: expr("int(item.score)")},
		experiments.TruthRow{Marker: "cdr-x-1", Count: 3}, experiments.TruthRow{Marker: "cdr-x-2", Count: 3})
	reads(t, &effects.Redis{URL: url, Stream: text("events"), Marker: expr("item.fields.ref"), Value: expr("item.fields.pence")},
		experiments.TruthRow{Marker: "cdr-x-1", Count: 2, Value: value("1200 | 900"), At: at})
	reads(t, &effects.Redis{URL: url, List: text("never-made")})

	sees(t, &probes.Redis{URL: url, Get: text("order:cdr-x-7")}, `value == '{"pence": 7}'`)
	sees(t, &probes.Redis{URL: url, Get: text("never-made")}, `value == null`)
	sees(t, &probes.Redis{URL: url, Command: []experiments.Template{text("llen"), text("mails")}}, `value == 3`)
	sees(t, &probes.Redis{URL: url, Command: []experiments.Template{text("LRANGE"), text("mails"), text("0"), text("-1")}}, `size(value) == 3 && value[0] == "cdr-x-1"`)
	blind(t, &probes.Redis{URL: url, Get: text("mails")}, "another kind")
	blind(t, &probes.Redis{URL: url, Get: text("big")}, "larger than a look may read")
	blind(t, &probes.Redis{URL: text("redis://" + s.redis), Get: text("a")}, "does not let this user look")
	blind(t, &probes.Redis{URL: text("redis://:wr0ng@" + s.redis), Get: text("a")}, "does not let this user look")
	blind(t, &probes.Redis{URL: text("redis://:s3cret@" + closed(t)), Get: text("a")}, "refused")
	output(t, "docker", "exec", s.container, "redis-cli", "-a", "s3cret", "--no-auth-warning", "client", "pause", "1500")
	blind(t, &probes.Redis{URL: url, Get: text("a"), Timeout: 200 * time.Millisecond}, "deadline|timeout")
}

func testPrometheus(t *testing.T, s servers) {
	url := text("http://" + s.prometheus)
	up := &probes.Prometheus{URL: url, Query: text("up")}
	bind(t, up, nil)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		seen, err := up.Observe(t.Context(), surroundings())
		if err == nil && seen.OK {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("Prometheus has not scraped itself: %+v, %v", seen, err)
		}
	}
	sees(t, up, "value == 1.0 && value > 0")
	sees(t, &probes.Prometheus{URL: url, Query: text("scalar(up) + 41")}, "value == 42.0")
	sees(t, &probes.Prometheus{URL: url, Query: text(`nothing{code=~"5.."}`)}, "value == null")
	sees(t, &probes.Prometheus{URL: url, Query: text("sum(up) * 0 / 0")}, "value == null")
	blind(t, &probes.Prometheus{URL: url, Query: text(`{job="itself"}`)}, "sum or max")
	blind(t, &probes.Prometheus{URL: url, Query: text("up[1m]")}, "no number at one moment")
	blind(t, &probes.Prometheus{URL: url, Query: text("sum(")}, "parse error")
	blind(t, &probes.Prometheus{URL: text("http://ann:s3cret@" + closed(t)), Query: text("up")}, "refused")
}

func bind(t *testing.T, value any, sees []string) {
	t.Helper()
	if err := experiments.Bind(value, sees, nil); err != nil {
		t.Fatal(err)
	}
}

// sees looks once and asks an expression about what was seen.
func sees(t *testing.T, p experiments.ProbeSpec, condition string) {
	t.Helper()
	check := &struct {
		Expect experiments.Expr `yaml:"expect" env:"probe"`
	}{expr(condition)}
	bind(t, p, nil)
	bind(t, check, []string{"rows", "value", "elapsed"})
	seen, err := p.Observe(t.Context(), surroundings())
	if err != nil {
		t.Errorf("%+v could not look: %v", p, err)
		return
	}
	if holds, err := check.Expect.Holds(seen.Vars); !holds || err != nil {
		t.Errorf("%s is %v, %v; saw %v (%s)", condition, holds, err, seen.Vars, seen.Summary)
	}
}

// blind wants a look that could not look, and a reason without a password.
func blind(t *testing.T, p experiments.ProbeSpec, words string) {
	t.Helper()
	bind(t, p, nil)
	seen, err := p.Observe(t.Context(), surroundings())
	one := func(w string) bool { return err != nil && strings.Contains(err.Error(), w) }
	if !slices.ContainsFunc(strings.Split(words, "|"), one) {
		t.Errorf("saw %+v, %v; want an error with %q", seen, err, words)
		return
	}
	if strings.Contains(err.Error(), "s3cret") || len(err.Error()) > 500 {
		t.Errorf("%d bytes, or a password: %v", len(err.Error()), err)
	}
}

func reads(t *testing.T, r experiments.ReaderSpec, want ...experiments.TruthRow) {
	t.Helper()
	bind(t, r, nil)
	rows, err := r.Read(t.Context(), surroundings())
	if err != nil {
		t.Errorf("could not read: %v", err)
		return
	}
	byMarker := func(a, b experiments.TruthRow) int { return strings.Compare(a.Marker, b.Marker) }
	slices.SortFunc(rows, byMarker)
	slices.SortFunc(want, byMarker)
	if diff := cmp.Diff(want, rows); diff != "" && len(want)+len(rows) > 0 {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}
