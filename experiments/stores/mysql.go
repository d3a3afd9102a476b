package stores

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/rs/zerolog"
)

// mysql asks MySQL or MariaDB over a connection of its own, in a transaction that the server lets only read.
func (q Query) mysql(ctx context.Context, address string) error {
	config, err := mysqlConfig(address)
	if err != nil {
		return err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return fmt.Errorf("url: %w", hushed(err, config.Passwd))
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	db.SetMaxOpenConns(1)
	if err := q.mysqlRows(ctx, db); err != nil {
		return hushed(fmt.Errorf("read database %s: %w", config.DBName, explain(err, q.Timeout)), config.Passwd)
	}
	return nil
}

// mysqlConfig reads mysql://user:password@host:port/database. Only tls may follow, since other options of the driver
// would let a server do more than answer.
func mysqlConfig(address string) (*mysql.Config, error) {
	u, err := parse(address, "mysql://")
	if err != nil {
		return nil, err
	}
	c := mysql.NewConfig()
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	c.Net, c.Addr = "tcp", u.Host
	if u.Port() == "" {
		c.Addr = net.JoinHostPort(u.Hostname(), "3306")
	}
	c.DBName = strings.TrimPrefix(u.Path, "/")
	c.Timeout = connectTime
	c.DialFunc = dial
	quiet := zerolog.Nop()
	c.Logger = &quiet // what went wrong comes back as an error
	options, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("url: what follows the ? of this mysql:// address cannot be understood")
	}
	for name, values := range options {
		modes := []string{"true", "false", "preferred", "skip-verify"}
		if name != "tls" || len(values) != 1 || !slices.Contains(modes, values[0]) {
			return nil, fmt.Errorf("url: %s cannot follow a mysql:// address; only tls=%s can", name, strings.Join(modes, "|"))
		}
		c.TLSConfig = values[0]
	}
	return c, nil
}

func (q Query) mysqlRows(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err = conn.ExecContext(ctx, "set time_zone = '+00:00'"); err != nil {
		return err
	}
	if err := q.patience(ctx, conn); err != nil {
		return err
	}
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	rows, err := tx.QueryContext(ctx, q.Text, q.Args...)
	if err != nil {
		return err
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		return errors.Join(err, rows.Close())
	}
	return q.each(rows, func(column int, value any) any { return q.mysqlValue(types[column].DatabaseTypeName(), value) })
}

// patience tells the server to give up a query by itself: it would go on when the connection is gone. The two databases
// name and measure it differently.
func (q Query) patience(ctx context.Context, conn *sql.Conn) error {
	const unknownVariable = 1193
	var said *mysql.MySQLError
	_, err := conn.ExecContext(ctx, fmt.Sprintf("set session max_execution_time = %d", q.Timeout.Milliseconds()))
	if errors.As(err, &said) && said.Number == unknownVariable {
		_, err = conn.ExecContext(ctx, fmt.Sprintf("set session max_statement_time = %f", q.Timeout.Seconds()))
	}
	return err
}

// mysqlValue is text as people know it from the mysql client; where types are wanted, numbers get theirs.
func (q Query) mysqlValue(kind string, value any) any {
	switch v := value.(type) {
	case []byte:
		if q.Typed && (kind == "DECIMAL" || kind == "FLOAT" || kind == "DOUBLE" || strings.HasSuffix(kind, "INT")) {
			return exact(string(v))
		}
		return string(v)
	case float32:
		return float64(v)
	}
	return value
}
