package guardian

import (
	"context"
	"fmt"
	"os"
	"os/exec"
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
	ended := make(chan error, 1)
	return Streams{In: in, Out: out, Wait: func(ctx context.Context) error {
		go func() { ended <- cmd.Wait() }()
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}}, nil
}
