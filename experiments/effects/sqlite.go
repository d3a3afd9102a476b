package effects

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	_ "modernc.org/sqlite" // the driver named sqlite

	"github.com/candor-chaos/candor/experiments"
)

// sqlite asks a file that must be there, and cannot change it.
func (q query) sqlite(ctx context.Context, file string) (rows []experiments.TruthRow, err error) {
	if file == "" {
		return nil, errors.New("url: sqlite: needs a file")
	}
	options := url.Values{"mode": {"ro"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()), "query_only(1)"}}
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(file)+"?"+options.Encode())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	defer db.Close()
	if rows, err = q.sqliteRows(ctx, db); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, explain(err, q.timeout))
	}
	return rows, nil
}

func (q query) sqliteRows(ctx context.Context, db *sql.DB) ([]experiments.TruthRow, error) {
	rows, err := db.QueryContext(ctx, q.text, q.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	if len(columns) < 1 || len(columns) > 4 {
		return nil, errColumns
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var found ledger
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		if err := found.take(values); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return found.rows, nil
}
