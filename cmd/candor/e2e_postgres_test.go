package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/demo"
	"github.com/candor-chaos/candor/faults/docker"
)

// postgresImage is the image with a PostgreSQL in it: the one that the environment names, else the one that
// testdata/images/prepare makes from the distribution's packages. Nothing is pulled.
func postgresImage(t *testing.T) string {
	t.Helper()
	if name := os.Getenv("CANDOR_TEST_IMAGE_POSTGRES"); name != "" {
		return name
	}
	prepare := filepath.Join("..", "..", "testdata", "images", "prepare")
	if out, err := exec.CommandContext(t.Context(), prepare).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", prepare, err, out)
	}
	name, err := exec.CommandContext(t.Context(), prepare, "name").Output()
	if err != nil {
		t.Fatalf("%s name: %v", prepare, err)
	}
	return strings.TrimSpace(string(name))
}

// startPostgres makes a cluster and serves it to the stack's network. fsync is off: it is thrown away.
const startPostgres = `set -e
bin=$(echo /usr/lib/postgresql/*/bin)
mkdir -p /cluster && chown postgres /cluster
su postgres -c "$bin/initdb -D /cluster -A trust -U shop" >/dev/null
echo "host all all all trust" >> /cluster/pg_hba.conf
su postgres -c "$bin/pg_ctl -D /cluster -w -o '-c listen_addresses= -k /tmp' start" >/dev/null
su postgres -c "$bin/createdb -h /tmp -U shop shop"
su postgres -c "$bin/pg_ctl -D /cluster -w stop" >/dev/null
exec su postgres -c "exec $bin/postgres -D /cluster -c listen_addresses='*' -c fsync=off -k /tmp"`

// TestE2EPostgres runs an experiment on a shop whose orders lie in a real PostgreSQL: the path from orders to its database
// is refused and then slowed, pooled connections included, while the truth is read by SQL over a path of its own.
func TestE2EPostgres(t *testing.T) {
	if !dockerWanted(t) {
		t.Skip("LEFT OUT: needs Docker")
	}
	image := postgresImage(t)
	var talk bytes.Buffer
	g := &global{streams: streams{out: io.Discard, err: &talk}, binary: buildCandor(t), stateDir: t.TempDir()}
	work := t.TempDir()
	i := demo.Instance{Project: projectName("e2e-postgres", strconv.Itoa(os.Getpid())), Speed: demoSpeed, Canary: demoCanary, Postgres: "postgres://shop@orders-db:5432/shop?sslmode=disable"}
	s, err := startShop(t.Context(), g, i, filepath.Join(work, "project"), filepath.Join(work, "data"), nil, docker.StackContainer{
		Service: "orders-db", Image: image, Command: []string{"bash", "-c", startPostgres}, Publish: map[int]int{postgresPort: 0}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.down(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	file := filepath.Join(work, "project", "experiments", "database.yaml")
	if err := os.WriteFile(file, []byte(databaseExperiment), 0o600); err != nil {
		t.Fatal(err)
	}
	plan, err := compile(g, file)
	if err != nil {
		t.Fatal(err)
	}
	saved, err := runSaved(t.Context(), g, plan, newProgress(plan, "", &talk))
	if err != nil {
		t.Fatalf("%v\n%s", err, talk.String())
	}
	r := saved.Result
	if r.Verdict != experiments.Pass || !r.Environment.Clean {
		t.Errorf("verdict %s, reasons %+v, left %v, findings %+v", r.Verdict, r.Reasons, r.Environment.Left, r.Findings)
	}
	for _, f := range r.Faults {
		if f.Hits == 0 || f.StateAfter != "absent" {
			t.Errorf("fault %s: %d hits, %s afterwards", f.Name, f.Hits, f.StateAfter)
		}
	}
	buy := r.Journeys[0]
	if buy.Outcomes["ack-true"] == 0 || buy.Outcomes["rejected-honest"] == 0 || buy.Outcomes["unverifiable"] > 0 {
		t.Errorf("outcomes %v; want promises kept, refusals that were true, and no truth unread", buy.Outcomes)
	}
}

const databaseExperiment = `apiVersion: candor/v1
kind: Experiment
name: database
service: web
hypothesis: checkout tells the truth when the database of orders is refused, and when it is slow
timeline: {baseline: 3s, recovery: 4s, settle: 500ms, reread: 2s}
steady:
  - {http: {get: "{{ web.url }}/readyz"}, every: 500ms}
  - {logs: {service: orders, match: "panic|runtime error"}, every: 500ms, expect: count == 0 && size(lines) == 0}
journeys:
  - {use: ../journeys/buy-a-book.yaml, users: 4, every: 300ms}
faults:
  - {name: the database refuses, outage: {from: orders, to: orders-db, mode: refuse}, for: 4s}
  - {name: the database is slow, latency: {from: orders, to: orders-db, delay: 30ms}, at: 5s, for: 4s}
expect:
  - {journey: buy-a-book, during: baseline, success: ">= 99%"}
`
