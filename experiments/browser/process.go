package browser

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// keeper starts the browser and waits for the end of its own input, which comes when candor closes it or dies, of SIGKILL
// too. Then it ends the browser, which takes its children along, and removes the profile.
const keeper = `dir=$1; shift
"$@" </dev/null &
cat >/dev/null
trap '' TERM
kill -KILL $! 2>/dev/null
kill -TERM 0
wait $! 2>/dev/null
tries=0
until rm -rf "$dir" 2>/dev/null || [ $tries -ge 50 ]; do tries=$((tries+1)); sleep 0.1; done
[ ! -e "$dir" ]
`

// names are what a browser is called, in the order in which it is looked for.
var names = [...]string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// find finds the browser: CANDOR_BROWSER, else the first on PATH.
func find() (string, error) {
	if named := os.Getenv("CANDOR_BROWSER"); named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("CANDOR_BROWSER names no browser: %w", err)
		}
		return path, nil
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no browser: none of %s is on PATH, and CANDOR_BROWSER is not set", strings.Join(names[:], ", "))
}

// process is a browser that runs, and its keeper.
type process struct {
	keeper  *exec.Cmd
	input   io.Closer
	profile string
	address string // of its DevTools
	once    sync.Once
	err     error
}

// startWithin is how long a browser may take to say where it can be talked to, on a machine that is busy.
const startWithin = 60 * time.Second

// launch starts a browser with a profile of its own.
func launch(ctx context.Context) (*process, error) {
	path, err := find()
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "candor-browser-")
	if err != nil {
		return nil, fmt.Errorf("make a profile for the browser: %w", err)
	}
	cmd := exec.Command("/bin/sh", append([]string{"-c", keeper, "candor-browser", profile, path}, flags(profile)...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what a terminal sends to candor is not for the browser
	for _, name := range []string{"HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"} {
		cmd.Env = append(cmd.Env, name+"="+profile)
	}
	cmd.Env = append(cmd.Env, "PATH="+os.Getenv("PATH"), "LANG=en_GB.UTF-8")
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	said, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", path, err), input.Close(), os.RemoveAll(profile))
	}
	p := &process{keeper: cmd, input: input, profile: profile}
	if p.address, err = listen(ctx, said); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", path, err), p.end())
	}
	return p, nil
}

// listen reads what the browser says until it says where it listens; the rest is read and forgotten.
func listen(ctx context.Context, said io.Reader) (string, error) {
	found, last := make(chan string, 1), make(chan string, 1)
	go func() {
		lines, tail := bufio.NewReaderSize(said, 64<<10), ""
		for {
			line, err := lines.ReadString('\n')
			if _, address, is := strings.Cut(line, "DevTools listening on "); is {
				found <- strings.TrimSpace(address)
				_, _ = io.Copy(io.Discard, lines) // until the browser ends
				return
			}
			if text := strings.TrimSpace(line); text != "" {
				tail = text
			}
			if err != nil {
				last <- tail
				return
			}
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	select {
	case address := <-found:
		return address, nil
	case tail := <-last:
		return "", fmt.Errorf("it ended at once: %.300s", tail)
	case <-ctx.Done():
		return "", fmt.Errorf("it did not say where it listens: %w", ctx.Err())
	}
}

// end ends the browser and removes what it left on the disk.
func (p *process) end() error {
	p.once.Do(func() {
		p.err = p.input.Close()
		done := make(chan error, 1)
		go func() { done <- p.keeper.Wait() }()
		select {
		case <-done:
		case <-time.After(20 * time.Second): // the keeper hangs, or its browser cannot be killed
			p.err = errors.Join(p.err, syscall.Kill(-p.keeper.Process.Pid, syscall.SIGKILL))
			<-done
		}
		_ = syscall.Kill(-p.keeper.Process.Pid, syscall.SIGKILL) // what is left of its group, where somebody killed the keeper
		if _, err := os.Stat(p.profile); err == nil {
			p.err = errors.Join(p.err, os.RemoveAll(p.profile))
		}
	})
	return p.err
}

// flags are those of a browser that does nothing of its own accord. Its own network traffic is off, proxies of the
// environment are not asked, and a page in the background lives as one in front.
func flags(profile string) []string {
	all := []string{"--headless", "--user-data-dir=" + filepath.Join(profile, "profile"), "--remote-debugging-port=0", "--remote-debugging-address=127.0.0.1",
		"--no-first-run", "--no-default-browser-check", "--no-proxy-server", "--no-pings", "--no-service-autorun", "--disable-background-networking",
		"--disable-component-update", "--disable-component-extensions-with-background-pages", "--disable-default-apps", "--disable-extensions", "--disable-sync",
		"--disable-domain-reliability", "--disable-client-side-phishing-detection", "--disable-breakpad", "--disable-crash-reporter", "--metrics-recording-only",
		"--disable-features=BackForwardCache,Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider,AutofillServerCommunication,CertificateTransparencyComponentUpdater,HttpsUpgrades",
		"--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding", "--disable-background-timer-throttling", "--disable-hang-monitor",
		"--disable-prompt-on-repost", "--deny-permission-prompts", "--disable-dev-shm-usage", "--disable-gpu", "--mute-audio", "--hide-scrollbars",
		"--password-store=basic", "--use-mock-keychain", "--force-color-profile=srgb", "--window-size=1280,800", "--lang=en-GB"}
	if os.Geteuid() == 0 {
		all = append(all, "--no-sandbox")
	}
	return append(all, "about:blank")
}
