package effects

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/faults"
)

// SQL reads a query. Columns count by their place: marker, count, value, time; without count each row is one effect.
type SQL struct {
	URL     experiments.Template   `yaml:"url" json:"url" env:"always" required:"true" doc:"postgres://… or sqlite:FILE"`
	Query   string                 `yaml:"query" json:"query" required:"true"`
	Args    []experiments.Template `yaml:"args" json:"args,omitempty" env:"always" doc:"for the placeholders of the query, as $1"`
	Timeout time.Duration          `yaml:"timeout" json:"timeout,omitempty" doc:"of the query; 10s when absent"`
}

const (
	statementTimeout = 10 * time.Second
	busyTimeout      = 5 * time.Second // for a SQLite file that somebody else has locked
)

// Validate wants a kind of database that can be read, where the address says it outright, and a time that is not below
// zero.
func (r *SQL) Validate() error {
	var kind, timeout error
	scheme, _, literal := strings.Cut(r.URL.Source, ":")
	if literal && !strings.Contains(scheme, "{{") && !slices.Contains(schemes, scheme) {
		kind = &faults.FieldError{Field: "url", Msg: fmt.Sprintf("%q is no database that can be read", scheme), Hint: "postgres:// or sqlite:"}
	}
	if r.Timeout < 0 {
		timeout = &faults.FieldError{Field: "timeout", Msg: fmt.Sprintf("%s is negative", r.Timeout), Hint: "such as 10s"}
	}
	return errors.Join(kind, timeout)
}

var schemes = []string{"postgres", "postgresql", "sqlite"}

// Read runs the query in a transaction that can only read.
func (r *SQL) Read(ctx context.Context, in experiments.Surroundings) ([]experiments.TruthRow, error) {
	address, err := r.URL.Expand(in.Vars)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	q := query{text: r.Query, args: make([]any, len(r.Args)), timeout: r.Timeout}
	for i, arg := range r.Args {
		if q.args[i], err = arg.Expand(in.Vars); err != nil {
			return nil, fmt.Errorf("args %d: %w", i+1, err)
		}
	}
	if q.timeout <= 0 {
		q.timeout = statementTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	scheme, rest, _ := strings.Cut(address, ":")
	switch scheme {
	case "postgres", "postgresql":
		return q.postgres(ctx, address)
	case "sqlite":
		return q.sqlite(ctx, strings.TrimPrefix(rest, "//"))
	}
	return nil, errors.New("url: it starts with postgres:// or sqlite:")
}

// query is what is asked.
type query struct {
	text    string
	args    []any
	timeout time.Duration
}

// errColumns means that a query gives something else than what a reader reads.
var errColumns = errors.New("the columns of the query are marker, count, value, time; it has one to four")

// scan reads a row of one to four columns.
func scan(values []any) (experiments.TruthRow, error) {
	row := experiments.TruthRow{Count: 1}
	if len(values) < 1 || len(values) > 4 {
		return row, errColumns
	}
	row.Marker, _ = text(values[0])
	if len(values) > 1 {
		n, err := whole(values[1])
		if err != nil {
			return row, fmt.Errorf("column 2, the count of %q: %w", row.Marker, err)
		}
		row.Count = n
	}
	if len(values) > 2 {
		if written, given := text(values[2]); given {
			row.Value = &written
		}
	}
	if len(values) > 3 {
		at, err := moment(values[3])
		if err != nil {
			return row, fmt.Errorf("column 4, the time of %q: %w", row.Marker, err)
		}
		row.At = at
	}
	return row, nil
}
