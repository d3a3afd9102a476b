package faults

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// DNS lets look-ups of names fail for one service. To a user it is the outage that comes and goes with every cache on the
// way, and whose messages are the rawest of all. It needs a world that can mislead.
var DNS = Kind{
	Name:    "dns",
	Doc:     "a service cannot look up names: they do not exist (nxdomain), the server fails (servfail), or nobody answers (timeout)",
	Example: "dns: {from: web, names: [payments], answer: nxdomain}",
	New:     func() Fault { return &dns{Misnaming: Misnaming{Answer: "nxdomain"}} },
	Needs:   func(w World) bool { return Can[misleader](w) && Can[observer](w) },
	Reach:   func(f Fault) Reach { return Reach{Services: []string{f.(*dns).From}} },
	Whole:   "from",
}

// Misnaming is which look-ups fail, and how. What a service reads in a file (/etc/hosts) or asks over HTTPS or TLS is no
// look-up in this sense.
type Misnaming struct {
	Names  []string `yaml:"names" json:"names" doc:"and all names below each"`
	Answer string   `yaml:"answer" json:"answer" doc:"nxdomain, servfail or timeout"`
}

type dns struct {
	From      string `yaml:"from" json:"from"`
	Misnaming `yaml:",inline"`
	ID        Identity `yaml:"-" json:"id"`
	Label     string   `yaml:"-" json:"label"`
}

// lookedUp is a name as services look it up: underscores are not of hosts, and yet of many.
var lookedUp = regexp.MustCompile(`^[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?(\.[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?)*\.?$`)

// Validate names each name that none is.
func (d *dns) Validate() error {
	wrong := errors.Join(required("from", d.From), oneOf("answer", d.Answer, "nxdomain", "servfail", "timeout"))
	if len(d.Names) == 0 {
		wrong = errors.Join(wrong, &FieldError{Field: "names", Msg: "is missing or empty", Hint: "such as [payments, api.example.com]"})
	}
	for _, name := range d.Names {
		if strings.HasPrefix(name, "*.") {
			wrong = errors.Join(wrong, &FieldError{Field: "names", Msg: fmt.Sprintf("%q has a star", name), Hint: "a name stands for all below it too: " + name[2:]})
		} else if len(name) > 253 || !lookedUp.MatchString(name) {
			wrong = errors.Join(wrong, &FieldError{Field: "names", Msg: fmt.Sprintf("%q is no name to look up", name)})
		}
	}
	return wrong
}

// Prepare looks as State does, because what cannot be looked at cannot be misled either.
func (d *dns) Prepare(ctx context.Context, w World) (string, error) {
	m, err := ask[misleader](w, "mislead")
	if err != nil {
		return "", err
	}
	if d.ID, err = target(ctx, w, d.From); err != nil {
		return "", err
	}
	if d.Label == "" {
		var random [8]byte
		rand.Read(random[:]) // never fails: it ends the program instead
		d.Label = "dns-" + hex.EncodeToString(random[:])
	}
	if _, err := m.Misled(ctx, d.ID, d.Label); err != nil {
		return "", fmt.Errorf("look at the look-ups of %s: %w", called(w, d.ID), err)
	}
	how := map[string]string{"nxdomain": "is told that they do not exist", "servfail": "is told that the name server failed", "timeout": "gets no answer"}
	return fmt.Sprintf("%s looks up %s, and names below, and %s", called(w, d.ID), strings.Join(d.Names, ", "), how[d.Answer]), nil
}

func (d *dns) Inject(ctx context.Context, w World) error {
	m, err := ask[misleader](w, "mislead")
	if err != nil {
		return err
	}
	if err := m.Mislead(ctx, d.ID, d.Label, d.Misnaming); err != nil {
		return fmt.Errorf("mislead %s: %w", called(w, d.ID), err)
	}
	return nil
}

func (d *dns) State(ctx context.Context, w World) (State, error) {
	m, err := ask[misleader](w, "mislead")
	if err != nil {
		return Unknown, err
	}
	s, err := m.Misled(ctx, d.ID, d.Label)
	if err != nil {
		return Unknown, fmt.Errorf("look at the look-ups of %s: %w", called(w, d.ID), err)
	}
	return s, nil
}

// Revert takes away what carries the label. Whoever took the name of the service never had it.
func (d *dns) Revert(ctx context.Context, w World) error {
	m, err := ask[misleader](w, "mislead")
	if err != nil {
		return err
	}
	if err := m.Unmislead(ctx, d.ID, d.Label); err != nil {
		return fmt.Errorf("mend the look-ups of %s: %w", called(w, d.ID), err)
	}
	return nil
}

// Hits counts look-ups that failed.
func (d *dns) Hits(ctx context.Context, w World) (int64, error) {
	m, err := ask[misleader](w, "mislead")
	if err != nil {
		return 0, err
	}
	n, err := m.Lookups(ctx, d.ID, d.Label)
	if err != nil {
		return 0, fmt.Errorf("count the look-ups of %s: %w", called(w, d.ID), err)
	}
	return n, nil
}
