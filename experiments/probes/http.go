package probes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/wire"
	"github.com/candor-chaos/candor/faults"
)

// HTTP asks once, on a connection of its own, and follows no redirect.
type HTTP struct {
	Get     experiments.Template            `yaml:"get" json:"get" env:"always" required:"true" doc:"address, with http:// or https://"`
	Method  string                          `yaml:"method" json:"method,omitempty" doc:"GET when absent"`
	Headers map[string]experiments.Template `yaml:"headers" json:"headers,omitempty" env:"always"`
	Body    experiments.Template            `yaml:"body" json:"body,omitzero" env:"always"`
	Timeout time.Duration                   `yaml:"timeout" json:"timeout,omitempty" doc:"3s when absent"`
}

// Validate wants a method that can be sent, and a time that is not below zero.
func (p *HTTP) Validate() error {
	var method error
	if p.Method != "" && !httpguts.ValidHeaderFieldName(p.Method) { // a method is a token, as names of headers are
		method = &faults.FieldError{Field: "method", Msg: fmt.Sprintf("%q is no method", p.Method), Hint: "such as HEAD"}
	}
	return errors.Join(method, positive("timeout", p.Timeout))
}

// Observe asks. A connection that is refused, broken or silent was seen to be so.
func (p *HTTP) Observe(ctx context.Context, in experiments.Surroundings) (experiments.Observation, error) {
	ctx, cancel := within(ctx, p.Timeout)
	defer cancel()
	request, err := p.request(ctx, in.Vars)
	if err != nil {
		return experiments.Observation{}, err
	}
	began := time.Now()
	status, header, body, err := ask(request)
	if cause := stopped(ctx); cause != nil {
		return experiments.Observation{}, fmt.Errorf("look at %s: %w", request.URL.Redacted(), cause)
	}
	if err != nil && wire.Blind(err) {
		return experiments.Observation{}, fmt.Errorf("look at %s: %w", request.URL.Redacted(), err)
	}
	seen := experiments.Observation{Vars: wire.Vars(status, header, body)}
	seen.Vars["elapsed"] = time.Since(began)
	where := request.Method + " " + request.URL.Redacted()
	if err != nil {
		seen.Vars["status"] = int64(0)
		seen.Summary = wire.Line(fmt.Sprintf("%s: %s (%v)", where, wire.Trouble(err, status != 0), err), 300)
		return seen, nil
	}
	seen.OK = status >= 200 && status < 400
	seen.Summary = wire.Line(fmt.Sprintf("%s: status %d in %s", where, status, time.Since(began).Round(time.Millisecond)), 300)
	return seen, nil
}

func (p *HTTP) request(ctx context.Context, vars experiments.Vars) (*http.Request, error) {
	address, err := p.Get.Expand(vars)
	if err != nil {
		return nil, fmt.Errorf("address: %w", err)
	}
	body, err := p.Body.Expand(vars)
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	method := strings.ToUpper(p.Method)
	if method == "" {
		method = http.MethodGet
	}
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("address: %w", err)
	}
	if s := request.URL.Scheme; s != "http" && s != "https" || request.URL.Host == "" {
		return nil, fmt.Errorf("%q is not an address that starts with http:// or https://", request.URL.Redacted())
	}
	request.Header.Set("User-Agent", "candor")
	for name, value := range p.Headers {
		text, err := value.Expand(vars)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", name, err)
		}
		request.Header.Set(name, text)
	}
	return request, nil
}

// ask sends a request over a connection that nobody used before, and reads at most 1 MiB of the answer.
func ask(request *http.Request) (status int, header http.Header, body wire.Body, err error) {
	transport := &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: 256 << 10, DialContext: new(net.Dialer).DialContext}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, nil, wire.Body{}, err
	}
	defer response.Body.Close()
	body, err = wire.ReadBody(response.Body, wire.Limits{Keep: 0, See: 1 << 20, Read: 1 << 20}, nil)
	return response.StatusCode, response.Header, body, err
}
