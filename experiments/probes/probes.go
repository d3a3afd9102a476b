// Package probes looks at one fact at a time. A probe that sees something bad has looked; an error means that it could
// not look, and is never folded into the other.
package probes

import (
	"context"
	"fmt"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults"
)

// All lists the kinds of probe.
func All() []experiments.ProbeKind {
	return []experiments.ProbeKind{
		{Name: "http", Doc: "the answer to one request; fine when its status is 2xx or 3xx", New: func() experiments.ProbeSpec { return new(HTTP) },
			Sees: []string{"status", "headers", "body", "json", "elapsed"}, Example: "get: \"http://127.0.0.1:8080/healthz\"\n"},
		{Name: "tcp", Doc: "whether a port takes a connection", New: func() experiments.ProbeSpec { return new(TCP) },
			Sees: []string{"connected", "elapsed"}, Example: "address: \"127.0.0.1:5432\"\n"},
		{Name: "docker", Doc: "the container of a service; fine when it runs and is not unhealthy", New: func() experiments.ProbeSpec { return new(Docker) },
			Sees: []string{"state", "health", "restarts"}, Example: "service: orders-db\n"},
		{Name: "command", Doc: "a command of yours; fine when it exits with 0", New: func() experiments.ProbeSpec { return new(Command) },
			Sees: []string{"exit", "stdout", "stderr", "elapsed"}, Example: "run: [pg_isready, -h, 127.0.0.1]\n"},
		{Name: "sql", Doc: "the rows of a query in PostgreSQL, MySQL or SQLite; fine when there is one", New: func() experiments.ProbeSpec { return new(SQL) },
			Sees: []string{"rows", "elapsed"}, Example: "url: \"{{ env.ORDERS_DB }}\"\nquery: select count(*) as waiting from outbox where sent is null\n"},
		{Name: "redis", Doc: "a value in Redis; fine when there is one", New: func() experiments.ProbeSpec { return new(Redis) },
			Sees: []string{"value", "elapsed"}, Example: "url: \"redis://127.0.0.1:6379/0\"\ncommand: [LLEN, \"queue:mail\"]\n"},
		{Name: "prometheus", Doc: "the number that a query of Prometheus gives now; fine when there is one", New: func() experiments.ProbeSpec { return new(Prometheus) },
			Sees: []string{"value", "elapsed"}, Example: "url: \"http://127.0.0.1:9090\"\nquery: sum(rate(http_requests_total{code=~\"5..\"}[1m]))\n"},
		{Name: "logs", Doc: "what a service has logged since the last look; fine when no line matches", New: func() experiments.ProbeSpec { return new(Logs) },
			Sees: []string{"count", "lines"}, Example: "service: orders\nmatch: panic|FATAL\n"},
	}
}

// defaultTimeout is how long a look may take where its definition says nothing.
const defaultTimeout = 3 * time.Second

// positive refuses a time that is below zero.
func positive(field string, d time.Duration) error {
	if d < 0 {
		return &faults.FieldError{Field: field, Msg: fmt.Sprintf("%s is negative", d), Hint: "such as 3s"}
	}
	return nil
}

// within bounds a look.
func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	return context.WithTimeout(ctx, timeout)
}

// stopped is why a look was ended from outside, nil when it was not: then it has not seen anything.
func stopped(ctx context.Context) error {
	if ctx.Err() == context.Canceled {
		return context.Cause(ctx)
	}
	return nil
}
