// Command app is what the tests of package docker run in containers: candor's agent, and a small service.
package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/candor-chaos/candor/faults/accuracy"
	"github.com/candor-chaos/candor/faults/agent"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func do(ctx context.Context) error {
	if os.Args[1] == "agent" {
		return agent.Main(ctx, os.Args[2:], os.Stdin, os.Stdout)
	}
	if os.Args[1] == "stubborn" { // deaf to a polite end
		ctx = context.WithoutCancel(ctx)
	}
	go echo()
	server := &http.Server{Addr: ":8080", Handler: &service{conns: map[string]net.Conn{}}}
	go func() { <-ctx.Done(); server.Close() }()
	return server.ListenAndServe()
}

// echo answers each line with itself, and what else is measured.
func echo() {
	l, err := net.Listen("tcp", ":8083")
	if err != nil {
		panic(err)
	}
	if err := accuracy.Serve(l); err != nil {
		panic(err)
	}
}

// service says a line to another service on request, over a connection that is kept by name.
type service struct {
	mu    sync.Mutex
	conns map[string]net.Conn
}

// ServeHTTP takes to=ADDRESS and conn=NAME; it answers "ok MILLISECONDS" or "failed MILLISECONDS WHY".
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	began := time.Now()
	err := s.say(r.FormValue("to"), r.FormValue("conn"))
	word := "ok"
	if err != nil {
		word = "failed"
	}
	fmt.Fprintln(w, word, time.Since(began).Milliseconds(), err)
}

func (s *service) say(to, name string) (err error) {
	c := s.conns[name]
	if c == nil {
		if c, err = net.DialTimeout("tcp", to, time.Second); err != nil {
			return fmt.Errorf("dial: %w", err)
		}
		s.conns[name] = c
	}
	c.SetDeadline(time.Now().Add(time.Second))
	if _, err = fmt.Fprintln(c, "hello"); err == nil {
		_, err = bufio.NewReader(c).ReadString('\n')
	}
	if err != nil {
		c.Close()
		delete(s.conns, name)
	}
	return err
}
