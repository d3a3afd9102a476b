package browser

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"errors"

	"github.com/candor-chaos/candor/experiments"
)

func TestAPageThatNeverEndsLoading(t *testing.T) {
	ended := make(chan struct{})
	r := newRig(t, map[string]string{"/": "<h1>Fine</h1>"}, func(mux *http.ServeMux) {
		mux.HandleFunc("/endless", func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<!doctype html><title>Endless</title><h1>Begun</h1>", strings.Repeat(" ", 2048))
			w.(http.Flusher).Flush()
			select {
			case <-req.Context().Done():
			case <-ended:
			}
		})
	})
	t.Cleanup(func() { close(ended) })
	u := r.user(0)
	a := r.try(u, experiments.Act{Step: "endless", Action: &Action{Open: lit("/endless")}, Timeout: 3 * time.Second})
	if a.Answered || !strings.Contains(a.Why, "never ended loading") || !says(a, "Begun") {
		t.Errorf("answered %v, %q, page %v", a.Answered, a.Why, a.Vars["page"])
	}
	if a := r.do(u, "fine", &Action{Open: lit("/")}); !says(a, "Fine") {
		t.Errorf("afterwards: %v", a.Vars["page"])
	}
}

func TestDialogsDownloadsAndWindows(t *testing.T) {
	r := newRig(t, map[string]string{
		"/":      `<h1>Rough</h1><button onclick="r.textContent = confirm('Sure?') ? 'yes' : 'no'">Ask</button><p id=r></p><button onclick="window.open('/new')">Open</button><a href="/file" download>Get</a>`,
		"/new":   "<h1>New</h1>",
		"/alert": `<h1>Alerts</h1><script>for (let i = 0; i < 60; i++) alert('number ' + i)</script><p>through</p>`,
	}, func(mux *http.ServeMux) {
		mux.HandleFunc("/file", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("Content-Disposition", "attachment; filename=book.bin")
			fmt.Fprint(w, strings.Repeat("x", 4096))
		})
	})
	u := r.user(0)
	r.do(u, "open", &Action{Open: lit("/")})
	r.do(u, "ask", &Action{Click: &experiments.Locator{Text: lit("Ask")}})
	r.do(u, "answer", &Action{Wait: experiments.Wait{For: &experiments.Locator{CSS: lit("#r:not(:empty)")}}})
	if got := r.notes.notices(experiments.NoticeDialog); len(got) != 1 || !strings.HasPrefix(got[0], "confirm: Sure?") {
		t.Errorf("dialogs: %q", got)
	}
	r.do(u, "window", &Action{Click: &experiments.Locator{Text: lit("Open")}})
	eventually(t, "a window is noted", func() bool { return len(r.notes.notices(experiments.NoticeWindow)) == 1 })
	r.do(u, "download", &Action{Click: &experiments.Locator{Text: lit("Get")}})
	eventually(t, "a download is noted", func() bool { return len(r.notes.notices(experiments.NoticeDownload)) > 0 })
	if got := r.notes.notices(experiments.NoticeDownload); !strings.Contains(got[0], "book.bin") {
		t.Errorf("downloads: %q", got)
	}
	if a := r.do(u, "alerts", &Action{Open: lit("/alert")}); !says(a, "through") {
		t.Errorf("behind the alerts: %v", a.Vars["page"])
	}
	if n := len(r.notes.notices(experiments.NoticeDialog)); n < 40 || n > mostNotices+10 {
		t.Errorf("%d dialogs are in the history", n)
	}
}

