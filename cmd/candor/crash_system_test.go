package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/faulttest"
)

// crashSystem is one system that trials are done on, one after the other.
type crashSystem struct {
	campaign *campaign
	name     string // of the system, its project and its network
	host     string // of its engine
	inside   []string
	daemon   *daemon // its own engine; nil on the machine's
	folder   string
	port     int // of web on this machine
	services []string
	soiled   bool // something was left: make it all anew
}

// crashServices are there in every system, since examples name them.
var crashServices = []string{"web", "catalog", "orders", "payments"}

// errUnknown: the engine does not know what it is asked about.
var errUnknown = errors.New("no such thing")

// crashKind reads from its example what the campaign has to know of a kind.
func (c *campaign) crashKind(k faults.Kind) crashKind {
	f, err := faulttest.Decode(k)
	if err != nil {
		c.t.Fatal(err)
	}
	reach := k.Reach(f)
	ck := crashKind{Kind: k, path: reach.Path != nil, services: slices.Clone(reach.Services)}
	if reach.Path != nil {
		ck.services = append(ck.services, reach.Path.From, reach.Path.To)
	}
	slices.Sort(ck.services)
	ck.services = slices.Compact(ck.services)
	var once sync.Mutex
	var typical time.Duration
	ck.typical = func(ctx context.Context, s *crashSystem) (time.Duration, error) {
		once.Lock()
		defer once.Unlock()
		if typical > 0 {
			return typical, nil
		}
		typical, err = s.undisturbed(ctx, ck)
		return typical, err
	}
	return ck
}

// undisturbed learns how long a run takes, and that it leaves nothing when nothing happens to it.
func (s *crashSystem) undisturbed(ctx context.Context, k crashKind) (time.Duration, error) {
	trial := crashTrial{number: -1, kind: k, accident: accident{name: "nothing"}, guardian: "process"}
	state, tidy, err := s.ready(ctx, trial)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	r, err := s.start(ctx, trial, state)
	if err != nil {
		return 0, errors.Join(err, tidy(true))
	}
	if !r.finish(2 * crashLate) {
		err = fmt.Errorf("a run of %s that nobody disturbed hangs", k.Name)
	}
	left, lerr := s.left(ctx, state)
	err = errors.Join(err, lerr)
	if status := r.cmd.ProcessState.ExitCode(); !slices.Contains([]int{exitPass, exitFail, exitUnproven}, status) || len(left) > 0 {
		err = errors.Join(err, fmt.Errorf("a run of %s that nobody disturbed leaves %v\n%s", k.Name, left, r.evidence()))
	}
	return r.ended.Sub(began), errors.Join(err, tidy(err != nil))
}

// newSystem makes a system's folder, image and network. Its containers come with the first trial.
func (c *campaign) newSystem(ctx context.Context, name string, d *daemon) (*crashSystem, error) {
	s := &crashSystem{campaign: c, name: fmt.Sprintf("crash-%d-%s", os.Getpid(), name), host: os.Getenv("DOCKER_HOST"), daemon: d,
		folder: filepath.Join(c.work, name)}
	switch {
	case d != nil:
		s.host, s.inside = d.host, d.inside()
	case s.host == "":
		s.host = "unix:///var/run/docker.sock"
	}
	all := map[string]bool{}
	for _, service := range crashServices {
		all[service] = true
	}
	for _, k := range c.kinds {
		for _, service := range k.services {
			all[service] = true
		}
	}
	s.services = slices.Sorted(maps.Keys(all))
	var err error
	if s.port, err = faulttest.FreePort(); err != nil {
		return nil, err
	}
	if err := s.write(); err != nil {
		return nil, err
	}
	if err := s.guard("process"); err != nil {
		return nil, err
	}
	if err := s.image(ctx); err != nil {
		return nil, err
	}
	_, err = s.docker(ctx, "network", "create", s.name)
	return s, err
}

// write writes a journey and an experiment for each kind.
func (s *crashSystem) write() error {
	var steps strings.Builder
	for _, service := range s.others() {
		fmt.Fprintf(&steps, "  - {name: web asks %s, get: \"/ask?to=http://%[1]s:8080/\", needs: [%[1]s], timeout: 1s, expect: status == 200}\n", service)
	}
	files := map[string]string{"journey.yaml": crashJourneyFile + steps.String()}
	for _, k := range s.campaign.kinds {
		example := strings.ReplaceAll(strings.TrimSpace(k.Example), "\n", "\n    ")
		files[k.Name+".yaml"] = fmt.Sprintf(crashExperimentFile, s.name+"-"+k.Name, crashFor, example)
	}
	err := os.MkdirAll(filepath.Join(s.folder, "tmp"), 0o700)
	for name, text := range files {
		err = errors.Join(err, os.WriteFile(filepath.Join(s.folder, name), []byte(text), 0o600))
	}
	return err
}

// guard writes the system's definition, with the guardian that is wanted.
func (s *crashSystem) guard(kind string) error {
	var others strings.Builder
	for _, service := range s.others() {
		fmt.Fprintf(&others, "  %s: {port: 8080}\n", service)
	}
	text := fmt.Sprintf(crashSystemFile, s.name, s.port, strings.Join(s.others(), ", "), others.String(), kind)
	return os.WriteFile(filepath.Join(s.folder, "candor.yaml"), []byte(text), 0o600)
}

