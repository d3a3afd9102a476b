package experiments_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/candor-chaos/candor/experiments"
)

// proxied is a system behind somebody's Toxiproxy, local is one that candor starts itself.
const (
	proxied = `runtime: {toxiproxy: {url: "http://127.0.0.1:8474", paths: {web → payments: payments}}}
services:
  web: {url: "http://127.0.0.1:8080", port: 8080, needs: [payments]}
  payments: {port: 8081}
`
	local = `runtime: {process: {}}
services:
  web: {url: "http://127.0.0.1:8080", port: 8080, needs: [payments], command: [./web]}
  payments: {port: 8081, command: [./payments]}
`
)

// A dose that a runtime cannot give is refused at its key before anything is touched, whatever the kind of fault.
func TestCompileDoses(t *testing.T) {
	draws := "draws a share from no seed"
	for _, c := range []struct{ system, fault, where, want string }{
		{proxied, "latency: {from: web, to: payments, delay: 1s}, share: 30%", "share", draws},
		{proxied, "latency: {from: web, to: payments, delay: 1s}, ramp: 2s", "ramp", draws},
		{proxied, "slow: {from: web, to: payments, rate: 1KiB/s}, share: 30%", "share", draws},
		{proxied, "trickle: {from: web, to: payments, size: 1B, gap: 1s}, ramp: 1s", "ramp", draws},
		{proxied, "cut: {from: web, to: payments, after: 1B}, share: 30%", "share", draws},
		{proxied, "linger: {from: web, to: payments, delay: 1s}, share: 30%", "share", draws},
		{proxied, "outage: {from: web, to: payments, mode: reset}, share: 30%", "share", draws},
		{proxied, "outage: {from: web, to: payments, mode: hang}, ramp: 1s", "ramp", draws},
		{proxied, "outage: {from: web, to: payments, mode: refuse}", "outage", "accepts before it dials"},
		{proxied, "flap: {from: web, to: payments, down: 1s, up: 1s}", "flap", "cannot do"},
		{proxied, "errors: {from: web, to: payments}", "errors", "cannot do"},
		{proxied, "latency: {from: web, to: payments, delay: 1s}", "", ""},
		{proxied, "outage: {from: web, to: payments, mode: reset}, share: 100%", "", ""},
		{local, "outage: {from: web, to: payments, mode: refuse}, share: 30%", "share", "no share of them"},
		{local, "flap: {from: web, to: payments, down: 1s, up: 1s}, ramp: 2s", "ramp", "no share of them"},
		{local, "outage: {from: web, to: payments, mode: blackhole}, share: 30%, ramp: 1s", "", ""},
		{local, "flap: {from: web, to: payments, down: 1s, up: 1s, mode: reset}, share: 30%", "", ""},
		{local, "latency: {from: web, to: payments, delay: 1s}, share: 30%, ramp: 1s", "", ""},
	} {
		t.Run(c.fault, func(t *testing.T) { checkDose(t, c.system, c.fault, c.where, c.want) })
	}
}

func checkDose(t *testing.T, system, fault, where, want string) {
	dir := t.TempDir()
	line := "  - {" + fault + ", for: 5s}"
	files := map[string]string{
		"candor.yaml": "apiVersion: candor/v1\nkind: System\nname: shop\n" + system,
		"browse.yaml": "apiVersion: candor/v1\nkind: Journey\nname: browse\nsurface: http\nservice: web\nsteps:\n  - {name: home, get: /}\n",
		"x.yaml": "apiVersion: candor/v1\nkind: Experiment\nname: x\nservice: web\nhypothesis: it stays honest\nsteady:\n  - {http: {get: \"{{ web.url }}/\"}}\n" +
			"journeys:\n  - {use: browse.yaml}\nfaults:\n" + line + "\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := experiments.Validate([]string{dir}, experiments.LoadOptions{Catalog: catalog()})
	if want == "" {
		if err != nil {
			t.Errorf("it is refused: %v", err)
		}
		return
	}
	var list experiments.ErrorList
	if !errors.As(err, &list) || len(list) != 1 {
		t.Fatalf("not one mistake: %v", err)
	}
	key := strings.Index(line, where+":")
	for _, col := range []int{key + 1, key + len(where) + 3} { // of the key, or of its value
		if list[0].Pos.Line == 11 && list[0].Pos.Col == col && strings.Contains(list[0].Msg, want) {
			return
		}
	}
	t.Errorf("%v; want it to say %q at %s", fmt.Sprint(list[0]), want, where)
}
