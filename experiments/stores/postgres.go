package stores

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// postgres asks over a connection of its own, in a transaction that the server lets only read.
func (q Query) postgres(ctx context.Context, address string) error {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		// The cause may quote the address, password and all.
		return errors.New("url: this postgres:// address cannot be understood")
	}
	config.ConnectTimeout = connectTime
	if err := q.postgresRows(ctx, config); err != nil {
		err = fmt.Errorf("read database %s: %w", config.Database, explain(err, q.Timeout))
		return hushed(err, config.Password)
	}
	return nil
}

func (q Query) postgresRows(ctx context.Context, config *pgx.ConnConfig) error {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer goodbye(ctx, conn)
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	patience := fmt.Sprintf("set local statement_timeout = %d; set local timezone = 'UTC'", q.Timeout.Milliseconds())
	if _, err = tx.Exec(ctx, patience); err != nil {
		return err
	}
	// As text every type comes as people write it, and a value reads the same as in psql.
	rows, err := tx.Query(ctx, q.Text, append([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, q.Args...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	fields := rows.FieldDescriptions()
	told := false
	for rows.Next() {
		if !told {
			if err := q.Columns(names(fields)); err != nil {
				return err
			}
			told = true
		}
		if err := q.Row(q.values(fields, rows.RawValues())); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil || told {
		return err
	}
	return q.Columns(names(rows.FieldDescriptions())) // no row has shown them
}

// goodbye tells the server that nobody will ask again, even when the time for the query is up.
func goodbye(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // what was read is read
}

func names(fields []pgconn.FieldDescription) []string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.Name
	}
	return all
}

// values are text as people know it from psql; where types are wanted, numbers and truth get theirs.
func (q Query) values(fields []pgconn.FieldDescription, raw [][]byte) []any {
	values := make([]any, len(raw))
	for i, v := range raw {
		if v == nil {
			continue
		}
		values[i] = string(v)
		if !q.Typed {
			continue
		}
		switch fields[i].DataTypeOID {
		case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID, pgtype.Float4OID, pgtype.Float8OID, pgtype.NumericOID:
			values[i] = exact(string(v))
		case pgtype.BoolOID:
			values[i] = string(v) == "t"
		}
	}
	return values
}
