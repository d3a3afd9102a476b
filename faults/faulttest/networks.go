package faulttest

import (
	"context"
	"fmt"
	"slices"

	"github.com/candor-chaos/candor/faults"
)

const fakeNetworkID = "network-1"

// fakeNetwork is how each service of a Fake hangs on the shop's one network.
func fakeNetwork(service string) faults.Attachment {
	return faults.Attachment{Network: "shop_default", NetworkID: fakeNetworkID, Aliases: []string{service, "the-" + service},
		MAC: "02:42:ac:12:00:04", IPv4: "172.18.0.4", IPv6: "fd00::4", ChosenIPv4: "172.18.0.4"}
}

func isFakeNetwork(a faults.Attachment) bool { return a.NetworkID == fakeNetworkID }

// Attachments looks at an ID.
func (f *Fake) Attachments(ctx context.Context, id faults.Identity) (all []faults.Attachment, err error) {
	err = f.call(ctx, false, func() error {
		t, err := f.byID(id)
		if err == nil {
			all = slices.Clone(t.Attached)
		}
		return err
	})
	return all, err
}

// Detach refuses what is not in the network.
func (f *Fake) Detach(ctx context.Context, id faults.Identity, networkID string) error {
	return f.call(ctx, true, func() error {
		t, err := f.exactly(id)
		if err != nil {
			return err
		}
		before := len(t.Attached)
		t.Attached = slices.DeleteFunc(t.Attached, func(a faults.Attachment) bool { return a.NetworkID == networkID })
		if len(t.Attached) == before {
			return fmt.Errorf("%s is not in network %s", id.ID, networkID)
		}
		return nil
	})
}

// Attach refuses what is in the network already, and a network that DropNetwork took away.
func (f *Fake) Attach(ctx context.Context, id faults.Identity, a faults.Attachment) error {
	return f.call(ctx, true, func() error {
		t, err := f.byID(id)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(t.Attached, func(b faults.Attachment) bool { return b.NetworkID == a.NetworkID }) {
			return fmt.Errorf("%s is in network %s already", id.ID, a.Network)
		}
		if f.noNetwork {
			return fmt.Errorf("no network %s: %w", a.Network, faults.ErrNotFound)
		}
		t.Attached = append(t.Attached, a)
		return nil
	})
}

// DropNetwork takes the network away: nobody can be connected to it any more.
func (f *Fake) DropNetwork() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.noNetwork = true
}

// Reattach connects a service again as somebody else would, or to one more network.
func (f *Fake) Reattach(service string, a faults.Attachment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.things[service].Attached = append(f.things[service].Attached, a)
}
