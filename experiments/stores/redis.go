package stores

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Redis is one connection to a server of Redis, or of what speaks as Redis does.
type Redis struct {
	client *redis.Client
	name   string
	secret string

	mu   sync.Mutex
	conn net.Conn // until the driver takes it
}

// OpenRedis reads redis://user:password@host:port/0, or rediss:// for TLS. It connects, and logs in with the first command.
func OpenRedis(ctx context.Context, address string) (*Redis, error) {
	u, err := parse(address, "redis://")
	if err != nil {
		return nil, err
	}
	if u.Scheme != "redis" && u.Scheme != "rediss" {
		return nil, errors.New("url: it starts with redis:// or rediss://")
	}
	number, db := strings.Trim(u.Path, "/"), 0
	if number != "" {
		if db, err = strconv.Atoi(number); err != nil {
			return nil, fmt.Errorf("url: %q is no number of a database of Redis", number)
		}
	}
	if u.RawQuery != "" {
		return nil, errors.New("url: nothing can follow a redis:// address after a ?")
	}
	port := u.Port()
	if port == "" {
		port = "6379"
	}
	secret, _ := u.User.Password()
	options := &redis.Options{Addr: net.JoinHostPort(u.Hostname(), port), Username: u.User.Username(), Password: secret, DB: db,
		Protocol: 2, DisableIdentity: true, MaxRetries: -1, DialerRetries: 1, PoolSize: 1, ContextTimeoutEnabled: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}}
	r := &Redis{name: options.Addr, secret: secret}
	within, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	conn, err := connect(within, options.Addr, u.Scheme == "rediss")
	if err != nil {
		return nil, r.explain(err)
	}
	options.Dialer = r.handOver
	r.conn, r.client = conn, redis.NewClient(options)
	return r, nil
}

// connect is here and not left to the driver, which would tell standard error of each failure.
func connect(ctx context.Context, address string, secure bool) (conn net.Conn, err error) {
	if secure {
		conn, err = (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}).DialContext(ctx, "tcp", address)
	} else {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return nil, err
	}
	return &bounded{Conn: conn, left: redisBytes, watch: &resp{}}, nil
}

// handOver gives the driver the one connection; it gets no second.
func (r *Redis) handOver(context.Context, string, string) (net.Conn, error) {
	if conn := r.take(); conn != nil {
		return conn, nil
	}
	return nil, errors.New("the connection is gone")
}

func (r *Redis) take() net.Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	conn := r.conn
	r.conn = nil
	return conn
}

// Close hangs up.
func (r *Redis) Close() error {
	err := r.client.Close()
	if conn := r.take(); conn != nil {
		err = errors.Join(err, conn.Close())
	}
	return err
}

// Do sends one command that changes nothing, and gives its answer as text, whole numbers and lists; nil where there is
// none.
func (r *Redis) Do(ctx context.Context, command ...any) (any, error) {
	value, err := r.client.Do(ctx, command...).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return value, r.explain(err)
}

// All sends several commands at once, and gives their answers in order.
func (r *Redis) All(ctx context.Context, commands [][]any) ([]any, error) {
	pipe := r.client.Pipeline()
	waiting := make([]*redis.Cmd, len(commands))
	for i, c := range commands {
		waiting[i] = pipe.Do(ctx, c...)
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, r.explain(err)
	}
	answers := make([]any, len(commands))
	for i, c := range waiting {
		value, err := c.Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, r.explain(err)
		}
		answers[i] = value
	}
	return answers, nil
}

// redisWords are the errors with which Redis answers but cannot serve, by their first word.
func redisWords(code string) string {
	switch code {
	case "LOADING":
		return "the server is still loading what it holds"
	case "MASTERDOWN":
		return "the server is a replica that has lost its master"
	case "CLUSTERDOWN", "TRYAGAIN":
		return "the cluster cannot serve now"
	case "MOVED", "ASK":
		return "the key lies on another node of the cluster"
	case "BUSY":
		return "the server is busy with a script"
	case "NOAUTH", "WRONGPASS", "NOPERM":
		return "the server does not let this user look"
	case "WRONGTYPE":
		return "the key holds something of another kind"
	}
	return ""
}

func (r *Redis) explain(err error) error {
	if err == nil {
		return nil
	}
	var said redis.Error
	words := "ask"
	if errors.As(err, &said) {
		code, _, _ := strings.Cut(said.Error(), " ")
		if known := redisWords(code); known != "" {
			words = known
		}
	}
	return hushed(fmt.Errorf("redis at %s: %s: %w", r.name, words, err), r.secret)
}