// others are all services but web.
func (s *crashSystem) others() []string {
	return slices.DeleteFunc(slices.Clone(s.services), func(service string) bool { return service == "web" })
}

const crashSystemFile = `apiVersion: candor/v1
kind: System
name: %[1]s
environment: {name: crash, class: sandbox, max_fault: 1m, max_parallel_faults: 2}
runtime: {docker: {project: %[1]s}}
guardian: %[5]s
services:
  web: {url: "http://127.0.0.1:%[2]d", ready: /healthz, port: 8080, needs: [%[3]s]}
%[4]s`

const crashJourneyFile = `apiVersion: candor/v1
kind: Journey
name: ask
surface: http
interaction: page
steps:
`

const crashExperimentFile = `apiVersion: candor/v1
kind: Experiment
name: %s
service: web
hypothesis: whatever happens to this run at any moment, nothing of it is left
timeline: {baseline: 300ms, recovery: 300ms, settle: 100ms, reread: 100ms}
steady:
  - {http: {get: "{{ web.url }}/healthz"}, expect: status == 200, every: 100ms}
journeys:
  - {use: journey.yaml, users: 1, every: 200ms}
faults:
  - name: broken
    for: %s
    %s
`

// docker asks the system's engine for something.
func (s *crashSystem) docker(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "docker", append([]string{"--host", s.host}, args...)...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		if strings.Contains(complaint.String(), "No such") {
			err = errUnknown
		}
		return "", fmt.Errorf("docker %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(complaint.String()))
	}
	return out.String(), nil
}

func (s *crashSystem) lines(ctx context.Context, args ...string) ([]string, error) {
	out, err := s.docker(ctx, args...)
	return strings.Fields(out), err
}

func (s *crashSystem) container(service string) string { return s.name + "-" + service + "-1" }

const crashImage = "candor-crash-target"

// image makes the one image that every service runs, out of one static program.
func (s *crashSystem) image(ctx context.Context) error {
	s.campaign.mu.Lock() // the systems of one engine share it
	defer s.campaign.mu.Unlock()
	pack := exec.CommandContext(ctx, "tar", "-C", s.campaign.work, "-c", "target")
	load := exec.CommandContext(ctx, "docker", "--host", s.host, "import", "--change", `ENTRYPOINT ["/target"]`, "-", s.tag())
	var complaint bytes.Buffer
	load.Stderr = &complaint
	var err error
	if load.Stdin, err = pack.StdoutPipe(); err != nil {
		return err
	}
	if err := errors.Join(pack.Start(), load.Run(), pack.Wait()); err != nil {
		return fmt.Errorf("make the image of the services: %w: %s", err, complaint.String())
	}
	return nil
}

func (s *crashSystem) tag() string { return crashImage + ":" + s.name }

// whole makes again what is missing, starts what stands still, and thaws what is frozen.
func (s *crashSystem) whole(ctx context.Context) error {
	if s.soiled {
		if err := s.clear(ctx); err != nil {
			return err
		}
		s.soiled = false
	}
	out, err := s.docker(ctx, "ps", "-a", "--filter", "label=com.docker.compose.project="+s.name, "--format", "{{.Names}} {{.State}}")
	if err != nil {
		return err
	}
	for _, service := range s.services {
		if err := s.wholeOne(ctx, service, out); err != nil {
			return err
		}
	}
	return nil
}

func (s *crashSystem) wholeOne(ctx context.Context, service, list string) error {
	name, state := s.container(service), ""
	for line := range strings.Lines(list) {
		if n, st, _ := strings.Cut(strings.TrimSpace(line), " "); n == name {
			state = st
		}
	}
	switch state {
	case "running":
		return nil
	case "paused":
		_, err := s.docker(ctx, "unpause", name)
		return err
	case "":
		args := []string{"run", "-d", "--name", name, "--network", s.name, "--network-alias", service,
			"--label", "com.docker.compose.project=" + s.name, "--label", "com.docker.compose.service=" + service}
		if service == "web" {
			args = append(args, "--publish", fmt.Sprintf("127.0.0.1:%d:8080", s.port))
		}
		if s.daemon != nil {
			args = append(args, "--restart", "always") // they come back with the engine
		}
		_, err := s.docker(ctx, append(args, s.tag())...)
		return err
	}
	_, err := s.docker(ctx, "start", name)
	return err
}

// clear removes the system's containers.
func (s *crashSystem) clear(ctx context.Context) error {
	found, err := s.lines(ctx, "ps", "-aq", "--filter", "label=com.docker.compose.project="+s.name)
	if err == nil && len(found) > 0 {
		_, err = s.docker(ctx, append([]string{"rm", "-f"}, found...)...)
	}
	return err
}

// down takes the system away.
func (s *crashSystem) down(ctx context.Context) error {
	err := s.clear(ctx)
	_, nerr := s.docker(ctx, "network", "rm", s.name)
	_, ierr := s.docker(ctx, "rmi", s.tag())
	return errors.Join(err, nerr, ierr)
}
