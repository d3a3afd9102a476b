package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// engine is one Docker Engine behind its socket.
type engine struct{ client *http.Client }

func dial(host string) (*engine, error) {
	path, found := strings.CutPrefix(host, "unix://")
	if !found {
		return nil, fmt.Errorf("engine %q: only unix:// is known", host)
	}
	var d net.Dialer
	return &engine{client: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", path) },
	}}}, nil
}

// get fills into from the engine's answer. Nothing is filled, and found is false, for what the engine does not know.
func (e *engine) get(ctx context.Context, path string, into any) (found bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine"+path, nil)
	if err != nil {
		return false, err
	}
	answer, err := e.client.Do(req)
	if err != nil {
		return false, err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
		return true, json.NewDecoder(answer.Body).Decode(into)
	case http.StatusNotFound:
		return false, nil
	}
	return false, fmt.Errorf("engine: %s: %s", path, answer.Status)
}

// labelled is a query for what carries a label.
func labelled(label string) string {
	filter, err := json.Marshal(map[string][]string{"label": {label}})
	if err != nil {
		panic(err) // a map of strings
	}
	return "filters=" + url.QueryEscape(string(filter))
}

// listed is a container in the engine's list.
type listed struct {
	ID    string `json:"Id"`
	Names []string
	State string
}

func (e *engine) containers(ctx context.Context, label string) ([]listed, error) {
	var all []listed
	_, err := e.get(ctx, "/containers/json?all=1&"+labelled(label), &all)
	return all, err
}

// own lists what candor itself has put into the engine for a system: all of it is left over.
func (e *engine) own(ctx context.Context, system string) ([]string, error) {
	label := "candor.system=" + system
	all, err := e.containers(ctx, label)
	if err != nil {
		return nil, err
	}
	var left []string
	for _, c := range all {
		left = append(left, fmt.Sprintf("candor's container %s is %s", strings.TrimPrefix(strings.Join(c.Names, " "), "/"), c.State))
	}
	var networks []struct{ Name string }
	if _, err := e.get(ctx, "/networks?"+labelled(label), &networks); err != nil {
		return left, err
	}
	for _, n := range networks {
		left = append(left, "candor's network "+n.Name+" is there")
	}
	return left, nil
}

// inspected is what matters of one container.
type inspected struct {
	ID     string `json:"Id"`
	Name   string
	Config struct{ Labels map[string]string }
	State  struct {
		Running, Paused bool
		Pid             int
	}
	NetworkSettings struct {
		Networks map[string]struct{ Aliases []string }
	}
}
