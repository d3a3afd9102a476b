package faults_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
)

// broken prepares and injects a fault in a Fake.
func broken(t *testing.T, w *faulttest.Fake, text string) faults.Fault {
	t.Helper()
	_, f := load(t, text)
	if _, err := f.Prepare(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if err := f.Inject(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	return f
}

func sees(t *testing.T, w *faulttest.Fake, f faults.Fault, want faults.State, when string) {
	t.Helper()
	if s, err := f.State(t.Context(), w); s != want || err != nil {
		t.Errorf("State %s = %v, %v; want %v", when, s, err, want)
	}
}

func mend(t *testing.T, w *faulttest.Fake, f faults.Fault) {
	t.Helper()
	if err := f.Revert(t.Context(), w); err != nil {
		t.Errorf("Revert = %v", err)
	}
	sees(t, w, f, faults.Absent, "after Revert")
}

func TestSentencesOfServices(t *testing.T) {
	for text, want := range map[string]string{
		"stop: {service: orders}":                         "orders (container shop_orders_1) is stopped, killed if it has not ended after 10s; it is started again at the end if nobody else did",
		"stop: {service: orders, grace: 0s}":              "orders (container shop_orders_1) is stopped, at once, without being asked; it is started again at the end if nobody else did",
		"restart: {service: orders, grace: 3s}":           "orders (container shop_orders_1) is stopped, killed if it has not ended after 3s, and started again at once",
		"cpu: {service: orders, cores: 0.25}":             "orders (container shop_orders_1) gets at most 0.25 cores of processor time, and had 2",
		"memory: {service: orders, limit: 64MiB}":         "orders (container shop_orders_1) may have at most 64MiB of memory, and had no limit; it holds 8.0MiB now that cannot be taken back",
		"disconnect: {service: orders}":                   "orders (container shop_orders_1) leaves network shop_default, where it has address 172.18.0.4 and fd00::4 as orders, the-orders; it comes back with what it had",
		"disconnect: {service: orders, network: default}": "orders (container shop_orders_1) leaves network shop_default, where it has address 172.18.0.4 and fd00::4 as orders, the-orders; it comes back with what it had",
	} {
		_, f := load(t, text)
		if got, err := f.Prepare(t.Context(), faulttest.NewFake()); got != want || err != nil {
			t.Errorf("Prepare of %s = %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestValidateServices(t *testing.T) {
	for text, want := range map[string]string{
		"stop: {service: orders}":                    "",
		"stop: {}":                                   "service: is missing",
		"stop: {service: orders, grace: -1s}":        "grace: -1s is negative",
		"stop: {service: orders, grace: 1500ms}":     "grace: 1.5s is not a whole number of seconds",
		"restart: {service: orders, grace: 1m}":      "grace: 1m0s is more than 30s",
		"cpu: {service: orders}":                     "cores: is missing or zero (such as 0.5; 0.01 is the least)",
		"cpu: {service: orders, cores: -1}":          "cores: -1 is not a number of cores from 0.01 to 4096",
		"cpu: {service: orders, cores: .nan}":        "cores: NaN is not a number of cores from 0.01 to 4096",
		"cpu: {cores: 0.5}":                          "service: is missing",
		"memory: {service: orders}":                  "limit: is missing or zero (such as 64MiB)",
		"memory: {service: orders, limit: 100kB}":    "limit: 100kB is less than 1MiB",
		"disconnect: {network: default}":             "service: is missing",
		"disconnect: {service: web, network: other}": "",
	} {
		_, f := load(t, text)
		if got := mistakes(f.(faults.Validator).Validate()); got != want {
			t.Errorf("Validate of %s = %s; want %s", text, got, want)
		}
	}
}

func TestPrepareOfServicesRefuses(t *testing.T) {
	w := faulttest.NewFake()
	w.Stop("catalog")
	w.Allow("web", faults.Allowance{Quota: 50_000, Period: 100_000, Memory: 64 << 20, Held: 30 << 20, Cores: 2})
	w.Reattach("mail", faults.Attachment{Network: "shop_back", NetworkID: "network-2"})
	for text, want := range map[string]string{
		"stop: {service: catalog}":                 "catalog (container shop_catalog_1) does not run",
		"restart: {service: vault}":                "protected by its label candor.protect",
		"cpu: {service: vault, cores: 0.1}":        "protected by its label candor.protect",
		"disconnect: {service: vault}":             "protected by its label candor.protect",
		"cpu: {service: web, cores: 0.5}":          "web (container shop_web_1) has 0.5 cores now: a limit of 0.5 would not bite",
		"cpu: {service: orders, cores: 3}":         "has 2 cores now: a limit of 3 would not bite",
		"memory: {service: web, limit: 64MiB}":     "web (container shop_web_1) may have at most 64MiB now: a limit of 64MiB would not bite",
		"memory: {service: web, limit: 20MiB}":     "web (container shop_web_1) holds 30.0MiB of memory that cannot be taken back from it: a limit of 20MiB cannot be kept",
		"disconnect: {service: mail}":              "mail (container shop_mail_1) is in several networks (shop_default, shop_back), name one: ambiguous",
		"disconnect: {service: mail, network: up}": "mail (container shop_mail_1) is not in network up, but in shop_default, shop_back: not found",
	} {
		_, f := load(t, text)
		if said, err := f.Prepare(t.Context(), w); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Prepare of %s = %q, %v; want %q", text, said, err, want)
		}
	}
}

// A stop whose runner died goes on in the engine: a start that finds the service running would be undone by it.
func TestRevertFinishesAStopThatIsUnderWay(t *testing.T) {
	for _, text := range []string{"stop: {service: orders}", "restart: {service: orders}"} {
		w := faulttest.NewFake()
		_, f := load(t, text)
		if _, err := f.Prepare(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		calls, _ := w.Counts()
		w.Before = func(call int, write bool) faulttest.Failure {
			if call == calls+2 { // asked to end, and no more
				return faulttest.Early
			}
			return faulttest.None
		}
		if err := f.Inject(t.Context(), w); err == nil {
			t.Fatal("Inject was not interrupted: this shows nothing")
		}
		w.Before = nil
		sees(t, w, f, faults.Partial, "while it is on its way down")
		mend(t, w, f)
		if left := w.Broken(); len(left) > 0 {
			t.Errorf("%s leaves %v", text, left)
		}
	}
}

func TestStopEndsWhenSomebodyElseStartsIt(t *testing.T) {
	w := faulttest.NewFake()
	f := broken(t, w, "stop: {service: orders}")
	sees(t, w, f, faults.Present, "while it is down")
	w.Restart("orders")
	sees(t, w, f, faults.Absent, "when somebody else started it")
	before := w.Dump()
	mend(t, w, f)
	if w.Dump() != before {
		t.Error("Revert touched what somebody else had started")
	}
}

// What a restart takes away, memory and sessions, the next incarnation does not bring back.
func TestRestartIsInForceUntilRevert(t *testing.T) {
	w := faulttest.NewFake()
	f := broken(t, w, "restart: {service: orders}")
	if left := w.Broken(); len(left) > 0 {
		t.Errorf("it is not up again: %v", left)
	}
	sees(t, w, f, faults.Present, "when it runs again")
	mend(t, w, f)
}

// A limit that somebody else wrote meanwhile is theirs.
func TestLimitsOfOthersStay(t *testing.T) {
	for _, text := range []string{"cpu: {service: orders, cores: 0.5}", "memory: {service: orders, limit: 64MiB}"} {
		w := faulttest.NewFake()
		f := broken(t, w, text)
		sees(t, w, f, faults.Present, "after Inject")
		w.Allow("orders", faults.Allowance{Quota: 70_000, Period: 100_000, Memory: 100 << 20, Held: 8 << 20, Cores: 2})
		before := w.Dump()
		mend(t, w, f)
		if w.Dump() != before {
			t.Errorf("Revert of %s took away what somebody else had written", text)
		}
	}
}

func TestAnAttachmentOfOthersStays(t *testing.T) {
	w := faulttest.NewFake()
	f := broken(t, w, "disconnect: {service: orders}")
	w.Reattach("orders", faults.Attachment{Network: "shop_default", NetworkID: "network-1", Aliases: []string{"theirs"}, IPv4: "172.18.0.9"})
	before := w.Dump()
	mend(t, w, f)
	if w.Dump() != before {
		t.Error("Revert touched what somebody else had connected")
	}
	want := "orders (container shop_orders_1) is in network shop_default again, but at 172.18.0.9: it was at 172.18.0.4 and fd00::4, which cannot be asked for there or has been taken"
	if got := f.(faults.Noter).Note(); got != want {
		t.Errorf("Note = %q; want %q", got, want)
	}
}

func TestANetworkThatIsGoneIsNobodysToMend(t *testing.T) {
	w := faulttest.NewFake()
	f := broken(t, w, "disconnect: {service: orders}")
	w.DropNetwork()
	mend(t, w, f)
	want := "network shop_default is gone: orders (container shop_orders_1) could not be connected to it again"
	if got := f.(faults.Noter).Note(); got != want {
		t.Errorf("Note = %q; want %q", got, want)
	}
}

func TestNotesAndHandsOfServices(t *testing.T) {
	for text, byHand := range map[string]string{
		"stop: {service: orders}":                 "docker start shop_orders_1",
		"restart: {service: orders}":              "docker start shop_orders_1",
		"cpu: {service: orders, cores: 0.5}":      "docker restart shop_orders_1",
		"memory: {service: orders, limit: 64MiB}": "docker restart shop_orders_1",
		"disconnect: {service: orders}":           "docker network connect --alias orders --alias the-orders --ip 172.18.0.4 shop_default shop_orders_1",
	} {
		w := faulttest.NewFake()
		f := broken(t, w, text)
		if got := f.(faults.Handy).ByHand(w); got != byHand {
			t.Errorf("ByHand of %s = %q; want %q", text, got, byHand)
		}
		w.Replace("orders")
		if err := f.Revert(t.Context(), w); !errors.Is(err, faults.ErrReplaced) {
			t.Errorf("Revert of %s when it was replaced = %v", text, err)
		}
		if got, want := f.(faults.Noter).Note(), "orders (container shop_orders_1) is gone, and another one has its name"; got != want {
			t.Errorf("Note of %s = %q; want %q", text, got, want)
		}
	}
}

func TestDNS(t *testing.T) {
	for text, want := range map[string]string{
		"dns: {from: web, names: [payments, api.example.com]}":  "web (container shop_web_1) looks up payments, api.example.com, and names below, and is told that they do not exist",
		"dns: {from: web, names: [payments], answer: servfail}": "web (container shop_web_1) looks up payments, and names below, and is told that the name server failed",
		"dns: {from: web, names: [payments], answer: timeout}":  "web (container shop_web_1) looks up payments, and names below, and gets no answer",
	} {
		_, f := load(t, text)
		if got, err := f.Prepare(t.Context(), faulttest.NewFake()); got != want || err != nil {
			t.Errorf("Prepare of %s = %q, %v; want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"dns: {from: web, names: [payments, _sip._tcp.example.com., xn--bcher-kva.example]}": "",
		"dns: {from: web}":                                      "names: is missing or empty (such as [payments, api.example.com])",
		"dns: {names: [payments]}":                              "from: is missing",
		"dns: {from: web, names: ['*.example.com']}":            `names: "*.example.com" has a star (a name stands for all below it too: example.com)`,
		"dns: {from: web, names: ['', 'a b', '-a']}":            `names: "" is no name to look up; names: "a b" is no name to look up; names: "-a" is no name to look up`,
		"dns: {from: web, names: [payments], answer: nxdomian}": `answer: unknown answer "nxdomian" (did you mean "nxdomain"?)`,
	} {
		_, f := load(t, text)
		if got := mistakes(f.(faults.Validator).Validate()); got != want {
			t.Errorf("Validate of %s = %s; want %s", text, got, want)
		}
	}
}

// Another misnaming of the same service is not ours to end.
func TestMisnamingsOfOthersStay(t *testing.T) {
	w := faulttest.NewFake()
	ours := broken(t, w, "dns: {from: web, names: [payments]}")
	theirs := broken(t, w, "dns: {from: web, names: [orders]}")
	w.Restart("web")
	sees(t, w, ours, faults.Present, "after a restart")
	mend(t, w, ours)
	sees(t, w, theirs, faults.Present, "when the other one has ended")
	mend(t, w, theirs)
}
