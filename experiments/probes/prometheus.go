package probes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	promapi "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/candor-chaos/candor/experiments"
	"github.com/candor-chaos/candor/experiments/wire"
	"github.com/candor-chaos/candor/faults"
)

// Prometheus asks for one number at the server's own present. A server that does not answer, or answers with a part, could
// not be looked at; a query that matches no series was, and its value is null.
type Prometheus struct {
	URL     experiments.Template            `yaml:"url" json:"url" env:"always" required:"true" doc:"of the server, without /api"`
	Query   experiments.Template            `yaml:"query" json:"query" env:"always" required:"true" doc:"in PromQL, of one number: sum or max what are several"`
	Headers map[string]experiments.Template `yaml:"headers" json:"headers,omitempty" env:"always" doc:"such as Authorization"`
	Timeout time.Duration                   `yaml:"timeout" json:"timeout,omitempty" doc:"3s when absent"`
}

// Validate wants a time that is not below zero.
func (p *Prometheus) Validate() error {
	var scheme error
	if before, _, literal := strings.Cut(p.URL.Source, ":"); literal && !strings.Contains(before, "{{") && before != "http" && before != "https" {
		scheme = &faults.FieldError{Field: "url", Msg: fmt.Sprintf("%q is not how Prometheus is asked", before), Hint: "http:// or https://"}
	}
	return errors.Join(scheme, positive("timeout", p.Timeout))
}

// Observe asks once. It is fine when there is a value.
func (p *Prometheus) Observe(ctx context.Context, in experiments.Surroundings) (experiments.Observation, error) {
	var none experiments.Observation
	address, err := p.URL.Expand(in.Vars)
	if err != nil {
		return none, fmt.Errorf("url: %w", err)
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return none, errors.New("url: it is an address with http:// or https://") // the cause may quote a password
	}
	query, err := p.Query.Expand(in.Vars)
	if err != nil {
		return none, fmt.Errorf("query: %w", err)
	}
	way, err := p.way(in.Vars)
	if err != nil {
		return none, err
	}
	defer way.CloseIdleConnections()
	client, err := api.NewClient(api.Config{Address: address, Client: &http.Client{Transport: way, CheckRedirect: stay}})
	if err != nil {
		return none, errors.New("url: this address cannot be understood")
	}
	within, cancel := within(ctx, p.Timeout)
	defer cancel()
	began := time.Now()
	answer, warnings, _, err := promapi.NewAPI(client).Query(within, query, time.Time{})
	elapsed := time.Since(began)
	if err == nil && len(warnings) > 0 {
		err = fmt.Errorf("the answer may not be whole: %s", strings.Join(warnings, "; "))
	}
	var value any
	if err == nil {
		value, err = number(answer)
	}
	if err != nil {
		if cause := stopped(ctx); cause != nil {
			err = cause
		}
		return none, &toldBriefly{where: "prometheus at " + u.Redacted(), cause: err}
	}
	seen := experiments.Observation{OK: value != nil, Vars: experiments.Vars{"value": value, "elapsed": elapsed}}
	seen.Summary = wire.Line(query, 200) + ": no number"
	if value != nil {
		seen.Summary = fmt.Sprintf("%s: %v", wire.Line(query, 200), value)
	}
	return seen, nil
}

// number is the one number of an answer; nil when no series matches, or when it is not a number, as 0/0 is.
func number(answer model.Value) (any, error) {
	var n model.SampleValue
	switch v := answer.(type) {
	case *model.Scalar:
		n = v.Value
	case model.Vector:
		if len(v) == 0 {
			return nil, nil
		}
		if len(v) > 1 {
			return nil, fmt.Errorf("the query gives %d series, and one number is wanted: sum or max them", len(v))
		}
		if v[0].Histogram != nil {
			return nil, errors.New("the query gives a histogram, and one number is wanted: take histogram_quantile of it")
		}
		n = v[0].Value
	default:
		return nil, errors.New("the query gives no number at one moment, such as sum(rate(http_requests_total[1m]))")
	}
	if math.IsNaN(float64(n)) {
		return nil, nil
	}
	return float64(n), nil
}

// way is a connection of its own that reads no more than maxBytes and sends the headers of the probe.
func (p *Prometheus) way(vars experiments.Vars) (*narrow, error) {
	headers := http.Header{}
	for name, value := range p.Headers {
		text, err := value.Expand(vars)
		if err != nil {
			return nil, fmt.Errorf("headers %s: %w", name, err)
		}
		headers.Set(name, text)
	}
	return &narrow{headers: headers, Transport: &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10}}, nil
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// narrow bounds what is read of an answer.
type narrow struct {
	*http.Transport
	headers http.Header
}

// RoundTrip sends one request.
func (n *narrow) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	for name, values := range n.headers {
		request.Header[name] = values
	}
	response, err := n.Transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	response.Body = &atMost{ReadCloser: response.Body, left: maxBytes}
	return response, nil
}

// atMost fails where io.LimitReader would pretend that the end was reached.
type atMost struct {
	io.ReadCloser
	left int
}

func (a *atMost) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if a.left -= n; a.left < 0 {
		return 0, fmt.Errorf("an answer of more than %d KiB", maxBytes>>10)
	}
	return n, err
}

// toldBriefly is an error whose words, which may quote what a server sent, are one bounded line.
type toldBriefly struct {
	where string
	cause error
}

func (e *toldBriefly) Error() string { return e.where + ": " + wire.Line(e.cause.Error(), 300) }

// Unwrap gives the cause.
func (e *toldBriefly) Unwrap() error { return e.cause }
