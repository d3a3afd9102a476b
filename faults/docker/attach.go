package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"github.com/candor-chaos/candor/faults"
)

// Attachments are the networks of a container, whichever incarnation runs. That of the host cannot be left.
func (w *World) Attachments(ctx context.Context, id faults.Identity) ([]faults.Attachment, error) {
	c, _, err := w.inspect(ctx, id.ID)
	if err != nil {
		return nil, w.goneOrReplaced(ctx, id, err)
	}
	if mode := c.HostConfig.NetworkMode; mode.IsHost() || mode.IsNone() || mode.IsContainer() {
		return nil, nil
	}
	return attachments(c), nil
}

func attachments(c container.InspectResponse) []faults.Attachment {
	var all []faults.Attachment
	for name, e := range c.NetworkSettings.Networks {
		if e == nil {
			continue
		}
		a := faults.Attachment{Network: name, NetworkID: e.NetworkID, Aliases: e.Aliases, Links: e.Links, MAC: e.MacAddress,
			IPv4: e.IPAddress, IPv6: e.GlobalIPv6Address, Options: e.DriverOpts, Priority: e.GwPriority}
		if e.IPAMConfig != nil {
			a.ChosenIPv4, a.ChosenIPv6, a.LinkLocal = e.IPAMConfig.IPv4Address, e.IPAMConfig.IPv6Address, e.IPAMConfig.LinkLocalIPs
		}
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b faults.Attachment) int { return strings.Compare(a.Network, b.Network) })
	return all
}

// Detach takes exactly this incarnation off a network. One that is not in it is left so.
func (w *World) Detach(ctx context.Context, id faults.Identity, networkID string) error {
	c, err := w.exactly(ctx, id)
	if err != nil || !in(c, faults.Attachment{NetworkID: networkID}) {
		return err
	}
	ctx, done := brief(ctx)
	defer done()
	return translate(w.docker.NetworkDisconnect(ctx, networkID, id.ID, false), "disconnect container "+id.Name)
}

func in(c container.InspectResponse, which faults.Attachment) bool {
	return slices.ContainsFunc(attachments(c), func(a faults.Attachment) bool { return a.Same(which) })
}

// Attach connects a container as it was configured: with the address that somebody chose for it, and else with one that the
// engine chooses. To ask for the address that it merely had would make it its own for good, and keep the container from
// starting when the engine has given that address to another one meanwhile (seen after a restart of the engine).
func (w *World) Attach(ctx context.Context, id faults.Identity, a faults.Attachment) error {
	c, now, err := w.inspect(ctx, id.ID)
	switch {
	case err != nil:
		return w.goneOrReplaced(ctx, id, err)
	case now.Protected:
		return fmt.Errorf("container %s: %w", id.Name, faults.ErrProtected)
	case in(c, a):
		return nil
	}
	ctx, done := brief(ctx)
	defer done()
	err = w.docker.NetworkConnect(ctx, a.NetworkID, id.ID, settings(a))
	if err != nil && ctx.Err() == nil {
		if c, _, ierr := w.inspect(ctx, id.ID); ierr == nil && in(c, a) {
			return nil // somebody was quicker
		}
	}
	return translate(err, "connect container "+id.Name+" to network "+a.Network)
}

func settings(a faults.Attachment) *network.EndpointSettings {
	s := &network.EndpointSettings{Aliases: a.Aliases, Links: a.Links, MacAddress: a.MAC, DriverOpts: a.Options, GwPriority: a.Priority}
	if a.ChosenIPv4 != "" || a.ChosenIPv6 != "" || len(a.LinkLocal) > 0 {
		s.IPAMConfig = &network.EndpointIPAMConfig{IPv4Address: a.ChosenIPv4, IPv6Address: a.ChosenIPv6, LinkLocalIPs: a.LinkLocal}
	}
	return s
}