func TestAPageOfFiftyMegabytes(t *testing.T) {
	r := newRig(t, map[string]string{"/": "<h1>Small</h1>"}, func(mux *http.ServeMux) {
		mux.HandleFunc("/huge", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<!doctype html><title>Huge</title><h1>Huge</h1>")
			line := "<p>" + strings.Repeat("many words that nobody reads ", 18) + "</p>\n"
			for sent := 0; sent < 50<<20; sent += len(line) {
				if _, err := io.WriteString(w, line); err != nil {
					return
				}
			}
		})
	})
	u := r.user(0)
	a := r.try(u, experiments.Act{Step: "huge", Action: &Action{Open: lit("/huge")}, Timeout: 6 * time.Second})
	if !says(a, "Huge") {
		t.Errorf("nothing of it was seen: %q", a.Why)
	}
	cut, kept := "", 0
	for _, rec := range r.notes.all() {
		if rec.Page != nil {
			cut += rec.Page.Cut
			for _, b := range rec.Page.Born {
				kept += len(b.Text)
			}
		}
		if rec.Exchange != nil && len(rec.Exchange.Body.Text) > 64<<10 {
			t.Errorf("%d bytes of a body were kept", len(rec.Exchange.Body.Text))
		}
	}
	if cut == "" || kept > 8<<20 {
		t.Errorf("cut %q, %d bytes of text kept", cut, kept)
	}
	if a := r.do(u, "small", &Action{Open: lit("/")}); !says(a, "Small") {
		t.Errorf("afterwards: %v", a.Vars["page"])
	}
}

func TestABrowserThatIsKilledInMidJourney(t *testing.T) {
	r := newRig(t, map[string]string{"/": "<h1>Here</h1>"})
	u := r.user(0)
	r.do(u, "open", &Action{Open: lit("/")})
	out := make(chan error, 1)
	go func() {
		_, err := u.Do(t.Context(), experiments.Act{Visit: 1, Step: "wait", Timeout: time.Minute,
			Action: &Action{Wait: experiments.Wait{For: &experiments.Locator{Text: lit("never")}}}})
		out <- err
	}()
	time.Sleep(300 * time.Millisecond)
	if err := syscall.Kill(browserOf(t, r.stage.process), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-out:
		if !errors.Is(err, experiments.ErrSurfaceGone) {
			t.Errorf("the step ends with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the step does not end")
	}
	if _, err := u.Do(t.Context(), experiments.Act{Visit: 2, Step: "open", Action: &Action{Open: lit("/")}, Timeout: time.Second}); !errors.Is(err, experiments.ErrSurfaceGone) {
		t.Errorf("the next step ends with %v", err)
	}
	if _, err := r.stage.Open(experiments.SurfaceConfig{Journey: "buy"}); !errors.Is(err, experiments.ErrSurfaceGone) {
		t.Errorf("a new user: %v", err)
	}
}

// browserOf is the process that the keeper started.
func browserOf(t *testing.T, p *process) int {
	t.Helper()
	list, err := exec.Command("ps", "-o", "pid=,args=", "--ppid", fmt.Sprint(p.keeper.Process.Pid)).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(list), "\n") {
		var pid int
		if _, err := fmt.Sscan(line, &pid); err == nil && strings.Contains(line, "--headless") {
			return pid
		}
	}
	t.Fatalf("no browser among %s", list)
	return 0
}

// The keeper ends the browser when whoever started it dies without a word: its input ends.
func TestNothingIsLeftWhenCandorDies(t *testing.T) {
	wanted(t)
	if profile := os.Getenv("CANDOR_TEST_LAUNCH"); profile != "" {
		p, err := launch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("PROFILE", p.profile, p.keeper.Process.Pid)
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	self := exec.Command(os.Args[0], "-test.run", "^TestNothingIsLeftWhenCandorDies$")
	self.Env = append(os.Environ(), "CANDOR_TEST_LAUNCH=yes")
	out, err := self.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("it was not killed: %v, %s", err, out)
	}
	var profile string
	var group int
	if _, after, is := strings.Cut(string(out), "PROFILE "); !is {
		t.Fatalf("it said %s", out)
	} else if _, err := fmt.Sscan(after, &profile, &group); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the profile goes", func() bool { _, err := os.Stat(profile); return os.IsNotExist(err) })
	eventually(t, "the processes go", func() bool { return errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) })
}

func TestNoBrowserIsSaidClearly(t *testing.T) {
	t.Setenv("CANDOR_BROWSER", "/nowhere/chromium")
	_, err := start(t.Context(), experiments.StageConfig{Recorder: &notes{}})
	if !errors.Is(err, experiments.ErrSurfaceGone) || !strings.Contains(err.Error(), "/nowhere/chromium") {
		t.Errorf("start: %v", err)
	}
}
