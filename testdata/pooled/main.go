// Command pooled is a tiny service of the tests that uses Redis and PostgreSQL as products do, through pools whose
// connections were opened long before. It asks each of them without a pause and remembers how every question went; or it
// is the upstream that others stand in front of.
//
//	pooled serve                        answers HTTP on :8080 with the address of who asks
//	pooled ask REDIS_ADDRESS PG_URL     asks, and tells on :8080/log?of=redis|postgres&since=UNIX_NANOSECONDS
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

// question is one that was asked of a dependency.
type question struct {
	Began, Ended int64 // Unix nanoseconds
	OK           bool
}

// diary keeps the last questions.
type diary struct {
	mu  sync.Mutex
	all []question
}

func (d *diary) keep(q question) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all = append(d.all, q); len(d.all) > 100_000 {
		d.all = d.all[50_000:]
	}
}

// ask asks again and again; a breath between questions leaves the processor to others.
func (d *diary) ask(one func(ctx context.Context) error) {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		began := time.Now()
		err := one(ctx)
		cancel()
		d.keep(question{Began: began.UnixNano(), Ended: time.Now().UnixNano(), OK: err == nil})
		time.Sleep(2 * time.Millisecond)
	}
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if args[0] == "serve" {
		return http.ListenAndServe(":8080", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.RemoteAddr) }))
	}
	pool, err := pgxpool.New(context.Background(), args[2])
	if err != nil {
		return err
	}
	client := redis.NewClient(&redis.Options{Addr: args[1], PoolSize: 4, MinIdleConns: 4, MaxRetries: -1})
	diaries := map[string]*diary{"redis": {}, "postgres": {}}
	for range 2 {
		go diaries["redis"].ask(func(ctx context.Context) error { return client.Set(ctx, "asked", "1", 0).Err() })
		go diaries["postgres"].ask(func(ctx context.Context) error {
			var one int
			return pool.QueryRow(ctx, "select 1").Scan(&one)
		})
	}
	return http.ListenAndServe(":8080", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, known := diaries[r.URL.Query().Get("of")]
		since, err := strconv.ParseInt(r.URL.Query().Get("since"), 10, 64)
		if !known || err != nil {
			http.Error(w, "of and since are wanted", http.StatusBadRequest)
			return
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		found := []question{}
		for _, q := range d.all {
			if q.Ended >= since {
				found = append(found, q)
			}
		}
		json.NewEncoder(w).Encode(found)
	}))
}
