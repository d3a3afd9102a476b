package effects

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/candor-chaos/candor/experiments"
)

// postgres asks over a connection of its own, in a transaction that the server lets only read.
func (q query) postgres(ctx context.Context, address string) ([]experiments.TruthRow, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		// The cause may quote the address, password and all.
		return nil, errors.New("url: this postgres:// address cannot be understood")
	}
	config.ConnectTimeout = busyTimeout
	rows, err := q.postgresRows(ctx, config)
	if err != nil {
		err = fmt.Errorf("read database %s: %w", config.Database, explain(err, q.timeout))
		return nil, hushed(err, config.Password)
	}
	return rows, nil
}

func (q query) postgresRows(ctx context.Context, config *pgx.ConnConfig) ([]experiments.TruthRow, error) {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	defer goodbye(ctx, conn)
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, err
	}
	patience := fmt.Sprintf("set local statement_timeout = %d; set local timezone = 'UTC'", q.timeout.Milliseconds())
	if _, err = tx.Exec(ctx, patience); err != nil {
		return nil, err
	}
	// As text every type comes as people write it, and a value reads the same as in psql.
	rows, err := tx.Query(ctx, q.text, append([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, q.args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found ledger
	for rows.Next() {
		if err := found.take(texts(rows.RawValues())); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if n := len(rows.FieldDescriptions()); n < 1 || n > 4 {
		return nil, errColumns // no row has shown it
	}
	return found.rows, nil
}

// goodbye tells the server that nobody will ask again, even when the time for the query is up.
func goodbye(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // what was read is read
}

func texts(raw [][]byte) []any {
	values := make([]any, len(raw))
	for i, v := range raw {
		if v != nil {
			values[i] = string(v)
		}
	}
	return values
}
