package guardian

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// Process starts a guardian as a detached process: a session of its own, so that nothing that ends the runner's process
// group or its terminal ends it too. It keeps no file, folder or stream of the runner's open but the two pipes.
func Process(binary string, args ...string) (Streams, error) {
	cmd := exec.Command(binary, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Env = os.Environ()
	in, err := cmd.StdinPipe()
	if err != nil {
		return Streams{}, fmt.Errorf("start the guardian: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return Streams{}, fmt.Errorf("start the guardian: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return Streams{}, fmt.Errorf("start the guardian: %w", err)
	}
	ended := make(chan struct{})
	var once sync.Once
	var how error
	wait := func(ctx context.Context) error {
		once.Do(func() {
			go func() {
				how = cmd.Wait()
				close(ended)
			}()
		})
		select {
		case <-ended:
			return how
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return Streams{In: in, Out: out, Wait: wait, Kill: func(ctx context.Context) error {
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		_ = wait(ctx) // it was killed: that is how it ends
		return ctx.Err()
	}}, nil
}
