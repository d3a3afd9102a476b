package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/candor-chaos/candor/experiments/demo"
)

// memoryLimit is how large candor may get, whatever a target answers.
const memoryLimit = 200 << 20

// scream is what must never stand in a report as it is.
const scream = `<script>document.title="candor was here"</script>`

// hostile answers as nobody should: without end, without measure, packed a thousand times, and with scripts.
func hostile() http.Handler {
	mux := http.NewServeMux()
	block := bytes.Repeat([]byte("a"), 1<<20)
	mux.HandleFunc("/huge", func(w http.ResponseWriter, r *http.Request) {
		for range 1024 {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/bomb", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		for range 1024 {
			if _, err := z.Write(block); err != nil {
				return
			}
		}
		z.Close()
	})
	mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("X-Scream", scream)
		w.WriteHeader(http.StatusInternalServerError)
		io.WriteString(w, "<title>"+scream+"</title>"+strings.Repeat(scream+" goroutine 1 [running]: ", 20000))
	})
	return mux
}

// TestE2EHostileAnswers lets a target do its worst: candor stays small, and nothing of it stands unescaped in a report.
func TestE2EHostileAnswers(t *testing.T) {
	if !dockerWanted(t) {
		t.Skip("LEFT OUT: needs Docker")
	}
	server := httptest.NewServer(hostile())
	defer server.Close()
	bin := buildCandor(t)
	g := &global{streams: streams{out: io.Discard, err: io.Discard}, binary: bin, stateDir: t.TempDir()}
	project := filepath.Join(t.TempDir(), "project")
	i := demo.Instance{Project: projectName("e2e-hostile", strconv.Itoa(os.Getpid())), Speed: demoSpeed, Canary: demoCanary}
	s, err := startShop(t.Context(), g, i, project, filepath.Join(t.TempDir(), "data"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.down(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	for name, text := range map[string]string{"journeys/hostile.yaml": hostileJourney, "experiments/hostile.yaml": hostileExperiment} {
		if err := os.WriteFile(filepath.Join(project, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.CommandContext(t.Context(), bin, "run", filepath.Join(project, "experiments", "hostile.yaml"), "--state-dir", t.TempDir(),
		"--out", "html="+filepath.Join(project, "report.html"), "--out", "summary="+filepath.Join(project, "summary.md"))
	run.Env = append(os.Environ(), "HOSTILE="+server.URL)
	out, err := run.CombinedOutput()
	if exit := run.ProcessState.ExitCode(); exit != exitFail && exit != exitUnproven {
		t.Fatalf("status %d, %v\n%s", exit, err, out)
	}
	usage, ok := run.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Fatal("this system does not tell how large a process grew")
	}
	t.Logf("candor grew to %d MiB", usage.Maxrss>>10)
	if usage.Maxrss<<10 > memoryLimit {
		t.Errorf("candor grew to %d MiB; at most %d", usage.Maxrss>>10, memoryLimit>>20)
	}
	for _, name := range []string{"report.html", "summary.md"} {
		page, err := os.ReadFile(filepath.Join(project, name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(page, []byte("<script>document.title")) {
			t.Errorf("%s holds the target's script as it is", name)
		}
		if name == "report.html" && !bytes.Contains(page, []byte("candor was here")) {
			t.Error("the report does not show at all what the target said: the test shows nothing")
		}
	}
}

const hostileJourney = `apiVersion: candor/v1
kind: Journey
name: hostile
surface: http
steps:
  - {name: huge, get: "{{ env.HOSTILE }}/huge", timeout: 5s, expect: "true"}
  - {name: bomb, get: "{{ env.HOSTILE }}/bomb", timeout: 5s, expect: "true"}
  - {name: endless, get: "{{ env.HOSTILE }}/endless", timeout: 5s, expect: "true"}
  - {name: page, get: "{{ env.HOSTILE }}/page?m={{ marker }}", timeout: 5s, expect: "true"}
  - name: say
    post: "{{ env.HOSTILE }}/page"
    timeout: 5s
    needs: [payments]
    claims: {success: status == 500}
`

const hostileExperiment = `apiVersion: candor/v1
kind: Experiment
name: hostile
service: web
hypothesis: candor bears whatever it is told
timeline: {baseline: 3s, recovery: 3s, settle: 500ms, reread: 1s}
steady:
  - {http: {get: "{{ web.url }}/healthz"}}
journeys:
  - {use: ../journeys/hostile.yaml, users: 3, every: 300ms}
faults:
  - {name: payments is frozen, pause: {service: payments}, for: 4s}
expect:
  - {journey: hostile, during: fault, said: [refused]}
`
