package faults

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Impairment is what is done to the traffic of one path: plain data that can be sent to an agent.
type Impairment struct {
	// Block is refuse (a TCP reset to every packet), reset (a TCP reset to every packet that says something, so that
	// connecting succeeds) or blackhole (every packet dropped); empty for toxics and a reply.
	Block string `json:"block,omitempty"`
	// Reply is what HTTP requests get in the dependency's place; its share is one of the requests.
	Reply *Reply `json:"reply,omitempty"`
	// Toxics are toxics of Toxiproxy with their attributes, added together.
	Toxics []Toxic `json:"toxics,omitempty"`
	// Share is the part of the connections that is hit, from 0 to 1; 0 is all of them.
	Share float64 `json:"share,omitempty"`
	// Ramp is how long it grows to its full strength, in milliseconds: latency and bandwidth by what they do to a
	// connection, everything else by its share.
	Ramp int64 `json:"ramp,omitempty"`
	// Flap lets a block come and go, beginning with it.
	Flap *Flapping `json:"flap,omitempty"`
}

// Flapping is how long a path is broken and whole in turn, in milliseconds.
type Flapping struct {
	Down int64 `json:"down"`
	Up   int64 `json:"up"`
}

// Toxic is one toxic of Toxiproxy: type and attributes in its own words, times in milliseconds.
type Toxic struct {
	Type       string         `json:"type"`
	Stream     string         `json:"stream"` // upstream (request) or downstream (answer)
	Attributes map[string]any `json:"attributes"`
}

// onPath is what everything on a path has in common: the two ends, by name and by identity.
type onPath struct {
	From   string   `yaml:"from" json:"from" doc:"service that connects"`
	To     string   `yaml:"to" json:"to" doc:"service that answers, in the system or outside at a host; service:port where it has several"`
	Way    Path     `yaml:"-" json:"way"`
	FromID Identity `yaml:"-" json:"from_id"`
	ToID   Identity `yaml:"-" json:"to_id"`
	Place  string   `yaml:"-" json:"place,omitempty"` // where To was at Prepare, when it is outside
}

// resolve finds the way and both ends. A protected service is not interposed on: the redirect would lie in its namespace.
func (o *onPath) resolve(ctx context.Context, w World) error {
	r, err := ask[router](w, "route")
	if err != nil {
		return err
	}
	if o.Way, err = r.Route(ctx, o.From, o.To); err != nil {
		return fmt.Errorf("route %s → %s: %w", o.From, o.To, err)
	}
	if o.FromID, err = end(ctx, w, o.Way.From); err != nil {
		return fmt.Errorf("find %s: %w", o.Way.From, err)
	}
	if o.ToID, err = end(ctx, w, o.Way.To); err != nil {
		return fmt.Errorf("find %s: %w", o.Way.To, err)
	}
	if o.FromID.Protected {
		return fmt.Errorf("%s: %w", called(w, o.FromID), ErrProtected)
	}
	if l, is := w.(locator); is {
		if o.Place, err = l.Located(ctx, o.Way, o.FromID); err != nil {
			return err
		}
	}
	return nil
}

// end is the identity of one end of a path: of a service that runs several times, the first. The world acts on all of them.
func end(ctx context.Context, w World, service string) (Identity, error) {
	id, err := w.Find(ctx, service)
	s, scales := w.(scaler)
	if !scales || !errors.Is(err, ErrAmbiguous) {
		return id, err
	}
	replicas, err := s.Replicas(ctx, service)
	if err != nil {
		return id, err
	}
	return w.Find(ctx, service+"/"+replicas[0])
}

// reach is the path as far as the keys tell: a port that is not written is known after Prepare alone.
func (o *onPath) reach() Reach {
	p := o.Way
	if p.Port == 0 {
		to, port, _ := strings.Cut(o.To, ":")
		n, _ := strconv.Atoi(port)
		p = Path{From: o.From, To: to, Port: n}
	}
	return Reach{Path: &p, Services: []string{p.To}}
}

