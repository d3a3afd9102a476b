package demo

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx, for orders that lie in PostgreSQL
	_ "modernc.org/sqlite"             // the driver sqlite
)

// store is a service's database: SQLite in its folder, or PostgreSQL.
type store struct {
	db       *sql.DB
	postgres bool
}

// openStore opens a database and makes its tables. serial stands for the type of a key that counts by itself.
func openStore(ctx context.Context, data, name string, tables ...string) (*store, error) {
	s := &store{postgres: strings.HasPrefix(data, "postgres://")}
	driver, source, serial := "sqlite", "file:"+filepath.Join(data, name)+"?_pragma=busy_timeout(2000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)", "integer primary key"
	if s.postgres {
		driver, source, serial = "pgx", data, "bigserial primary key"
	}
	var err error
	if s.db, err = sql.Open(driver, source); err != nil {
		return nil, fmt.Errorf("open database %s: %w", name, err)
	}
	s.db.SetMaxOpenConns(1)
	if s.postgres {
		s.db.SetMaxOpenConns(8)
		s.db.SetConnMaxIdleTime(time.Minute)
	}
	for _, t := range tables {
		if err = s.patiently(ctx, strings.ReplaceAll(t, "serial", serial)); err != nil {
			return nil, fmt.Errorf("make the tables of %s: %w", name, err)
		}
	}
	return s, nil
}

// patiently tries for a while: a database server may start later than its clients.
func (s *store) patiently(ctx context.Context, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		_, err := s.db.ExecContext(ctx, statement)
		if err == nil || !s.postgres {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// query writes placeholders as the database reads them: ? or $1.
func (s *store) query(text string) string {
	if !s.postgres {
		return text
	}
	var b strings.Builder
	n := 0
	for _, r := range text {
		if r == '?' {
			n++
			b.WriteString("$" + strconv.Itoa(n))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (s *store) exec(ctx context.Context, text string, args ...any) (int64, error) {
	done, err := s.db.ExecContext(ctx, s.query(text), args...)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}
