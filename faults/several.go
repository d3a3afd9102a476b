package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Several is a fault on some of a service's replicas. Nobody writes it in an experiment: Spread makes it.
var Several = Kind{
	Name:     "several",
	Doc:      "one and the same fault on several replicas of a service",
	Example:  "several: {of: stop, replicas: [basket/1, basket/2], like: {service: basket, grace: 2000000000}}",
	New:      func() Fault { return new(several) },
	Needs:    func(w World) bool { return Can[scaler](w) && Can[stopper](w) },
	Reach:    func(f Fault) Reach { return f.(*several).reach() },
	Internal: true,
}

// several is the faults on the replicas, each complete in itself.
type several struct {
	Of       string   `yaml:"of"`       // their kind
	Replicas []string `yaml:"replicas"` // that are hit, as Find takes them
	Like     plain    `yaml:"like"`     // the fault as it was written, on the service
	Out      int      `yaml:"-"`        // of so many
	each     []Fault  // in the order of Replicas, since Prepare
}

// savedSeveral is several in the journal.
type savedSeveral struct {
	Of       string            `json:"of"`
	Replicas []string          `json:"replicas"`
	Like     json.RawMessage   `json:"like"`
	Out      int               `json:"out,omitempty"`
	Each     []json.RawMessage `json:"each,omitempty"`
}

// plain is JSON, which YAML can fill too.
type plain json.RawMessage

// UnmarshalYAML keeps what was written as JSON.
func (p *plain) UnmarshalYAML(read func(any) error) error {
	var fields map[string]any
	err := read(&fields)
	if err == nil {
		*p, err = json.Marshal(fields)
	}
	return err
}

// MarshalJSON writes the faults on the replicas as they are now.
func (s *several) MarshalJSON() ([]byte, error) {
	saved := savedSeveral{Of: s.Of, Replicas: s.Replicas, Like: json.RawMessage(s.Like), Out: s.Out}
	for _, f := range s.each {
		data, err := json.Marshal(f)
		if err != nil {
			return nil, fmt.Errorf("save %s: %w", s.Of, err)
		}
		saved.Each = append(saved.Each, data)
	}
	return json.Marshal(saved)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *several) UnmarshalJSON(data []byte) error {
	var saved savedSeveral
	if err := json.Unmarshal(data, &saved); err != nil {
		return fmt.Errorf("read several: %w", err)
	}
	*s = several{Of: saved.Of, Replicas: saved.Replicas, Like: plain(saved.Like), Out: saved.Out}
	for _, one := range saved.Each {
		k, err := s.kind()
		if err != nil {
			return err
		}
		f := k.New()
		if err := json.Unmarshal(one, f); err != nil {
			return fmt.Errorf("read %s: %w", s.Of, err)
		}
		s.each = append(s.each, f)
	}
	return nil
}

func (s *several) kind() (Kind, error) {
	k, known := Lookup(All(), s.Of)
	if !known || k.Whole == "" {
		return k, fmt.Errorf("%q is no fault on a service", s.Of)
	}
	return k, nil
}

func (s *several) reach() Reach {
	service, _, _ := strings.Cut(append(slices.Clone(s.Replicas), "")[0], "/")
	return Reach{Services: []string{service}}
}

// Prepare binds a fault of the kind to each replica, and prepares it.
func (s *several) Prepare(ctx context.Context, w World) (string, error) {
	k, err := s.kind()
	if err != nil {
		return "", err
	}
	s.each = nil
	var said []string
	for _, replica := range s.Replicas {
		f := k.New()
		if err := json.Unmarshal(s.Like, f); err == nil {
			key, _ := json.Marshal(map[string]string{k.Whole: replica}) // text to text cannot fail
			err = json.Unmarshal(key, f)
		}
		if err != nil {
			return "", fmt.Errorf("bind %s to %s: %w", s.Of, replica, err)
		}
		one, err := f.Prepare(ctx, w)
		if err != nil {
			return "", err
		}
		s.each, said = append(s.each, f), append(said, one)
	}
	of := ""
	if s.Out > len(s.each) {
		of = fmt.Sprintf("%d of %d replicas, drawn: ", len(s.each), s.Out)
	}
	return of + strings.Join(said, "; "), nil
}

// Inject goes on to the next only when the one before is in force.
func (s *several) Inject(ctx context.Context, w World) error {
	for _, f := range s.each {
		if err := f.Inject(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// State is what all agree on, else Partial.
func (s *several) State(ctx context.Context, w World) (State, error) {
	all := Unknown
	for i, f := range s.each {
		one, err := f.State(ctx, w)
		switch {
		case err != nil:
			return Unknown, err
		case i == 0:
			all = one
		case one != all:
			all = Partial
		}
	}
	if all == Unknown {
		return Absent, nil // nothing was prepared, so nothing was done
	}
	return all, nil
}

// Revert reverts each, the last first, whatever becomes of the others.
func (s *several) Revert(ctx context.Context, w World) error {
	var errs []error
	for _, f := range slices.Backward(s.each) {
		errs = append(errs, f.Revert(ctx, w))
	}
	return errors.Join(errs...)
}

// Hits adds up what each has hit, where its kind counts.
func (s *several) Hits(ctx context.Context, w World) (int64, error) {
	var sum int64
	for _, f := range s.each {
		c, counts := f.(Counter)
		if !counts {
			return 0, fmt.Errorf("%s: %w", s.Of, ErrUncounted)
		}
		n, err := c.Hits(ctx, w)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// Note joins what each has to say.
func (s *several) Note() string {
	return s.join("; ", func(f Fault) string {
		if n, notes := f.(Noter); notes {
			return n.Note()
		}
		return ""
	})
}

// ByHand mends one after the other.
func (s *several) ByHand(w World) string {
	return s.join(" && ", func(f Fault) string {
		if h, handy := f.(Handy); handy {
			return h.ByHand(w)
		}
		return ""
	})
}

func (s *several) join(by string, say func(Fault) string) string {
	var all []string
	for _, f := range s.each {
		if text := say(f); text != "" {
			all = append(all, text)
		}
	}
	return strings.Join(all, by)
}
