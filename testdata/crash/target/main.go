// The target is every service of the crash campaign: it answers, and it asks another service when it is told to.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	// As the first process of a container it would be deaf to a polite end otherwise, and every stop would take ten seconds.
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGTERM, syscall.SIGINT)
	go func() { <-ends; os.Exit(0) }()

	client := &http.Client{Timeout: 500 * time.Millisecond, Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ask", func(w http.ResponseWriter, r *http.Request) { ask(w, r, client) })
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "here") })
	server := &http.Server{Addr: ":8080", Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	os.Exit(1)
}

// ask passes on what the other service says. Its connections are pooled, since a fault must end those as well.
func ask(w http.ResponseWriter, r *http.Request, client *http.Client) {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, r.URL.Query().Get("to"), nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := client.Do(req)
	if err != nil {
		http.Error(w, "the other service does not answer", http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	w.WriteHeader(answer.StatusCode)
	if _, err := io.Copy(w, io.LimitReader(answer.Body, 64<<10)); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
