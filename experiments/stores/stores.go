// Package stores asks databases and stores what they hold: each time over a connection of its own, in a way that the
// server itself lets only read, within bounds of time and size. Every error means that it could not look: a server that
// is starting up, shutting down or full has said nothing about what it holds.
package stores

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	queryTime   = 10 * time.Second // of one query, where nothing else is said
	connectTime = 5 * time.Second  // of making a connection, or of waiting for a SQLite file that somebody has locked
)

// Query is what a database is asked.
type Query struct {
	Text    string
	Args    []any
	Typed   bool          // numbers as numbers, where the database writes them as text
	Timeout time.Duration // 10s when zero
	Columns func(names []string) error
	Row     func(values []any) error // they are the caller's until it returns; times are in UTC
}

// Schemes are the addresses that Ask understands.
func Schemes() []string { return []string{"postgres", "postgresql", "mysql", "mariadb", "sqlite"} }

// CheckScheme finds an address that no database here answers to. What is known only in a run is not judged.
func CheckScheme(source string) error {
	scheme, _, literal := strings.Cut(source, ":")
	if !literal || strings.Contains(scheme, "{{") || slices.Contains(Schemes(), scheme) {
		return nil
	}
	return fmt.Errorf("%q is no database that can be read", scheme)
}

// SchemeHint is what would be right.
const SchemeHint = "postgres://, mysql:// or sqlite:"

// Ask runs a query. Placeholders are each database's own: $1 in PostgreSQL, ? in MySQL and SQLite.
func Ask(ctx context.Context, address string, q Query) error {
	if q.Timeout <= 0 {
		q.Timeout = queryTime
	}
	ctx, cancel := context.WithTimeout(ctx, q.Timeout)
	defer cancel()
	scheme, rest, _ := strings.Cut(address, ":")
	switch scheme {
	case "postgres", "postgresql":
		return q.postgres(ctx, address)
	case "mysql", "mariadb":
		return q.mysql(ctx, address)
	case "sqlite":
		return q.sqlite(ctx, strings.TrimPrefix(rest, "//"))
	}
	return errors.New("url: it starts with " + SchemeHint)
}

// exact reads what a database writes as a number. What a number here would not hold exactly stays text, such as money
// with many digits.
func exact(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || len(strings.Trim(text, "-0.")) > 16 {
		return text
	}
	return f
}

// parse reads an address. The cause of a failure may quote it, password and all, so it is not told.
func parse(address, what string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("url: this %s address cannot be understood", what)
	}
	return u, nil
}
