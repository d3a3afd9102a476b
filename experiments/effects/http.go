package effects

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/wire"
)

// HTTP reads a list from a JSON answer.
type HTTP struct {
	Get     experiments.Template            `yaml:"get" json:"get" env:"always" required:"true" doc:"address, with http:// or https://"`
	Headers map[string]experiments.Template `yaml:"headers" json:"headers,omitempty" env:"always"`
	Each    experiments.Expr                `yaml:"each" json:"each,omitzero" env:"answer" doc:"the list in the answer; json itself when absent"`
	Marker  experiments.Expr                `yaml:"marker" json:"marker" env:"item" required:"true" doc:"the marker of an entry, as item.reference"`
	Count   experiments.Expr                `yaml:"count" json:"count,omitzero" env:"item" doc:"how many effects an entry stands for; 1 when absent"`
	Value   experiments.Expr                `yaml:"value" json:"value,omitzero" env:"item"`
	At      experiments.Expr                `yaml:"at" json:"at,omitzero" env:"item" doc:"when it happened"`
}

// maxAnswer is the most that is read of an answer, in bytes.
const maxAnswer = 32 << 20

// Read asks once and reads the whole list.
func (r *HTTP) Read(ctx context.Context, in experiments.Surroundings) ([]experiments.TruthRow, error) {
	vars, err := r.ask(ctx, in.Vars)
	if err != nil {
		return nil, err
	}
	entries := vars["json"]
	if !r.Each.IsZero() {
		if entries, err = r.Each.Eval(in.Vars.With(vars)); err != nil {
			return nil, fmt.Errorf("each: %w", err)
		}
	}
	list, ok := entries.([]any)
	if !ok {
		return nil, fmt.Errorf("each: %q is no list", r.Each.Source)
	}
	var found ledger
	for i, item := range list {
		row, err := r.row(in.Vars.With(experiments.Vars{"item": item}))
		if err == nil {
			err = found.add(row)
		}
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
	}
	return found.rows, nil
}

// row reads one entry.
func (r *HTTP) row(vars experiments.Vars) (experiments.TruthRow, error) {
	row := experiments.TruthRow{Count: 1}
	marker, err := r.Marker.Eval(vars)
	if err != nil {
		return row, fmt.Errorf("marker: %w", err)
	}
	row.Marker, _ = text(marker)
	return r.rest(row, vars)
}

// rest reads what an entry has beside its marker.
func (r *HTTP) rest(row experiments.TruthRow, vars experiments.Vars) (experiments.TruthRow, error) {
	if !r.Count.IsZero() {
		value, err := r.Count.Eval(vars)
		if err == nil {
			row.Count, err = whole(value)
		}
		if err != nil {
			return row, fmt.Errorf("count: %w", err)
		}
	}
	if !r.Value.IsZero() {
		value, err := r.Value.Eval(vars)
		if err != nil {
			return row, fmt.Errorf("value: %w", err)
		}
		if written, given := text(value); given {
			row.Value = &written
		}
	}
	if !r.At.IsZero() {
		value, err := r.At.Eval(vars)
		if err == nil {
			row.At, err = moment(value)
		}
		if err != nil {
			return row, fmt.Errorf("at: %w", err)
		}
	}
	return row, nil
}

// ask sends the request over a connection of its own and takes nothing but a whole 2xx answer in JSON.
func (r *HTTP) ask(ctx context.Context, vars experiments.Vars) (experiments.Vars, error) {
	request, err := r.request(ctx, vars)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: 256 << 10, DialContext: new(net.Dialer).DialContext}
	defer transport.CloseIdleConnections()
	began := time.Now()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", request.URL.Redacted(), err)
	}
	defer response.Body.Close()
	body, err := wire.ReadBody(response.Body, wire.Limits{Keep: 200, See: maxAnswer, Read: maxAnswer}, nil)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", request.URL.Redacted(), err)
	case response.StatusCode < 200 || response.StatusCode > 299:
		return nil, fmt.Errorf("read %s: status %d: %s", request.URL.Redacted(), response.StatusCode, wire.Line(body.Text.Text, 120))
	case body.Text.Unread:
		return nil, fmt.Errorf("read %s: the answer is longer than %d MiB", request.URL.Redacted(), maxAnswer>>20)
	}
	value, err := wire.Decode(body.Seen)
	if err != nil {
		return nil, fmt.Errorf("read %s: the answer is not JSON: %w", request.URL.Redacted(), err)
	}
	seen := experiments.Vars{"status": int64(response.StatusCode), "headers": wire.Headers(response.Header), "json": value,
		"body": wire.Printable(body.Seen[:min(len(body.Seen), 1<<20)]), "elapsed": time.Since(began), "hops": []any{}, "answered": true}
	return seen, nil
}

func (r *HTTP) request(ctx context.Context, vars experiments.Vars) (*http.Request, error) {
	address, err := r.Get.Expand(vars)
	if err != nil {
		return nil, fmt.Errorf("address: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("address: %w", err)
	}
	if s := request.URL.Scheme; s != "http" && s != "https" || request.URL.Host == "" {
		return nil, fmt.Errorf("%q is not an address that starts with http:// or https://", request.URL.Redacted())
	}
	request.Header.Set("User-Agent", "candor")
	request.Header.Set("Accept", "application/json")
	for name, value := range r.Headers {
		written, err := value.Expand(vars)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", name, err)
		}
		request.Header.Set(name, written)
	}
	return request, nil
}
