package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/candor-chaos/candor/faults/faulttest"
)

// The scripts in testdata/script are the specification of the command line: the first word of a file's name is the
// command. They run the real binary, built once and static, since that is what candor makes its own image from.
//
// Beside testscript's own commands there are
//
//	exits N PROGRAM [ARG…]   the program ends with exactly this status
//	waitfor FILE TEXT [N]    waits until a file, or the files of a folder, hold a text (N times in all)
//	slay TEXT                kills every guardian whose command line holds a text, as SIGKILL does
//	freeze [-thaw] TEXT      stops every run whose command line holds a text in its tracks, or lets it go on
//	living COMMAND N         waits until exactly so many candors with that command live
//	proxied NAME             starts a bookshop behind a real Toxiproxy, $TOXIPROXY, with its project folder NAME
//	toxics N                 exactly so many toxics are in force there, and every proxy is on
//	shop NAME [FLAG…]        starts a bookshop with its project folder NAME, in which the script's own folders
//	                         experiments and journeys are laid; it is taken down at the end. $SHOP is its project
//
// the condition [docker], and a port that is free in $FREEPORT. A script that needs Docker fails where no engine answers, unless CANDOR_TEST_NO_DOCKER is
// set, which says so loudly.
func TestScript(t *testing.T) {
	bin := buildCandor(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(bin)+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("DOCKER_HOST", os.Getenv("DOCKER_HOST"))
			env.Setenv("NO_COLOR", "1")
			port, err := faulttest.FreePort()
			env.Setenv("FREEPORT", strconv.Itoa(port))
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"waitfor": waitFor,
			"shop":    startShopFor,
			"slay":    slay,
			"freeze":  freeze,
			"living":  awaitLiving,
			"proxied": startProxied,
			"toxics":  toxics,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "docker" {
				return dockerWanted(t), nil
			}
			return false, nil
		},
	})
}

// buildCandor builds the static binary as `make build` does.
func buildCandor(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "candor")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version=test", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build candor: %v\n%s", err, out)
	}
	return bin
}

// dockerWanted says whether tests on real containers run. Only an explicit wish leaves them out.
func dockerWanted(t *testing.T) bool {
	t.Helper()
	if os.Getenv("CANDOR_TEST_NO_DOCKER") != "" {
		t.Log("LEFT OUT: everything that needs Docker, because CANDOR_TEST_NO_DOCKER is set")
		return false
	}
	return true
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N PROGRAM [ARG…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s ended with status %d, want %d", args[1], got, want)
	}
}

func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: waitfor FILE TEXT [N]")
	}
	times := 1
	if len(args) == 3 {
		var err error
		times, err = strconv.Atoi(args[2])
		ts.Check(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for strings.Count(readAll(ts.MkAbs(args[0])), args[1]) < times {
		select {
		case <-ctx.Done():
			ts.Fatalf("%s never held %q", args[0], args[1])
		case <-tick.C:
		}
	}
}

// readAll reads a file, or all files of a folder; what is not there yet is empty.
func readAll(path string) string {
	if data, err := os.ReadFile(path); err == nil {
		return string(data)
	}
	files, err := filepath.Glob(filepath.Join(path, "*"))
	if err != nil {
		return ""
	}
	var all strings.Builder
	for _, f := range files {
		if data, err := os.ReadFile(f); err == nil {
			all.Write(data)
		}
	}
	return all.String()
}

func startShopFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: shop NAME [FLAG…]")
	}
	name, engine := ts.MkAbs(args[0]), ts.Getenv("DOCKER_HOST")
	ts.Defer(func() {
		ts.Setenv("DOCKER_HOST", engine) // the script may have gone elsewhere meanwhile
		if err := ts.Exec("candor", "demo", "down", name); err != nil {
			ts.Logf("take the shop down: %v", err)
		}
	})
	ts.Check(ts.Exec("candor", append([]string{"demo", "up", name}, args[1:]...)...))
	ts.Setenv("SHOP", practiceProject(name))
	for _, folder := range []string{"experiments", "journeys"} {
		files, err := filepath.Glob(ts.MkAbs(filepath.Join(folder, "*.yaml")))
		ts.Check(err)
		for _, f := range files {
			data, err := os.ReadFile(f)
			ts.Check(err)
			ts.Check(os.WriteFile(filepath.Join(name, folder, filepath.Base(f)), data, 0o644))
		}
	}
}

// slay ends guardians that the script's own runs started.
func slay(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: slay TEXT")
	}
	signalAll(ts, syscall.SIGKILL, "guardian", args[0])
}

// freeze stops runners in their tracks, or lets them go on.
func freeze(ts *testscript.TestScript, neg bool, args []string) {
	switch {
	case !neg && len(args) == 1:
		signalAll(ts, syscall.SIGSTOP, "run", args[0])
	case !neg && len(args) == 2 && args[0] == "-thaw":
		signalAll(ts, syscall.SIGCONT, "run", args[1])
	default:
		ts.Fatalf("usage: freeze [-thaw] TEXT")
	}
}

// signalAll signals every candor with that command whose command line holds a text.
func signalAll(ts *testscript.TestScript, signal syscall.Signal, command, text string) {
	found := living(ts, command, text)
	for _, pid := range found {
		ts.Check(syscall.Kill(pid, signal))
	}
	if len(found) == 0 {
		ts.Fatalf("no candor %s of %q lives", command, text)
	}
}

// awaitLiving waits until exactly so many candors live.
func awaitLiving(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: living COMMAND N")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	ends := time.Now().Add(20 * time.Second)
	for n := len(living(ts, args[0], "")); n != want; n = len(living(ts, args[0], "")) {
		if time.Now().After(ends) {
			ts.Fatalf("%d candor %s live, want %d", n, args[0], want)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// living finds every candor with that command whose command line holds a text and whose state is this script's.
func living(ts *testscript.TestScript, command, text string) (pids []int) {
	found, err := filepath.Glob("/proc/[0-9]*/cmdline")
	ts.Check(err)
	for _, file := range found {
		line, err := os.ReadFile(file)
		words := strings.Split(string(line), "\x00")
		if err != nil || len(words) < 2 || words[1] != command || !strings.Contains(string(line), text) {
			continue
		}
		environ, err := os.ReadFile(filepath.Join(filepath.Dir(file), "environ"))
		if err != nil || !strings.Contains(string(environ), "XDG_STATE_HOME="+ts.Getenv("XDG_STATE_HOME")+"\x00") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		ts.Check(err)
		pids = append(pids, pid)
	}
	return pids
}
