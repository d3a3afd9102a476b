package faults

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Disconnect takes a service off a network, as a cut cable does: connections that were open hang, and its name is no
// longer known there. To a user it is the part that is up, says its own health check, and cannot be reached. It needs a
// world that has networks to leave.
var Disconnect = Kind{
	Name:    "disconnect",
	Doc:     "a service leaves a network: nobody there reaches it or finds its name, and it reaches nobody",
	Example: "disconnect: {service: orders}",
	New:     func() Fault { return new(disconnect) },
	Needs:   Can[attacher],
	Reach:   func(f Fault) Reach { return Reach{Services: []string{f.(*disconnect).Service}} },
	Whole:   "service",
}

// Attachment is how a service hangs on one network: all that has to be said to connect it again as it was.
type Attachment struct {
	Network   string   `json:"network"` // what people call it
	NetworkID string   `json:"network_id"`
	Aliases   []string `json:"aliases,omitempty"`
	Links     []string `json:"links,omitempty"`
	MAC       string   `json:"mac,omitempty"`
	IPv4      string   `json:"ipv4,omitempty"` // what it has now
	IPv6      string   `json:"ipv6,omitempty"`

	ChosenIPv4 string            `json:"chosen_ipv4,omitempty"` // what its owner wants it to have
	ChosenIPv6 string            `json:"chosen_ipv6,omitempty"`
	LinkLocal  []string          `json:"link_local,omitempty"`
	Options    map[string]string `json:"options,omitempty"` // of the network's driver
	Priority   int               `json:"priority,omitempty"`
}

// Same reports whether two are of the same network. What was connected while its container did not run knows its network by
// name alone.
func (a Attachment) Same(b Attachment) bool {
	if a.NetworkID == "" || b.NetworkID == "" {
		return a.Network != "" && a.Network == b.Network
	}
	return a.NetworkID == b.NetworkID
}

// addresses are what it is reached at, for a person.
func (a Attachment) addresses() string {
	return strings.Join(strings.Fields(a.IPv4+" "+a.IPv6), " and ")
}

type disconnect struct {
	Service string     `yaml:"service" json:"service"`
	Network string     `yaml:"network" json:"network,omitempty" doc:"may be left out where the service has one network"`
	ID      Identity   `yaml:"-" json:"id"`
	Was     Attachment `yaml:"-" json:"was"`
	Gone    bool       `yaml:"-" json:"gone,omitempty"` // the network is: nobody can connect to it
	Ended   string     `yaml:"-" json:"ended,omitempty"`
}

// Validate asks for a service.
func (d *disconnect) Validate() error { return required("service", d.Service) }

func (d *disconnect) Prepare(ctx context.Context, w World) (string, error) {
	m, err := ask[attacher](w, "disconnect")
	if err != nil {
		return "", err
	}
	id, err := target(ctx, w, d.Service)
	if err != nil {
		return "", err
	}
	all, err := m.Attachments(ctx, id)
	if err != nil {
		return "", fmt.Errorf("look at the networks of %s: %w", called(w, id), err)
	}
	was, err := d.choose(all)
	if err != nil {
		return "", fmt.Errorf("%s %w", called(w, id), err)
	}
	d.ID, d.Was, d.Gone, d.Ended = id, was, false, ""
	return fmt.Sprintf("%s leaves network %s, where it has %s; it comes back with what it had", called(w, id), was.Network, was.had()), nil
}

// had is what it leaves behind, in words.
func (a Attachment) had() string {
	names := ""
	if len(a.Aliases) > 0 {
		names = " as " + strings.Join(a.Aliases, ", ")
	}
	return "address " + a.addresses() + names
}

