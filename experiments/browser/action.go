package browser

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/candor-chaos/candor/experiments"
)

// Action is a step on surface browser: one verb.
type Action struct {
	Open   experiments.Template `yaml:"open" json:"open,omitzero" env:"always" doc:"address to go to; a relative one starts at the journey's service"`
	Fill   *experiments.Locator `yaml:"fill" json:"fill,omitempty" doc:"field to fill in, beside with"`
	With   experiments.Template `yaml:"with" json:"with,omitzero" env:"always" doc:"what to fill in"`
	Click  *experiments.Locator `yaml:"click" json:"click,omitempty"`
	Press  experiments.Template `yaml:"press" json:"press,omitzero" env:"always" doc:"key, where the focus is: Enter, Tab, Escape, Space, ArrowDown …, or one character"`
	Select *experiments.Locator `yaml:"select" json:"select,omitempty" doc:"list to choose from, beside option"`
	Option experiments.Template `yaml:"option" json:"option,omitzero" env:"always" doc:"what to choose"`
	Wait   experiments.Wait     `yaml:"wait" json:"wait,omitzero" doc:"a duration, or an element that has to come into sight"`
	Back   bool                 `yaml:"back" json:"back,omitempty" doc:"true: to the page before"`
	Reload bool                 `yaml:"reload" json:"reload,omitempty" doc:"true: the same page again"`
	Tab    experiments.Template `yaml:"tab" json:"tab,omitzero" env:"always" doc:"address to open in a new tab, in which the visit goes on"`
}

// verb is the one that the step has; empty when it has none or several.
func (a *Action) verb() string {
	found := ""
	for _, v := range []struct {
		name  string
		given bool
	}{{"open", !a.Open.IsZero()}, {"fill", a.Fill != nil}, {"click", a.Click != nil}, {"press", !a.Press.IsZero()}, {"select", a.Select != nil},
		{"wait", !a.Wait.IsZero()}, {"back", a.Back}, {"reload", a.Reload}, {"tab", !a.Tab.IsZero()}} {
		if v.given && found != "" {
			return ""
		}
		if v.given {
			found = v.name
		}
	}
	return found
}

// locator is what the step acts on or waits for; nil for steps that need no element.
func (a *Action) locator() *experiments.Locator {
	switch {
	case a.Fill != nil:
		return a.Fill
	case a.Click != nil:
		return a.Click
	case a.Select != nil:
		return a.Select
	}
	return a.Wait.For
}

// Check wants one verb, with all that belongs to it and nothing else.
func (a *Action) Check() error {
	verb := a.verb()
	switch {
	case verb == "":
		return errors.New("a step on surface browser has exactly one of open, fill, click, press, select, wait, back, reload, tab")
	case verb != "fill" && !a.With.IsZero():
		return errors.New(`"with" belongs to fill`)
	case verb == "select" && a.Option.IsZero():
		return errors.New(`select needs an "option"`)
	case verb != "select" && !a.Option.IsZero():
		return errors.New(`"option" belongs to select`)
	}
	if key := a.Press.Source; key != "" && !strings.Contains(key, "{{") {
		if _, known := keys(key); !known {
			return fmt.Errorf("no key is called %q", key)
		}
	}
	if l := a.locator(); l != nil {
		return l.Check()
	}
	return nil
}

// Changes holds for what may send something: a click that is not on a link, and the Enter key.
func (a *Action) Changes() bool {
	return a.Click != nil && a.Click.Role != "link" || a.Press.Source == "Enter"
}

// Rehearse finds out whether the step could be acted with these values, and acts nothing.
func (a *Action) Rehearse(vars experiments.Vars) error {
	_, err := a.prepare(vars, "")
	return err
}

// prepared is a step with its values filled in.
type prepared struct {
	verb  string
	found experiments.Found
	text  string // to fill in, to choose; the key; the address
	wait  experiments.Wait
}

// String says what the step is about.
func (p prepared) String() string {
	switch {
	case p.found != experiments.Found{}:
		return p.found.String()
	case p.verb == "wait":
		return p.wait.Time.String()
	}
	return p.text
}

// prepare fills in the values. A relative address starts at base.
func (a *Action) prepare(vars experiments.Vars, base string) (p prepared, err error) {
	p = prepared{verb: a.verb(), wait: a.Wait}
	if l := a.locator(); l != nil {
		if p.found, err = l.Expand(vars); err != nil {
			return p, err
		}
	}
	from := map[string]experiments.Template{"open": a.Open, "tab": a.Tab, "fill": a.With, "select": a.Option, "press": a.Press}[p.verb]
	if p.text, err = from.Expand(vars); err != nil {
		return p, err
	}
	switch p.verb {
	case "open", "tab":
		p.text, err = resolve(base, p.text)
	case "press":
		if _, known := keys(p.text); !known {
			err = fmt.Errorf("no key is called %q", p.text)
		}
	}
	return p, err
}

// resolve makes an address absolute. Without a base a relative one is taken as it is, for a rehearsal.
func resolve(base, address string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return "", fmt.Errorf("address: %w", err)
	}
	if !u.IsAbs() && base == "" {
		return u.String(), nil
	}
	if !u.IsAbs() {
		start, err := url.Parse(base)
		if err != nil {
			return "", fmt.Errorf("address of the service: %w", err)
		}
		u = start.JoinPath().ResolveReference(u)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("%q is not an address that starts with http:// or https://", u.Redacted())
	}
	return u.String(), nil
}
