package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"

	server "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/client"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/candor-chaos/candor/experiments/demo"
)

// startProxied starts a bookshop whose web reaches payments and orders through somebody else's Toxiproxy, a real one, and
// writes its project folder.
func startProxied(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: proxied NAME")
	}
	name := ts.MkAbs(args[0])
	api := server.NewServer(server.NewMetricsContainer(nil), zerolog.Nop())
	served := httptest.NewServer(api.Routes())
	ts.Defer(func() { served.Close(); _ = api.Collection.Clear() })
	ts.Setenv("TOXIPROXY", served.URL)

	i := demo.Instance{Project: practiceProject(name), Speed: demoSpeed, Canary: demoCanary}
	ctx, stop := context.WithCancel(context.Background())
	var running errgroup.Group
	ts.Defer(func() {
		stop()
		if err := running.Wait(); err != nil {
			ts.Logf("the shop: %v", err)
		}
	})
	users, taken := map[string]string{}, map[int]bool{}
	free := func() string {
		port, err := freePort(ctx, 0, taken)
		ts.Check(err)
		return fmt.Sprintf("127.0.0.1:%d", port)
	}
	for _, service := range demo.Services {
		users[service] = free()
	}
	proxies, through := toxiproxy.NewClient(served.URL), map[string]string{}
	for _, service := range []string{"payments", "orders"} {
		p, err := proxies.CreateProxy("to-"+service, "127.0.0.1:0", users[service])
		ts.Check(err)
		through[service] = "http://" + p.Listen
	}
	admin := map[string]string{"payments": free(), "accounts": free()}
	for _, service := range demo.Services {
		data := filepath.Join(name, ".shop", service)
		ts.Check(os.MkdirAll(data, 0o755))
		o := demo.Options{Listen: users[service], Admin: admin[service], Data: data, Speed: demoSpeed, Canary: demoCanary, Key: "k", Web: "http://" + users["web"],
			Catalog: "http://" + users["catalog"], Accounts: "http://" + users["accounts"], Orders: through["orders"], Payments: through["payments"]}
		running.Go(func() error { return demo.Run(ctx, service, o, io.Discard) })
	}
	a := demo.Addresses{Web: "http://" + users["web"], Status: "http://" + users["status"], PaymentAdmin: "http://" + admin["payments"],
		AccountAdmin: "http://" + admin["accounts"], OrdersDB: "sqlite:" + filepath.Join(name, ".shop", "orders", "orders.db")}
	ts.Check((&shop{instance: i, Addresses: a}).ready(ctx))
	ts.Check(i.Write(name, a))
	system := filepath.Join(name, "candor.yaml")
	text, err := os.ReadFile(system)
	ts.Check(err)
	docker := fmt.Appendf(nil, "{docker: {project: %s}}", i.Project)
	if !bytes.Contains(text, docker) {
		ts.Fatalf("%s does not say %s", system, docker)
	}
	text = bytes.Replace(text, docker, fmt.Appendf(nil, `{toxiproxy: {url: %q, paths: {"web → payments": to-payments, "web → orders": to-orders}}}`, served.URL), 1)
	ts.Check(os.WriteFile(system, text, 0o644))
}

// toxics counts what is in force in the script's Toxiproxy.
func toxics(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: toxics N")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	proxies, err := toxiproxy.NewClient(ts.Getenv("TOXIPROXY")).Proxies()
	ts.Check(err)
	n := 0
	for _, p := range proxies {
		if !p.Enabled {
			ts.Fatalf("proxy %s is switched off", p.Name)
		}
		n += len(p.ActiveToxics)
	}
	if n != want {
		ts.Fatalf("%d toxics are in force, want %d", n, want)
	}
}
