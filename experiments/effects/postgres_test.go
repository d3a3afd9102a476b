package effects

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/candor-chaos/candor/experiments"
)

// database is a PostgreSQL server as far as its protocol: it refuses a session with a code, or plays one.
func database(t *testing.T, session func(*pgproto3.Backend)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			backend := pgproto3.NewBackend(conn, conn)
			if _, err := backend.ReceiveStartupMessage(); err == nil {
				session(backend)
			}
			conn.Close()
		}
	}()
	return "postgres://ann:s3cret@" + l.Addr().String() + "/shop?sslmode=disable"
}

// refuses ends a session with an error of the server.
func refuses(code, message string) func(*pgproto3.Backend) {
	return func(b *pgproto3.Backend) {
		b.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: code, Message: message})
		_ = b.Flush()
	}
}

func TestADatabaseThatCannotServe(t *testing.T) {
	for _, c := range []struct {
		name    string
		session func(*pgproto3.Backend)
		words   string
		code    string
	}{
		{"starting", refuses("57P03", "the database system is starting up"), "starting up, shutting down or recovering", "57P03"},
		{"stopping", refuses("57P01", "terminating connection due to administrator command"), "is shutting down", "57P01"},
		{"full", refuses("53300", "sorry, too many clients already"), "takes no more connections", "53300"},
		{"who are you", refuses("28P01", "password authentication failed for user ann with s3cret"), "query: ", "28P01"},
		{"hangs up", func(*pgproto3.Backend) {}, "read database shop", ""},
		{"dies under the query", diesUnderTheQuery, "is shutting down", "57P02"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := read(t, &SQL{URL: tmpl(database(t, c.session)), Query: "select note, count(*) from orders group by note"}, nil)
			if err == nil || !strings.Contains(err.Error(), c.words) || got != nil {
				t.Errorf("read %v, %v; want %q", got, err, c.words)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the password is in %q", err)
			}
			var said *pgconn.PgError
			if c.code != "" && (!errors.As(err, &said) || said.Code != c.code) {
				t.Errorf("%v lost its code %s", err, c.code)
			}
		})
	}
}

// diesUnderTheQuery lets a session begin and crashes after two rows of the answer.
func diesUnderTheQuery(b *pgproto3.Backend) {
	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	_ = b.Flush()
	for {
		message, err := b.Receive()
		if err != nil {
			return
		}
		switch message.(type) {
		case *pgproto3.Query:
			b.Send(&pgproto3.CommandComplete{CommandTag: []byte("BEGIN")})
			b.Send(&pgproto3.ReadyForQuery{TxStatus: 'T'})
		case *pgproto3.Parse:
			b.Send(&pgproto3.ParseComplete{})
		case *pgproto3.Describe:
			b.Send(&pgproto3.ParameterDescription{})
			b.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("note"), DataTypeOID: 25}, {Name: []byte("count"), DataTypeOID: 20}}})
		case *pgproto3.Bind:
			b.Send(&pgproto3.BindComplete{})
		case *pgproto3.Execute:
			for _, note := range []string{"cdr-x-1", "cdr-x-2"} {
				b.Send(&pgproto3.DataRow{Values: [][]byte{[]byte(note), []byte("1")}})
			}
			refuses("57P02", "terminating connection because of crash of another server process")(b)
			return
		case *pgproto3.Sync:
			b.Send(&pgproto3.ReadyForQuery{TxStatus: 'T'})
			_ = b.Flush()
			continue
		case *pgproto3.Terminate:
			return
		}
		if _, query := message.(*pgproto3.Query); query {
			_ = b.Flush()
		}
	}
}

func TestNobodyListensAtTheDatabase(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, err = read(t, &SQL{URL: tmpl("postgres://ann:s3cret@" + l.Addr().String() + "/shop"), Query: "select 1, 1"}, nil)
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("read = %v; want an error without the password", err)
	}
}

func TestValuesOfDatabases(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 500000000, time.UTC)
	for written, want := range map[any]time.Time{
		"2026-03-01 10:00:00.5+00":    at,
		"2026-03-01 12:00:00.5+02":    at,
		"2026-03-01 15:30:00.5+05:30": at,
		"2026-03-01 10:00:00.5":       at,
		"2026-03-01T10:00:00.5Z":      at,
		int64(1772359200):             time.Unix(1772359200, 0).UTC(),
		nil:                           {},
	} {
		if got, err := moment(written); err != nil || !got.Equal(want) {
			t.Errorf("moment(%v) = %s, %v; want %s", written, got, err, want)
		}
	}
	for _, c := range []struct {
		written any
		want    int64
		ok      bool
	}{{int64(3), 3, true}, {int32(3), 3, true}, {3.0, 3, true}, {"3", 3, true}, {[]byte("3"), 3, true}, {3.5, 0, false}, {"", 0, false}, {nil, 0, false}, {"3e5", 0, false}} {
		if got, err := whole(c.written); got != c.want || (err == nil) != c.ok {
			t.Errorf("whole(%v) = %d, %v; want %d", c.written, got, err, c.want)
		}
	}
	var l ledger
	for i := range 9 {
		v := string(rune('a' + i))
		if err := l.add(experiments.TruthRow{Marker: "m", Count: 1, Value: &v}); err != nil {
			t.Fatal(err)
		}
	}
	want := []experiments.TruthRow{{Marker: "m", Count: 9, Value: value("a | b | c | d | e")}}
	if diff := cmp.Diff(want, l.rows); diff != "" {
		t.Errorf("nine values (-want +got):\n%s", diff)
	}
}
