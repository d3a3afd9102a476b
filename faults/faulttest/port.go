package faulttest

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// FreePort finds a port of the loopback address on which nobody listens, and that the kernel gives to no one who asks for
// any: so it is still free when a service is started on it again.
func FreePort() (int, error) {
	const first, last, tries = 20000, 31999, 100
	var failed error
	for range tries {
		port := first + rand.IntN(last-first+1)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, l.Close()
		}
		failed = err
	}
	return 0, fmt.Errorf("find a free port: %w", failed)
}
