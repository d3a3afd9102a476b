//go:build !linux

package agent

import (
	"context"
	"errors"
	"io"
)

// ErrElsewhere: namespaces and nftables are Linux's. The agent runs in a container, where there is always a Linux.
var ErrElsewhere = errors.New("the agent runs on Linux alone")

// Serve cannot serve here.
func Serve(context.Context, io.Reader, io.Writer, Options) error { return ErrElsewhere }

// Look cannot look here.
func Look(string) (Sight, error) { return Sight{}, ErrElsewhere }

// LookBeside cannot look here.
func LookBeside(int, string) (Sight, error) { return Sight{}, ErrElsewhere }

// Signal cannot signal here.
func Signal(int, string, string) error { return ErrElsewhere }
