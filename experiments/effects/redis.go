package effects

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/stores"
	"github.com/candor-chaos/candor/experiments/wire"
	"github.com/candor-chaos/candor/faults"
)

// Redis reads effects from keys whose names match a pattern, or from the entries of one list, set, sorted set or stream.
// Its marker, count, value and at see item: of keys its key and what is held there as value, of a list or set its value,
// of a sorted set value and score, of a stream id and fields; and json, what value says when it is JSON.
type Redis struct {
	URL     experiments.Template `yaml:"url" json:"url" env:"always" required:"true" doc:"redis://user:password@host:port/0, or rediss:// for TLS"`
	Keys    experiments.Template `yaml:"keys" json:"keys,omitzero" env:"always" doc:"a pattern as SCAN takes it: order:{{ run.prefix }}*"`
	List    experiments.Template `yaml:"list" json:"list,omitzero" env:"always" doc:"the key of a list"`
	Set     experiments.Template `yaml:"set" json:"set,omitzero" env:"always" doc:"the key of a set"`
	Sorted  experiments.Template `yaml:"sorted" json:"sorted,omitzero" env:"always" doc:"the key of a sorted set"`
	Stream  experiments.Template `yaml:"stream" json:"stream,omitzero" env:"always" doc:"the key of a stream; each entry has its time by itself"`
	Marker  experiments.Expr     `yaml:"marker" json:"marker,omitzero" env:"item" doc:"item.key of keys, item.value of a list or set when absent; as item.key.replace('order:', '')"`
	Count   experiments.Expr     `yaml:"count" json:"count,omitzero" env:"item" doc:"how many effects an entry stands for; 1 when absent"`
	Value   experiments.Expr     `yaml:"value" json:"value,omitzero" env:"item"`
	At      experiments.Expr     `yaml:"at" json:"at,omitzero" env:"item" doc:"when it happened"`
	Timeout time.Duration        `yaml:"timeout" json:"timeout,omitempty" doc:"of the whole reading; 10s when absent"`
}

const (
	redisTime  = 10 * time.Second
	redisBatch = 500 // entries that one question asks for
)

// sources are the keys that say where to look, with what is written there.
func (r *Redis) sources() (name string, where experiments.Template, given int) {
	for _, s := range []struct {
		name  string
		where experiments.Template
	}{{"keys", r.Keys}, {"list", r.List}, {"set", r.Set}, {"sorted", r.Sorted}, {"stream", r.Stream}} {
		if !s.where.IsZero() {
			name, where = s.name, s.where
			given++
		}
	}
	return name, where, given
}

// Validate wants one place to look, a marker where an entry has none by itself, and a time that is not below zero.
func (r *Redis) Validate() error {
	var where, marker, timeout error
	name, _, given := r.sources()
	switch {
	case given == 0:
		where = &faults.FieldError{Field: "keys", Msg: "is missing, and so are list, set, sorted and stream"}
	case given > 1:
		where = &faults.FieldError{Field: name, Msg: "only one of keys, list, set, sorted and stream can say where to look"}
	case name == "stream" && r.Marker.IsZero():
		marker = &faults.FieldError{Field: "marker", Msg: "is missing: an entry of a stream has fields", Hint: "such as item.fields.reference"}
	}
	if r.Timeout < 0 {
		timeout = &faults.FieldError{Field: "timeout", Msg: fmt.Sprintf("%s is negative", r.Timeout), Hint: "such as 10s"}
	}
	return errors.Join(where, marker, timeout)
}

// Read walks through all entries. What comes and goes meanwhile may be missed or be there, as with every store that
// gives no snapshot; what is there all the time is found, and each key once.
func (r *Redis) Read(ctx context.Context, in experiments.Surroundings) ([]experiments.TruthRow, error) {
	address, err := r.URL.Expand(in.Vars)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	name, where, given := r.sources()
	if given != 1 {
		return nil, errors.New("one of keys, list, set, sorted, stream says where to look")
	}
	key, err := where.Expand(in.Vars)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	timeout := r.Timeout
	if timeout <= 0 {
		timeout = redisTime
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client, err := stores.OpenRedis(ctx, address)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var found ledger
	w := walk{Redis: client, key: key, take: func(item map[string]any) error {
		row, err := r.row(in.Vars, item)
		if err != nil {
			return fmt.Errorf("entry %s: %w", wire.Line(fmt.Sprint(item["key"], item["id"], item["value"]), 100), err)
		}
		return found.add(row)
	}}
	ways := map[string]func(context.Context) error{"keys": w.keys, "list": w.list, "set": w.set, "sorted": w.sorted, "stream": w.stream}
	if err := ways[name](ctx); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("the reading did not end within %s: %w", timeout, err)
		}
		return nil, err
	}
	return found.rows, nil
}

// row reads one entry.
func (r *Redis) row(vars experiments.Vars, item map[string]any) (experiments.TruthRow, error) {
	if text, is := item["value"].(string); is {
		item["json"] = wire.JSON(wire.Body{Seen: []byte(text), Text: experiments.Text{Length: int64(len(text))}})
	}
	by := HTTP{Marker: r.Marker, Count: r.Count, Value: r.Value, At: r.At}
	if !r.Marker.IsZero() {
		row, err := by.row(vars.With(experiments.Vars{"item": item}))
		return timed(row, item), err
	}
	marker, _ := text(item["value"])
	if key, is := item["key"].(string); is {
		marker = key
	}
	row, err := by.rest(experiments.TruthRow{Marker: marker, Count: 1}, vars.With(experiments.Vars{"item": item}))
	return timed(row, item), err
}

// timed gives an entry of a stream its own time: its id begins with milliseconds.
func timed(row experiments.TruthRow, item map[string]any) experiments.TruthRow {
	id, is := item["id"].(string)
	if !is || !row.At.IsZero() {
		return row
	}
	if ms, err := strconv.ParseInt(strings.SplitN(id, "-", 2)[0], 10, 64); err == nil && ms < 1<<45 {
		row.At = time.UnixMilli(ms).UTC()
	}
	return row
}
