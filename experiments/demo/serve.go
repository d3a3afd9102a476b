package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// serve serves users, and operators where an admin address is given, until ctx ends.
func serve(ctx context.Context, o Options, out io.Writer, users, operators http.Handler) error {
	group, ctx := errgroup.WithContext(ctx)
	start := func(address string, h http.Handler) error {
		var config net.ListenConfig
		l, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("listen on %s: %w", address, err)
		}
		server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
		group.Go(func() error {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		group.Go(func() error {
			<-ctx.Done()
			return server.Close()
		})
		_, err = fmt.Fprintf(out, "listening on %s\n", l.Addr())
		return err
	}
	if err := start(o.Listen, users); err != nil {
		return err
	}
	if o.Admin != "" && operators != nil {
		if err := start(o.Admin, operators); err != nil {
			return err
		}
	}
	return group.Wait()
}

// writeJSON answers with JSON. A client that has gone cannot be told.
func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

// problem is a problem document (RFC 9457).
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Reference is what the log calls it by.
	Reference string `json:"reference,omitempty"`
}

func writeProblem(w http.ResponseWriter, status int, p problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(p)
}

// ok is the answer of health checks that have nothing to look at.
func ok(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readBody decodes a small JSON body.
func readBody(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(into); err != nil {
		writeProblem(w, http.StatusBadRequest, problem{Title: "The request could not be read", Status: http.StatusBadRequest})
		return false
	}
	return true
}
