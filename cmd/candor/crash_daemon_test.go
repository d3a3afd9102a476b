package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// daemon is a Docker Engine of the campaign's own, which it may restart. It lives in a network namespace of its own: on the
// machine's, two engines would flush each other's rules.
type daemon struct {
	folder string
	host   string
	space  *exec.Cmd // holds the namespace while the engine is down
	engine *exec.Cmd
	hold   io.Closer // its end is the engine's, also when the campaign is killed
	done   chan struct{}
}

const daemonTime = 30 * time.Second // to start or to end

func startDaemon(ctx context.Context, folder string) (*daemon, error) {
	d := &daemon{folder: folder, host: "unix://" + filepath.Join(folder, "docker.sock")}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	// An empty file, since the machine's own configuration would be read otherwise.
	if err := os.WriteFile(filepath.Join(folder, "daemon.json"), []byte("{}\n"), 0o600); err != nil {
		return nil, err
	}
	d.space = exec.CommandContext(ctx, "sh", "-c", "ip link set lo up && echo up && exec cat")
	d.space.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	up, err := d.space.StdoutPipe()
	if err == nil {
		_, err = d.space.StdinPipe() // kept open: its end is the end of cat
	}
	if err == nil {
		err = d.space.Start()
	}
	if err == nil {
		_, err = up.Read(make([]byte, 3))
	}
	if err != nil {
		return nil, fmt.Errorf("make a network namespace for an engine: %w", err)
	}
	if err := d.start(ctx); err != nil {
		return nil, errors.Join(err, d.end())
	}
	return d, nil
}

// inside is what a command begins with that has to reach the ports that this engine publishes.
func (d *daemon) inside() []string {
	return []string{"nsenter", "--net=/proc/" + strconv.Itoa(d.space.Process.Pid) + "/ns/net"}
}

func (d *daemon) start(ctx context.Context) error {
	at := func(name string) string { return filepath.Join(d.folder, name) }
	said, err := os.OpenFile(at("said"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer said.Close()
	args := append(d.inside(), "sh", "-c", `"$@" & cat >/dev/null; kill $!; wait`, "engine", "dockerd", "--config-file", at("daemon.json"), "--data-root", at("data"), "--exec-root", at("exec"),
		"--pidfile", at("pid"), "--host", d.host, "--bridge", "none", "--containerd-namespace", "candor-crash",
		"--containerd-plugins-namespace", "candor-crash-plugins", "--default-address-pool", "base=10.213.0.0/16,size=24")
	if driver := storageDriver(ctx); driver != "" {
		args = append(args, "--storage-driver", driver)
	}
	d.engine = exec.CommandContext(ctx, args[0], args[1:]...)
	d.engine.Stdout, d.engine.Stderr = said, said
	d.engine.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	hold, err := d.engine.StdinPipe()
	if err == nil {
		d.hold, err = hold, d.engine.Start()
	}
	if err != nil {
		return fmt.Errorf("start an engine: %w", err)
	}
	d.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait() // that it ended is enough
		close(done)
	}(d.engine, d.done)
	return d.answers(ctx)
}

// storageDriver is the one that works on this machine: the engine's own.
func storageDriver(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "docker", "info", "--format", "{{.Driver}}").Output()
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(out))
}

// answers waits for the engine's first answer.
func (d *daemon) answers(ctx context.Context) error {
	var dialer net.Dialer
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "unix", filepath.Join(d.folder, "docker.sock"))
	}}}
	within, cancel := context.WithTimeout(ctx, daemonTime)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(within, http.MethodGet, "http://engine/_ping", nil)
		if err != nil {
			return err
		}
		answer, err := client.Do(req)
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-within.Done():
			return fmt.Errorf("the engine does not answer:\n%s", readAll(filepath.Join(d.folder, "said")))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// stop ends the engine as its service manager would.
func (d *daemon) stop() error {
	if d.engine == nil || d.engine.Process == nil {
		return nil
	}
	_ = d.hold.Close()
	select {
	case <-d.done:
		return nil
	case <-time.After(daemonTime):
		_ = syscall.Kill(-d.engine.Process.Pid, syscall.SIGKILL)
		<-d.done
		return errors.New("the engine did not end when it was told to")
	}
}

// restart comes back with the engine's first answer.
func (d *daemon) restart(ctx context.Context) error {
	if err := d.stop(); err != nil {
		return err
	}
	return d.start(ctx)
}

// end ends the engine and lets go of its namespace.
func (d *daemon) end() error {
	err := d.stop()
	if d.space.Process != nil {
		_ = d.space.Process.Kill()
		_ = d.space.Wait()
	}
	return err
}
