package stores

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Redis is one connection to a server of Redis, or of what speaks as Redis does.
type Redis struct {
	client *redis.Client
	name   string
	secret string
}

// OpenRedis reads redis://user:password@host:port/0, or rediss:// for TLS. It does not connect yet.
func OpenRedis(address string) (*Redis, error) {
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
	plain := dial(redisBytes, func() watcher { return &resp{} })
	options.Dialer = plain
	if u.Scheme == "rediss" {
		options.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&tls.Dialer{Config: &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}}).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &bounded{Conn: conn, left: redisBytes, watch: &resp{}}, nil
		}
	}
	return &Redis{client: redis.NewClient(options), name: options.Addr, secret: secret}, nil
}

// Close hangs up.
func (r *Redis) Close() error { return r.client.Close() }

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
