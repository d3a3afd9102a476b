package probes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/stores"
	"github.com/candor-chaos/candor/experiments/wire"
	"github.com/candor-chaos/candor/faults"
)

// Redis looks at one value. A server that gives none, because it is away or loading, could not be looked at: whether a
// port answers at all is for the probe tcp.
type Redis struct {
	URL     experiments.Template   `yaml:"url" json:"url" env:"always" required:"true" doc:"redis://user:password@host:port/0, or rediss:// for TLS"`
	Get     experiments.Template   `yaml:"get" json:"get,omitzero" env:"always" doc:"the key whose text is looked at"`
	Command []experiments.Template `yaml:"command" json:"command,omitempty" env:"always" doc:"or a command that only looks, as [LLEN, queue]"`
	Timeout time.Duration          `yaml:"timeout" json:"timeout,omitempty" doc:"3s when absent"`
}

// looking are the commands of Redis that change nothing, wait for nothing and do not walk through everything there is.
func looking() map[string]bool {
	all := map[string]bool{}
	for _, name := range strings.Fields(`BITCOUNT BITPOS DBSIZE EXISTS EXPIRETIME GEODIST GEOPOS GET GETBIT GETRANGE HEXISTS HGET
		HGETALL HKEYS HLEN HMGET HSTRLEN HVALS INFO LASTSAVE LINDEX LLEN LPOS LRANGE MGET PEXPIRETIME PFCOUNT PING PTTL ROLE SCARD
		SDIFF SINTER SINTERCARD SISMEMBER SMEMBERS SMISMEMBER STRLEN SUNION TIME TTL TYPE XLEN XPENDING XRANGE XREVRANGE ZCARD
		ZCOUNT ZLEXCOUNT ZMSCORE ZRANGE ZRANK ZREVRANK ZSCORE`) {
		all[name] = true
	}
	return all
}

// Validate wants a key or a command that only looks, and a time that is not below zero.
func (p *Redis) Validate() error {
	var which, name error
	switch {
	case p.Get.IsZero() && len(p.Command) == 0:
		which = &faults.FieldError{Field: "get", Msg: "is missing, and so is command", Hint: "such as get: queue-length"}
	case !p.Get.IsZero() && len(p.Command) > 0:
		which = &faults.FieldError{Field: "command", Msg: "get says what to look at already"}
	case len(p.Command) > 0 && !looking()[strings.ToUpper(p.Command[0].Source)]:
		name = &faults.FieldError{Field: "command", Msg: fmt.Sprintf("%q is no command that only looks", p.Command[0].Source), Hint: "such as [LLEN, queue]"}
	}
	return errors.Join(which, name, positive("timeout", p.Timeout))
}

// Observe asks once. It is fine when there is a value.
func (p *Redis) Observe(ctx context.Context, in experiments.Surroundings) (experiments.Observation, error) {
	var none experiments.Observation
	address, err := p.URL.Expand(in.Vars)
	if err != nil {
		return none, fmt.Errorf("url: %w", err)
	}
	command, words, err := p.command(in.Vars)
	if err != nil {
		return none, err
	}
	within, cancel := within(ctx, p.Timeout)
	defer cancel()
	began := time.Now()
	value, err := askRedis(within, address, command)
	elapsed := time.Since(began)
	if err != nil {
		if cause := stopped(ctx); cause != nil {
			err = cause
		}
		return none, fmt.Errorf("%s: %w", wire.Line(words, 100), err)
	}
	size := 0
	value = seeable(value, &size)
	if size > maxBytes {
		return none, fmt.Errorf("%s: an answer of more than %d KiB", wire.Line(words, 100), maxBytes>>10)
	}
	seen := experiments.Observation{OK: value != nil, Vars: experiments.Vars{"value": value, "elapsed": elapsed}}
	seen.Summary = wire.Line(words, 100) + ": nothing there"
	if value != nil {
		seen.Summary = wire.Line(fmt.Sprintf("%s: %v", wire.Line(words, 100), value), 300)
	}
	return seen, nil
}

func askRedis(ctx context.Context, address string, command []any) (any, error) {
	client, err := stores.OpenRedis(ctx, address)
	if err != nil {
		return nil, err
	}
	value, err := client.Do(ctx, command...)
	return value, errors.Join(err, client.Close())
}

// command is what is sent, and the same for people.
func (p *Redis) command(vars experiments.Vars) (command []any, words string, err error) {
	if !p.Get.IsZero() {
		key, err := p.Get.Expand(vars)
		if err != nil {
			return nil, "", fmt.Errorf("get: %w", err)
		}
		return []any{"GET", key}, "GET " + key, nil
	}
	for i, arg := range p.Command {
		text, err := arg.Expand(vars)
		if err != nil {
			return nil, "", fmt.Errorf("command %d: %w", i, err)
		}
		command = append(command, text)
		words += " " + text
	}
	if len(command) == 0 {
		return nil, "", errors.New("no command is given")
	}
	return command, strings.TrimSpace(words), nil
}

// seeable makes text printable, and counts the bytes of an answer.
func seeable(value any, size *int) any {
	*size += 8
	switch v := value.(type) {
	case string:
		*size += len(v)
		return wire.Printable([]byte(v))
	case []any:
		for i := range v {
			v[i] = seeable(v[i], size)
		}
	}
	return value
}
