package probes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/stores"
	"github.com/candor-chaos/candor/experiments/wire"
	"github.com/candor-chaos/candor/faults"
)

// SQL looks at the rows of a query. A database that gives none of them, because it is away, starting up or full, could
// not be looked at: whether a port answers at all is for the probe tcp.
type SQL struct {
	URL     experiments.Template   `yaml:"url" json:"url" env:"always" required:"true" doc:"postgres://…, mysql://… or sqlite:FILE"`
	Query   string                 `yaml:"query" json:"query" required:"true" doc:"it can only read"`
	Args    []experiments.Template `yaml:"args" json:"args,omitempty" env:"always" doc:"for the placeholders of the query: $1 in PostgreSQL, ? in MySQL and SQLite"`
	Timeout time.Duration          `yaml:"timeout" json:"timeout,omitempty" doc:"3s when absent"`
}

const (
	maxRows  = 1000    // that an expression sees
	maxBytes = 1 << 20 // of all their values together
)

// Validate wants a kind of database that can be read, and a time that is not below zero.
func (p *SQL) Validate() error {
	var kind error
	if err := stores.CheckScheme(p.URL.Source); err != nil {
		kind = &faults.FieldError{Field: "url", Msg: err.Error(), Hint: stores.SchemeHint}
	}
	return errors.Join(kind, positive("timeout", p.Timeout))
}

// Observe runs the query.
func (p *SQL) Observe(ctx context.Context, in experiments.Surroundings) (experiments.Observation, error) {
	address, err := p.URL.Expand(in.Vars)
	if err != nil {
		return experiments.Observation{}, fmt.Errorf("url: %w", err)
	}
	found := table{rows: []any{}}
	q := stores.Query{Text: p.Query, Args: make([]any, len(p.Args)), Typed: true, Timeout: p.Timeout, Columns: found.columns, Row: found.row}
	for i, arg := range p.Args {
		if q.Args[i], err = arg.Expand(in.Vars); err != nil {
			return experiments.Observation{}, fmt.Errorf("args %d: %w", i+1, err)
		}
	}
	if q.Timeout <= 0 {
		q.Timeout = defaultTimeout
	}
	began := time.Now()
	if err := stores.Ask(ctx, address, q); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
		return experiments.Observation{}, err
	}
	seen := experiments.Observation{OK: len(found.rows) > 0, Vars: experiments.Vars{"rows": found.rows, "elapsed": time.Since(began)}}
	seen.Summary = fmt.Sprintf("%d rows", len(found.rows))
	if len(found.rows) > 0 {
		seen.Summary = wire.Line(fmt.Sprintf("%s, the first %s", seen.Summary, found.first()), 300)
	}
	return seen, nil
}

// table is what a query gave, as expressions see it.
type table struct {
	names []string
	rows  []any
	bytes int
}

func (t *table) columns(names []string) error {
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("two columns are named %q: name them apart with as", name)
		}
	}
	t.names = names
	return nil
}

// row keeps a row. What is too much to see is refused: an expression about the size of a part would be wrong.
func (t *table) row(values []any) error {
	if len(t.rows) == maxRows {
		return fmt.Errorf("more than %d rows: count in the query, or limit it", maxRows)
	}
	row := make(map[string]any, len(values))
	for i, value := range values {
		switch v := value.(type) {
		case []byte:
			value = wire.Printable(v)
		case string:
			value = wire.Printable([]byte(v))
		case int32:
			value = int64(v)
		}
		if text, is := value.(string); is {
			t.bytes += len(text)
		}
		t.bytes += len(t.names[i])
		row[t.names[i]] = value
	}
	if t.bytes > maxBytes {
		return fmt.Errorf("more than %d KiB of rows: count in the query, or limit it", maxBytes>>10)
	}
	t.rows = append(t.rows, row)
	return nil
}

// first is the first row in words.
func (t *table) first() string {
	row, _ := t.rows[0].(map[string]any)
	words := ""
	for i, name := range t.names {
		if i > 0 {
			words += ", "
		}
		words += fmt.Sprintf("%s=%v", name, row[name])
		if len(words) > 300 {
			break
		}
	}
	return words
}
