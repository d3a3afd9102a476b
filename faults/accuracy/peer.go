package accuracy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Serve is the other end of what is measured: it answers each line with itself, HTTP requests with 200, and does the few
// things that its own words ask for: bye (it closes), burn (it computes), eat (it takes memory until it dies).
func Serve(l net.Listener) error {
	served := new(atomic.Int64)
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			in := bufio.NewReaderSize(c, 64<<10)
			if first, err := in.Peek(4); err == nil && slices.Contains([]string{"GET ", "POST", "HEAD"}, string(first)) {
				serveHTTP(in, c, served)
				return
			}
			serveLines(in, c)
		}()
	}
}

func serveLines(in *bufio.Reader, out io.Writer) {
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch strings.TrimSpace(line) {
		case "bye":
			return
		case "burn":
			burn(out)
		case "eat":
			eat(out)
		default:
			if _, err := io.WriteString(out, line); err != nil {
				return
			}
		}
	}
}

// serveHTTP says how many requests it was ever asked; /count only asks for that.
func serveHTTP(in *bufio.Reader, out io.Writer, served *atomic.Int64) {
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		if r.URL.Path != "/count" {
			served.Add(1)
		}
		body := fmt.Sprintln(served.Load())
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(body))
		if r.Method == http.MethodHead {
			body = ""
		}
		if _, err := io.WriteString(out, head+body); err != nil {
			return
		}
	}
}

const burnTime = time.Second

// burn computes for a time of the clock, and says how much time of a processor it got for that, both in microseconds.
func burn(out io.Writer) {
	began, used := time.Now(), processorTime()
	for time.Since(began) < burnTime {
	}
	fmt.Fprintln(out, time.Since(began).Microseconds(), (processorTime() - used).Microseconds())
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const (
	mouthful = 1 << 20
	mostFood = 512 // mouthfuls: without a limit it stops there
)

// eat takes memory a mouthful at a time, writes to all of it, and says a byte for each.
func eat(out io.Writer) {
	var held [][]byte
	for range mostFood {
		piece := make([]byte, mouthful)
		for i := 0; i < len(piece); i += 4096 {
			piece[i] = 1
		}
		held = append(held, piece)
		if _, err := io.WriteString(out, "."); err != nil {
			return
		}
	}
	fmt.Fprintln(out, len(held))
}
