package journeys

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/candor-chaos/candor/experiments"
)

// Request is a step on surface http: one verb with its address, and what is sent.
type Request struct {
	Get       experiments.Template            `yaml:"get" json:"get,omitzero" env:"always" doc:"address to read; a relative one starts at the journey's service"`
	Post      experiments.Template            `yaml:"post" json:"post,omitzero" env:"always"`
	Put       experiments.Template            `yaml:"put" json:"put,omitzero" env:"always"`
	Patch     experiments.Template            `yaml:"patch" json:"patch,omitzero" env:"always"`
	Delete    experiments.Template            `yaml:"delete" json:"delete,omitzero" env:"always"`
	Headers   map[string]experiments.Template `yaml:"headers" json:"headers,omitempty" env:"always"`
	JSON      experiments.Tree                `yaml:"json" json:"json,omitzero" env:"always" doc:"body, sent as JSON"`
	Form      map[string]experiments.Template `yaml:"form" json:"form,omitempty" env:"always" doc:"body, sent URL-encoded"`
	Body      experiments.Template            `yaml:"body" json:"body,omitzero" env:"always" doc:"body, sent as it is"`
	Redirects string                          `yaml:"redirects" json:"redirects,omitempty" doc:"follow when absent" enum:"follow,none"`
}

// verbs gives each method that has an address.
func (r *Request) verbs() map[string]experiments.Template {
	given := map[string]experiments.Template{}
	for method, address := range map[string]experiments.Template{http.MethodGet: r.Get, http.MethodPost: r.Post,
		http.MethodPut: r.Put, http.MethodPatch: r.Patch, http.MethodDelete: r.Delete} {
		if !address.IsZero() {
			given[method] = address
		}
	}
	return given
}

// Check wants one verb, at most one body, and names of headers that can be sent.
func (r *Request) Check() error {
	verbs := r.verbs()
	bodies := 0
	for _, given := range []bool{!r.JSON.IsZero(), len(r.Form) > 0, !r.Body.IsZero()} {
		if given {
			bodies++
		}
	}
	switch {
	case len(verbs) == 0:
		return errors.New("a step on surface http needs one of get, post, put, patch, delete with an address")
	case len(verbs) > 1:
		return errors.New("a step takes one of get, post, put, patch, delete; this one has several")
	case bodies > 1:
		return errors.New("a step sends one of json, form, body; this one has several")
	case bodies == 1 && !r.Get.IsZero():
		return errors.New("get sends no body")
	case r.Redirects != "" && r.Redirects != "follow" && r.Redirects != "none":
		return fmt.Errorf("redirects is %q; it is follow or none", r.Redirects)
	}
	for name := range r.Headers {
		if !httpguts.ValidHeaderFieldName(name) {
			return fmt.Errorf("%q cannot be the name of a header", name)
		}
	}
	return nil
}

// Changes holds for every verb but get.
func (r *Request) Changes() bool { return r.Get.IsZero() }

// Rehearse finds out whether the step could be acted with these values, and acts nothing.
func (r *Request) Rehearse(vars experiments.Vars) error {
	_, err := r.prepare(vars, "")
	return err
}

// outgoing is a request with all its values filled in.
type outgoing struct {
	method string
	url    *url.URL
	header http.Header
	body   []byte
}

// prepare fills in the values. A relative address starts at base.
func (r *Request) prepare(vars experiments.Vars, base string) (outgoing, error) {
	out := outgoing{header: http.Header{}}
	for method, address := range r.verbs() {
		text, err := address.Expand(vars)
		if err != nil {
			return out, fmt.Errorf("address: %w", err)
		}
		if out.url, err = resolve(base, text); err != nil {
			return out, err
		}
		out.method = method
	}
	kind, err := r.fillBody(vars, &out)
	if err != nil {
		return out, err
	}
	out.header.Set("User-Agent", "candor")
	if kind != "" {
		out.header.Set("Content-Type", kind)
	}
	if kind == typeJSON {
		out.header.Set("Accept", typeJSON+", */*;q=0.5")
	}
	for name, value := range r.Headers {
		text, err := value.Expand(vars)
		if err == nil && !httpguts.ValidHeaderFieldValue(text) {
			err = errors.New("the value cannot be sent in a header")
		}
		if err != nil {
			return out, fmt.Errorf("header %s: %w", name, err)
		}
		out.header.Set(name, text)
	}
	return out, nil
}

const typeJSON = "application/json"

// fillBody makes the body and says what type it is.
func (r *Request) fillBody(vars experiments.Vars, out *outgoing) (kind string, err error) {
	switch {
	case !r.JSON.IsZero():
		value, err := r.JSON.Expand(vars)
		if err != nil {
			return "", fmt.Errorf("json: %w", err)
		}
		if out.body, err = json.Marshal(value); err != nil {
			return "", fmt.Errorf("json: %w", err)
		}
		return typeJSON, nil
	case len(r.Form) > 0:
		if out.body, err = encodeForm(r.Form, vars); err != nil {
			return "", err
		}
		return "application/x-www-form-urlencoded", nil
	case !r.Body.IsZero():
		text, err := r.Body.Expand(vars)
		if err != nil {
			return "", fmt.Errorf("body: %w", err)
		}
		out.body = []byte(text)
	}
	return "", nil
}

func encodeForm(form map[string]experiments.Template, vars experiments.Vars) ([]byte, error) {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	sort.Strings(names)
	values := url.Values{}
	for _, name := range names {
		text, err := form[name].Expand(vars)
		if err != nil {
			return nil, fmt.Errorf("form %s: %w", name, err)
		}
		values.Set(name, text)
	}
	return []byte(values.Encode()), nil
}

// resolve makes an address absolute. Without a base a relative address is taken as it is, for a rehearsal.
func resolve(base, address string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return nil, fmt.Errorf("address: %w", err)
	}
	if base != "" && !u.IsAbs() {
		start, err := url.Parse(base)
		if err != nil {
			return nil, fmt.Errorf("address of the service: %w", err)
		}
		u = start.JoinPath().ResolveReference(u)
	}
	if base == "" && !u.IsAbs() {
		return u, nil
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is not an address that starts with http:// or https://", u.Redacted())
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}
