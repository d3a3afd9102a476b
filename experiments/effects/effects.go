// Package effects reads what is true: what the intents of a run have done to the world, all of them in one go, over a
// way of its own. An error means that the truth could not be read; a reader never guesses, and never changes anything.
package effects

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// All lists the kinds of reader.
func All() []experiments.ReaderKind {
	return []experiments.ReaderKind{
		{Name: "http", Doc: "a list in a JSON answer, one entry for each effect", New: func() experiments.ReaderSpec { return new(HTTP) },
			Example: "get: \"http://127.0.0.1:18094/charges?prefix={{ run.prefix }}\"\neach: json.charges\nmarker: item.reference\nvalue: item.pence\n"},
		{Name: "sql", Doc: "a query in PostgreSQL, MySQL or SQLite; its columns are marker, count and, where wanted, value and time", New: func() experiments.ReaderSpec { return new(SQL) },
			Example: "url: \"{{ env.ORDERS_DB }}\"\nquery: select note, count(*) from orders where note like $1 group by note\nargs: [\"{{ run.prefix }}%\"]\n"},
		{Name: "redis", Doc: "keys, or the entries of a list, set or stream, one for each effect", New: func() experiments.ReaderSpec { return new(Redis) },
			Example: "url: \"redis://127.0.0.1:6379/0\"\nkeys: \"order:{{ run.prefix }}*\"\nmarker: item.key.replace('order:', '')\nvalue: item.json.pence\n"},
	}
}

const (
	maxRows  = 1_000_000 // of one reading
	maxValue = 4096      // bytes of one value
)

// ledger gathers rows by marker: their counts add up.
type ledger struct {
	rows  []experiments.TruthRow
	place map[string]int
}

// add counts a row in. Values that differ under one marker stay visible side by side, so that none of them can pass for
// the whole truth.
func (l *ledger) add(row experiments.TruthRow) error {
	if l.place == nil {
		l.place = map[string]int{}
	}
	if row.Value != nil && len(*row.Value) > maxValue {
		cut := strings.ToValidUTF8((*row.Value)[:maxValue], "") + "…"
		row.Value = &cut
	}
	i, known := l.place[row.Marker]
	if !known {
		if len(l.rows) >= maxRows {
			return fmt.Errorf("more than %d markers", maxRows)
		}
		l.place[row.Marker] = len(l.rows)
		l.rows = append(l.rows, row)
		return nil
	}
	have := &l.rows[i]
	have.Count += row.Count
	if row.At.After(have.At) {
		have.At = row.At
	}
	if row.Value != nil {
		have.Value = beside(have.Value, *row.Value)
	}
	return nil
}

// take adds a row as a database gives it.
func (l *ledger) take(values []any) error {
	row, err := scan(values)
	if err != nil {
		return err
	}
	return l.add(row)
}

const (
	between   = " | " // of values that differ
	maxValues = 5     // kept side by side
)

func beside(have *string, value string) *string {
	if have == nil {
		return &value
	}
	values := strings.Split(*have, between)
	if !slices.Contains(values, value) && len(values) < maxValues {
		values = append(values, value)
		slices.Sort(values)
	}
	joined := strings.Join(values, between)
	return &joined
}

// text is a value as the history writes it; nil has none.
func text(value any) (string, bool) {
	switch v := value.(type) {
	case nil:
		return "", false
	case string:
		return v, true
	case []byte:
		return string(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), true
	}
	return fmt.Sprint(value), true
}

// whole is a count. Databases give them in many types.
func whole(value any) (int64, error) {
	switch v := value.(type) {
	case int64:
		return v, nil
	case int32:
		return int64(v), nil
	case uint64:
		return int64(min(v, 1<<62)), nil
	case float64:
		if n := int64(v); float64(n) == v {
			return n, nil
		}
	case string, []byte:
		written, _ := text(v)
		n, err := strconv.ParseInt(strings.TrimSpace(written), 10, 64)
		if err == nil {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%v is not a whole number", value)
}

// moment is a time in one of the shapes that people store: itself, RFC 3339, SQL's own, or seconds since 1970.
func moment(value any) (time.Time, error) {
	switch v := value.(type) {
	case nil:
		return time.Time{}, nil
	case time.Time:
		return v.UTC(), nil
	case int64:
		return time.Unix(v, 0).UTC(), nil
	case string:
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999-07", time.DateTime} {
			if at, err := time.Parse(layout, v); err == nil {
				return at.UTC(), nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("%v is not a time", value)
}
