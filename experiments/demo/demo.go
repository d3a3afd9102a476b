// Package demo is a small bookshop that can lie: somebody else's program, which candor breaks and judges. It imports
// nothing of candor's.
//
//	web ──┬─▶ catalog    books, prices, stock
//	      ├─▶ orders     a database of orders; held until they are paid, then placed
//	      ├─▶ payments   a ledger of charges, with an admin address
//	      └─▶ accounts   signs people in, and keeps their addresses
//	status ─▶ asks all of them how they are
//
// The honest shop has timeouts, idempotency keys, refusals that are true and a queue that finishes what it promised. The
// lying one is the same program with lies switched on, one by one, by the id of the rule that each of them breaks
// (lies.go, lies.yaml).
package demo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Options are how one service runs.
type Options struct {
	Listen   string // address for its users
	Admin    string // address for its operators; none when empty
	Catalog  string // URLs of what it needs
	Orders   string
	Payments string
	Accounts string
	Web      string
	Data     string   // folder of its files; or, for orders, a postgres:// URL
	Lies     []string // ids of rules
	Canary   string   // a planted secret
	Key      string   // seals sessions; web and accounts have the same
	Speed    float64  // divides every time that the shop keeps
}

// paced divides a time of real life by the shop's speed.
func (o Options) paced(d time.Duration) time.Duration { return time.Duration(float64(d) / o.Speed) }

// Services are the shop's services, in the order in which a person would name them.
var Services = []string{"web", "catalog", "orders", "payments", "accounts", "status"}

// ErrUsage means that a service was started with arguments that it does not know.
var ErrUsage = errors.New("usage: shop web|catalog|orders|payments|accounts|status [flags]")

// Main starts one service from its command line and serves until ctx ends.
func Main(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return ErrUsage
	}
	var o Options
	var lies string
	flags := flag.NewFlagSet("shop "+args[0], flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.Listen, "listen", ":8080", "address for users")
	flags.StringVar(&o.Admin, "admin", "", "address for operators")
	flags.StringVar(&o.Catalog, "catalog", "http://catalog:8080", "URL of catalog")
	flags.StringVar(&o.Orders, "orders", "http://orders:8080", "URL of orders")
	flags.StringVar(&o.Payments, "payments", "http://payments:8080", "URL of payments")
	flags.StringVar(&o.Accounts, "accounts", "http://accounts:8080", "URL of accounts")
	flags.StringVar(&o.Key, "key", "", "seals sessions")
	flags.StringVar(&o.Web, "web", "http://web:8080", "URL of web")
	flags.StringVar(&o.Data, "data", "", "folder of the service's files, or a postgres:// URL for orders")
	flags.StringVar(&lies, "lies", "", "ids of the rules that the shop breaks, with commas; all: every one")
	flags.StringVar(&o.Canary, "canary", "", "a planted secret, for LK-06")
	flags.Float64Var(&o.Speed, "speed", 1, "divides every time that the shop keeps")
	if err := flags.Parse(args[1:]); err != nil {
		return errors.Join(ErrUsage, err)
	}
	if o.Speed <= 0 {
		return fmt.Errorf("-speed %v: want more than 0", o.Speed)
	}
	var err error
	if o.Lies, err = parseLies(lies); err != nil {
		return err
	}
	return Run(ctx, args[0], o, out)
}

// Run serves one service until ctx ends.
func Run(ctx context.Context, service string, o Options, out io.Writer) error {
	switch service {
	case "web":
		return runWeb(ctx, o, out)
	case "catalog":
		return serve(ctx, o, out, newCatalog(o).handler(), nil)
	case "orders":
		return runOrders(ctx, o, out)
	case "payments":
		return runPayments(ctx, o, out)
	case "accounts":
		return runAccounts(ctx, o, out)
	case "status":
		page := newStatus(o)
		return serve(ctx, o, out, page.handler(), page.told.handler())
	}
	return fmt.Errorf("%w: no service %q", ErrUsage, service)
}

// parseLies reads ids with commas.
func parseLies(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	var all []string
	for _, l := range lieTable() {
		all = append(all, l.id)
	}
	if text == "all" {
		return all, nil
	}
	var chosen []string
	for _, id := range strings.Split(text, ",") {
		i := slices.IndexFunc(all, func(known string) bool { return strings.EqualFold(known, strings.TrimSpace(id)) })
		if i < 0 {
			return nil, fmt.Errorf("the shop cannot tell %q (%s)", id, strings.Join(all, ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
