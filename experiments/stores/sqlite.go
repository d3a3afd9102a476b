package stores

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	_ "modernc.org/sqlite" // the driver named sqlite
)

// sqlite asks a file that must be there, and cannot change it.
func (q Query) sqlite(ctx context.Context, file string) error {
	if file == "" {
		return errors.New("url: sqlite: needs a file")
	}
	options := url.Values{"mode": {"ro"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", connectTime.Milliseconds()), "query_only(1)"}}
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(file)+"?"+options.Encode())
	if err != nil {
		return fmt.Errorf("open %s: %w", file, err)
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, q.Text, q.Args...)
	if err == nil {
		err = q.each(rows, func(_ int, value any) any { return value })
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", file, explain(err, q.Timeout))
	}
	return nil
}

// each hands on the rows of a database that database/sql knows.
func (q Query) each(rows *sql.Rows, native func(column int, value any) any) error {
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	if err := q.Columns(columns); err != nil {
		return err
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i := range values {
			values[i] = native(i, values[i])
		}
		if err := q.Row(values); err != nil {
			return err
		}
	}
	return rows.Err()
}