// choose finds the network that is meant: the only one, or the one of that name. Compose writes its project before it.
func (d *disconnect) choose(all []Attachment) (Attachment, error) {
	var names []string
	var fit []Attachment
	for _, a := range all {
		names = append(names, a.Network)
		if a.Network == d.Network {
			return a, nil
		}
		if d.Network == "" || strings.HasSuffix(a.Network, "_"+d.Network) {
			fit = append(fit, a)
		}
	}
	in := strings.Join(names, ", ")
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(all) == 0:
		return Attachment{}, fmt.Errorf("is in no network that it could leave: %w", ErrNotFound)
	case len(fit) == 0:
		return Attachment{}, fmt.Errorf("is not in network %s, but in %s: %w", d.Network, in, ErrNotFound)
	case d.Network == "":
		return Attachment{}, fmt.Errorf("is in several networks (%s), name one: %w", in, ErrAmbiguous)
	}
	return Attachment{}, fmt.Errorf("is in several networks that %s could mean (%s): %w", d.Network, in, ErrAmbiguous)
}

func (d *disconnect) Inject(ctx context.Context, w World) error {
	m, err := ask[attacher](w, "disconnect")
	if err != nil {
		return err
	}
	if err := m.Detach(ctx, d.ID, d.Was.NetworkID); err != nil {
		return fmt.Errorf("disconnect %s from %s: %w", called(w, d.ID), d.Was.Network, err)
	}
	return nil
}

// now finds the attachment as it is. A restart brings none back: what it is connected to outlives its incarnations.
func (d *disconnect) now(ctx context.Context, w World) (a Attachment, connected bool, err error) {
	m, err := ask[attacher](w, "disconnect")
	if err != nil {
		return a, false, err
	}
	all, err := m.Attachments(ctx, d.ID)
	if err != nil {
		return a, false, fmt.Errorf("look at the networks of %s: %w", called(w, d.ID), err)
	}
	for _, a := range all {
		if a.Same(d.Was) {
			return a, true, nil
		}
	}
	return a, false, nil
}

func (d *disconnect) State(ctx context.Context, w World) (State, error) {
	_, connected, err := d.now(ctx, w)
	switch gone := errors.Is(err, ErrNotFound); {
	case err != nil && !gone:
		return Unknown, err
	case connected, gone, d.Gone:
		return Absent, nil
	}
	return Present, nil
}

// Revert connects it with all that it had. One that somebody else connected again is left as it is.
func (d *disconnect) Revert(ctx context.Context, w World) error {
	now, connected, err := d.now(ctx, w)
	if err == nil && !connected {
		now, err = d.attach(ctx, w)
	}
	if errors.Is(err, ErrNotFound) {
		d.Ended, err = d.lost(ctx, w)
		return err
	}
	if err == nil && now.NetworkID != "" && now.addresses() != "" && now.addresses() != d.Was.addresses() {
		d.Ended = fmt.Sprintf("%s is in network %s again, but at %s: it was at %s, which cannot be asked for there or has been taken",
			called(w, d.ID), d.Was.Network, now.addresses(), d.Was.addresses())
	}
	return err
}

func (d *disconnect) attach(ctx context.Context, w World) (Attachment, error) {
	m, err := ask[attacher](w, "connect")
	if err != nil {
		return Attachment{}, err
	}
	if err := m.Attach(ctx, d.ID, d.Was); err != nil {
		return Attachment{}, fmt.Errorf("connect %s to %s: %w", called(w, d.ID), d.Was.Network, err)
	}
	now, _, err := d.now(ctx, w)
	return now, err
}

// lost says what is gone: the service, or else the network.
func (d *disconnect) lost(ctx context.Context, w World) (string, error) {
	_, _, err := incarnation(ctx, w, d.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return fate(ctx, w, d.ID)
	case err != nil:
		return "", err
	}
	d.Gone = true
	return fmt.Sprintf("network %s is gone: %s could not be connected to it again", d.Was.Network, called(w, d.ID)), nil
}

// Note says what could not be brought back.
func (d *disconnect) Note() string { return d.Ended }

// ByHand connects it, by the names that it had.
func (d *disconnect) ByHand(w World) string {
	if w.Name() != "docker" || d.ID.Name == "" {
		return ""
	}
	command := "docker network connect"
	for _, a := range d.Was.Aliases {
		command += " --alias " + a
	}
	if d.Was.ChosenIPv4 != "" {
		command += " --ip " + d.Was.ChosenIPv4
	}
	if d.Was.ChosenIPv6 != "" {
		command += " --ip6 " + d.Was.ChosenIPv6
	}
	return command + " " + d.Was.Network + " " + d.ID.Name
}