func (o *onPath) check() error {
	to, port, named := strings.Cut(o.To, ":")
	n, err := strconv.Atoi(port)
	var wrong error
	if named && (err != nil || n < 1 || n > 65535) {
		wrong = &FieldError{Field: "to", Msg: fmt.Sprintf("%q does not end in a port from 1 to 65535", o.To)}
	}
	if o.From != "" && o.From == to {
		wrong = errors.Join(wrong, &FieldError{Field: "to", Msg: "a path needs two different services"})
	}
	return errors.Join(required("from", o.From), required("to", to), wrong)
}

// ends names the other end as messages do: "payments (port 8083)", and one outside by where it is now too.
func (o *onPath) ends() (from, to string) {
	if o.Place != "" {
		return o.Way.From, fmt.Sprintf("%s (%s, port %d)", o.Way.To, o.Place, o.Way.Port)
	}
	return o.Way.From, fmt.Sprintf("%s (port %d)", o.Way.To, o.Way.Port)
}

// impaired is what all faults on the traffic of a path share. Its label is chosen before acting, so that Revert needs no
// answer that could get lost and touches nothing but its own.
type impaired struct {
	onPath `yaml:",inline"`
	dose   `yaml:",inline"`
	Label  string `yaml:"-" json:"label"`
}

func (i *impaired) prepare(ctx context.Context, w World, kind string) error {
	if err := i.resolve(ctx, w); err != nil {
		return err
	}
	if i.Label == "" {
		var random [8]byte
		rand.Read(random[:]) // never fails: it ends the program instead
		i.Label = kind + "-" + hex.EncodeToString(random[:])
	}
	return nil
}

func (i *impaired) inject(ctx context.Context, w World, how Impairment) error {
	m, err := ask[impairer](w, "impair")
	if err != nil {
		return err
	}
	if err := m.Impair(ctx, i.Way, i.Label, i.dose.of(how)); err != nil {
		return fmt.Errorf("impair %s: %w", i.Way, err)
	}
	return nil
}

func (i *impaired) state(ctx context.Context, w World, how Impairment) (State, error) {
	m, err := ask[impairer](w, "impair")
	if err != nil {
		return Unknown, err
	}
	s, err := m.Impaired(ctx, i.Way, i.Label, i.dose.of(how))
	if err != nil {
		return Unknown, fmt.Errorf("look at %s: %w", i.Way, err)
	}
	return s, nil
}

// Revert takes away what carries the label. Whoever took the name of an end never had it.
func (i *impaired) Revert(ctx context.Context, w World) error {
	m, err := ask[impairer](w, "impair")
	if err != nil {
		return err
	}
	if err := m.Unimpair(ctx, i.Way, i.Label); err != nil {
		return fmt.Errorf("mend %s: %w", i.Way, err)
	}
	return nil
}

// Hits counts packets or chunks, where the impairment acts.
func (i *impaired) Hits(ctx context.Context, w World) (int64, error) {
	m, err := ask[impairer](w, "impair")
	if err != nil {
		return 0, err
	}
	n, err := m.Impacts(ctx, i.Way, i.Label)
	if err != nil {
		return 0, fmt.Errorf("count the hits on %s: %w", i.Way, err)
	}
	return n, nil
}

// suits refuses what a world cannot do with a path, of a fault in the dose that was asked for.
func (i *impaired) suits(w World, how Impairment) error {
	if p, is := w.(picky); is {
		return p.Impairable(i.dose.of(how))
	}
	return nil
}

// impairs is Needs of every fault on the traffic of a path.
func impairs(w World) bool { return Can[router](w) && Can[impairer](w) }

// streams are the proxy's names for a direction.
func streams(direction string) []string {
	switch direction {
	case "up":
		return []string{"upstream"}
	case "both":
		return []string{"upstream", "downstream"}
	}
	return []string{"downstream"}
}

// traffic names what passes in a direction, as messages do.
func (o *onPath) traffic(direction string) string {
	from, to := o.ends()
	switch direction {
	case "up":
		return fmt.Sprintf("what %s sends to %s", from, to)
	case "both":
		return fmt.Sprintf("what %s sends to %s, and what comes back,", from, to)
	}
	return fmt.Sprintf("what %s gets from %s", from, to)
}

// toxics makes one toxic for each stream.
func toxics(kind string, attributes map[string]any, streams ...string) Impairment {
	var i Impairment
	for _, s := range streams {
		i.Toxics = append(i.Toxics, Toxic{Type: kind, Stream: s, Attributes: attributes})
	}
	return i
}
