package stores_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/candor-chaos/candor/experiments"
)

// startServers runs Redis, MariaDB, PostgreSQL and Prometheus, each as its distribution ships it. Nothing is kept.
const startServers = `set -e
redis-server --bind 0.0.0.0 --save '' --requirepass s3cret >/dev/null &
mkdir -p /m /p /cluster && chown mysql /m && chown postgres /cluster
mariadb-install-db --no-defaults --user=mysql --datadir=/m --skip-test-db --auth-root-authentication-method=normal >/dev/null
printf '%s\n' "create user ann identified by 's3cret';" 'create database shop;' 'grant all on shop.* to ann;' > /init.sql
mariadbd --no-defaults --user=mysql --datadir=/m --socket=/m/sock --bind-address=0.0.0.0 --init-file=/init.sql --skip-name-resolve >/dev/null 2>&1 &
bin=$(echo /usr/lib/postgresql/*/bin)
su postgres -c "$bin/initdb -D /cluster -A trust -U ann" >/dev/null
echo "host all all all trust" >> /cluster/pg_hba.conf
su postgres -c "$bin/postgres -D /cluster -c listen_addresses='*' -c fsync=off -k /tmp" >/dev/null 2>&1 &
printf 'scrape_configs: [{job_name: itself, scrape_interval: 1s, static_configs: [{targets: ["127.0.0.1:9090"]}]}]\n' > /p/p.yml
prometheus --config.file=/p/p.yml --storage.tsdb.path=/p/data --web.listen-address=0.0.0.0:9090 >/dev/null 2>&1 &
wait`

// servers are real ones, each at an address of this machine.
type servers struct {
	redis, mysql, postgres, prometheus string // host:port
	container                          string
}

func start(t *testing.T) servers {
	t.Helper()
	if os.Getenv("CANDOR_TEST_NO_DOCKER") != "" {
		t.Skip("LEFT OUT: needs Docker, and CANDOR_TEST_NO_DOCKER is set")
	}
	prepare := filepath.Join("..", "..", "testdata", "images", "prepare")
	if out, err := exec.CommandContext(t.Context(), prepare).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", prepare, err, out)
	}
	image := output(t, prepare, "name")
	s := servers{container: fmt.Sprintf("candor-test-stores-%d", os.Getpid())}
	output(t, "docker", "run", "--detach", "--rm", "--init", "--name", s.container, "--publish", "127.0.0.1::6379", "--publish", "127.0.0.1::3306",
		"--publish", "127.0.0.1::5432", "--publish", "127.0.0.1::9090", image, "bash", "-c", startServers)
	t.Cleanup(func() {
		if out, err := exec.Command("docker", "rm", "--force", s.container).CombinedOutput(); err != nil {
			t.Errorf("remove %s: %v\n%s", s.container, err, out)
		}
	})
	for port, into := range map[string]*string{"6379": &s.redis, "3306": &s.mysql, "5432": &s.postgres, "9090": &s.prometheus} {
		*into, _, _ = strings.Cut(output(t, "docker", "port", s.container, port), "\n")
	}
	return s
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).Output()
	if err != nil {
		var ended *exec.ExitError
		if errors.As(err, &ended) {
			t.Fatalf("%s: %v\n%s", name, err, ended.Stderr)
		}
		t.Fatalf("%s: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}

// until tries again and again until a server has come up.
func until(t *testing.T, what string, try func(ctx context.Context) error) {
	t.Helper()
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		err = try(ctx)
		cancel()
		if err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

// mariadb runs SQL on MariaDB as a user of the product would.
func (s servers) mariadb(t *testing.T, statements ...string) {
	t.Helper()
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr, c.DBName = "ann", "s3cret", "tcp", s.mysql, "shop"
	quiet := zerolog.Nop()
	c.Logger = &quiet
	connector, err := mysql.NewConnector(c)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	until(t, "MariaDB", db.PingContext)
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func (s servers) psql(t *testing.T, statements ...string) {
	t.Helper()
	until(t, "PostgreSQL", func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, "postgres://ann@"+s.postgres+"/postgres")
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		for _, statement := range statements {
			if _, err := conn.Exec(ctx, statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		return nil
	})
}

func (s servers) client(t *testing.T) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: s.redis, Password: "s3cret"})
	t.Cleanup(func() { client.Close() })
	until(t, "Redis", func(ctx context.Context) error { return client.Ping(ctx).Err() })
	return client
}

func text(source string) experiments.Template { return experiments.Template{Source: source} }

func expr(source string) experiments.Expr { return experiments.Expr{Source: source} }

func surroundings() experiments.Surroundings {
	return experiments.Surroundings{Vars: experiments.Vars{"run": map[string]string{"prefix": "cdr-x-"}}}
}

// closed is an address where nobody listens.
func closed(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
