package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/candor-chaos/candor/faults/guardian"
)

// socketInside is where a guardian finds its engine.
const socketInside = "/run/candor/docker.sock"

// Guardian starts a guardian as a container with the engine's socket: it outlives everything around the runner. It is given
// the folder of journals where the engine sees it too; where it does not, the guardian has what it is told.
func (w *World) Guardian(ctx context.Context, journals string) (guardian.Streams, error) {
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return guardian.Streams{}, err
	}
	defer leave()
	socket, local := strings.CutPrefix(w.config.Host, "unix://")
	if !local {
		socket = "/var/run/docker.sock" // of the host where the engine is
	}
	o := own{name: "candor-guardian-" + w.config.Run, role: roleGuardian, network: "none", user: "0:0", input: true,
		capabilities: []string{"DAC_OVERRIDE", "KILL", "NET_ADMIN"},
		args:         []string{"guardian", "--host", "unix://" + socketInside},
		mounts:       []mount.Mount{{Type: mount.TypeBind, Source: socket, Target: socketInside}}}
	plain := o
	if journals, err = filepath.Abs(journals); err == nil && local {
		o.mounts = append(o.mounts, mount.Mount{Type: mount.TypeBind, Source: journals, Target: journals})
	}
	id, streams, err := w.create(ctx, o)
	if err != nil && ctx.Err() == nil && len(o.mounts) > len(plain.mounts) { // the engine may not see that folder: it is not of this host, or not shared
		w.options.Log.Warn().Err(err).Msg("the guardian cannot have the journals: it will mend from what it is told")
		id, streams, err = w.create(ctx, plain)
	}
	if err != nil {
		return guardian.Streams{}, fmt.Errorf("start the guardian: %w", err)
	}
	out, answers := io.Pipe()
	complaint := &capped{limit: errorLimit}
	go func() {
		_, err := stdcopy.StdCopy(answers, complaint, streams.Reader)
		streams.Close()
		if said := complaint.bytes(); len(said) > 0 {
			err = errors.Join(err, errors.New(string(said)))
		}
		answers.CloseWithError(err) // nil is the end of the stream
	}()
	return guardian.Streams{In: input{streams.Conn, streams.CloseWrite}, Out: out,
		Wait: func(ctx context.Context) error { return w.untilGone(ctx, id) },
		Kill: func(ctx context.Context) error { return w.remove(ctx, id) }}, nil
}

// input is a container's standard input: closing it leaves the other direction open.
type input struct {
	net.Conn
	end func() error
}

func (i input) Close() error { return i.end() }
