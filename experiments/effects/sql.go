package effects

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/stores"
	"github.com/candor-chaos/candor/faults"
)

// SQL reads a query. Columns count by their place: marker, count, value, time; without count each row is one effect.
type SQL struct {
	URL     experiments.Template   `yaml:"url" json:"url" env:"always" required:"true" doc:"postgres://…, mysql://… or sqlite:FILE"`
	Query   string                 `yaml:"query" json:"query" required:"true"`
	Args    []experiments.Template `yaml:"args" json:"args,omitempty" env:"always" doc:"for the placeholders of the query: $1 in PostgreSQL, ? in MySQL and SQLite"`
	Timeout time.Duration          `yaml:"timeout" json:"timeout,omitempty" doc:"of the query; 10s when absent"`
}

// Validate wants a kind of database that can be read, where the address says it outright, and a time that is not below
// zero.
func (r *SQL) Validate() error {
	var kind, timeout error
	if err := stores.CheckScheme(r.URL.Source); err != nil {
		kind = &faults.FieldError{Field: "url", Msg: err.Error(), Hint: stores.SchemeHint}
	}
	if r.Timeout < 0 {
		timeout = &faults.FieldError{Field: "timeout", Msg: fmt.Sprintf("%s is negative", r.Timeout), Hint: "such as 10s"}
	}
	return errors.Join(kind, timeout)
}

// Read runs the query in a transaction that can only read.
func (r *SQL) Read(ctx context.Context, in experiments.Surroundings) ([]experiments.TruthRow, error) {
	address, err := r.URL.Expand(in.Vars)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	var found ledger
	q := stores.Query{Text: r.Query, Args: make([]any, len(r.Args)), Timeout: r.Timeout, Columns: columns, Row: found.take}
	for i, arg := range r.Args {
		if q.Args[i], err = arg.Expand(in.Vars); err != nil {
			return nil, fmt.Errorf("args %d: %w", i+1, err)
		}
	}
	if err := stores.Ask(ctx, address, q); err != nil {
		return nil, err
	}
	return found.rows, nil
}

// errColumns means that a query gives something else than what a reader reads.
var errColumns = errors.New("the columns of the query are marker, count, value, time; it has one to four")

func columns(names []string) error {
	if len(names) < 1 || len(names) > 4 {
		return errColumns
	}
	return nil
}

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
