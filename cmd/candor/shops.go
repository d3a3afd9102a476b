package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments/demo"
	"github.com/candor-chaos/candor/faults/docker"
)

// shop is a bookshop that runs in Docker.
type shop struct {
	instance demo.Instance
	world    *docker.World
	folder   string // the project's files and the services' data
	lies     []string
	demo.Addresses
}

// postgresPort is where a database of orders listens, in its container.
const postgresPort = 5432

// shopStart is how long a shop may take until it is ready.
const shopStart = 30 * time.Second

// startShop starts a shop, waits until it is ready, and writes its project folder. The services' data lie in data. What
// was started before a failure is taken down again. Containers beside are part of its stack, such as a database.
func startShop(ctx context.Context, g *global, i demo.Instance, folder, data string, ports map[string]int, beside ...docker.StackContainer) (*shop, error) {
	world, err := openDocker(ctx, g, docker.Config{Run: "stack", System: i.Project, Project: i.Project}, docker.Options{})
	if err != nil {
		return nil, err
	}
	s := &shop{instance: i, world: world, folder: folder}
	if err := s.up(ctx, data, ports, beside); err != nil {
		return nil, errors.Join(err, s.down(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *shop) up(ctx context.Context, data string, ports map[string]int, beside []docker.StackContainer) error {
	stack := docker.Stack{Project: s.instance.Project, Containers: beside}
	for _, spec := range s.instance.Stack() {
		c := docker.StackContainer{Service: spec.Service, Command: spec.Args, Publish: map[int]int{demo.Port: ports[spec.Service]}}
		if spec.Admin {
			c.Publish[demo.AdminPort] = 0
		}
		if spec.Folder != "" {
			own := filepath.Join(data, spec.Folder)
			if err := os.MkdirAll(own, 0o777); err != nil {
				return fmt.Errorf("make a folder for %s: %w", spec.Service, err)
			}
			c.Binds = map[string]string{own: "/data"}
		}
		stack.Containers = append(stack.Containers, c)
	}
	published, err := s.world.Up(ctx, stack)
	if err != nil {
		return err
	}
	at := func(service string, port int) string {
		return fmt.Sprintf("http://127.0.0.1:%d", published[service][port])
	}
	s.Addresses = demo.Addresses{Web: at("web", demo.Port), Status: at("status", demo.Port), PaymentAdmin: at("payments", demo.AdminPort), AccountAdmin: at("accounts", demo.AdminPort),
		OrdersDB: "sqlite:" + filepath.Join(data, "orders", "orders.db")}
	if s.instance.Postgres != "" {
		s.OrdersDB = fmt.Sprintf("postgres://shop@127.0.0.1:%d/shop?sslmode=disable", published["orders-db"][postgresPort])
	}
	s.lies = []string{at("web", demo.AdminPort) + "/lies", at("orders", demo.AdminPort) + "/lies", at("status", demo.AdminPort) + "/lies"}
	if err := s.ready(ctx); err != nil {
		return err
	}
	return s.instance.Write(s.folder, s.Addresses)
}

// ready waits until web can serve.
func (s *shop) ready(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, shopStart)
	defer cancel()
	var last error
	for within.Err() == nil {
		if _, last = get(within, s.Web+"/readyz"); last == nil {
			return nil
		}
		select {
		case <-within.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("the shop %s is not ready after %s: %w", s.instance.Project, shopStart, last)
}

// down takes the shop away.
func (s *shop) down(ctx context.Context) error {
	return errors.Join(s.world.Down(ctx, s.instance.Project), s.world.Close(ctx))
}

// tale is one lie that the shop says it told.
type tale struct {
	Marker string `json:"marker"`
	Lie    string `json:"lie"`
}

// told asks the shop which lies it told about what.
func (s *shop) told(ctx context.Context) ([]tale, error) {
	var all []tale
	for _, url := range s.lies {
		data, err := get(ctx, url)
		if err != nil {
			return nil, fmt.Errorf("ask the shop what it told: %w", err)
		}
		var answer struct {
			Told []tale `json:"told"`
		}
		if err := json.Unmarshal(data, &answer); err != nil {
			return nil, fmt.Errorf("ask the shop what it told: %w", err)
		}
		all = append(all, answer.Told...)
	}
	return all, nil
}

// get reads a small answer with a status below 300.
func get(ctx context.Context, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		return nil, fmt.Errorf("GET %s answered %s", url, answer.Status)
	}
	return io.ReadAll(io.LimitReader(answer.Body, 16<<20))
}

// projectName makes a name for a compose project of ours.
func projectName(parts ...string) string {
	return strings.ToLower(strings.Join(append([]string{"candor"}, parts...), "-"))
}

// practiceProject names the shop of a project folder. Two folders of the same name in different places have a shop each.
func practiceProject(folder string) string {
	sum := sha256.Sum256([]byte(folder))
	return projectName(filepath.Base(folder), hex.EncodeToString(sum[:3]))
}
