package stores

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
)

// explain puts the errors that a broken or busy database gives into words; the cause stays.
func explain(err error, timeout time.Duration) error {
	var said *pgconn.PgError
	var mysaid *mysql.MySQLError
	switch {
	case errors.As(err, &mysaid):
		if words := mysqlWords(mysaid.Number); words != "" {
			return fmt.Errorf("%s: %w", words, err)
		}
	case errors.As(err, &said):
		if words := inWords(said.Code); words != "" {
			return fmt.Errorf("%s: %w", words, err)
		}
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the query did not end within %s: %w", timeout, err)
	}
	return fmt.Errorf("query: %w", err)
}

// inWords names the states in which PostgreSQL answers but cannot serve.
func inWords(code string) string {
	switch code {
	case "57P03":
		return "the database is starting up, shutting down or recovering"
	case "57P01", "57P02":
		return "the database is shutting down"
	case "53300":
		return "the database takes no more connections"
	case "57014":
		return "the query was cancelled"
	case "25006":
		return "a reader must not write"
	}
	return ""
}

// mysqlWords names the states in which MySQL and MariaDB answer but cannot serve.
func mysqlWords(number uint16) string {
	switch number {
	case 1053, 1077, 1079, 3169:
		return "the database is shutting down"
	case 1040, 1203, 1226:
		return "the database takes no more connections"
	case 3168, 1047:
		return "the database is starting up or not ready"
	case 1969, 3024, 1317, 1927:
		return "the query was cancelled"
	case 1792, 1290, 1836, 3100:
		return "a reader must not write"
	}
	return ""
}

// quiet is an error whose words lack a secret.
type quiet struct {
	words string
	cause error
}

func (q *quiet) Error() string { return q.words }

// Unwrap lets callers ask what it is; its words are for them to leave alone.
func (q *quiet) Unwrap() error { return q.cause }

func hushed(err error, secret string) error {
	if err == nil || secret == "" || !strings.Contains(err.Error(), secret) {
		return err
	}
	return &quiet{words: strings.ReplaceAll(err.Error(), secret, "…"), cause: err}
}
