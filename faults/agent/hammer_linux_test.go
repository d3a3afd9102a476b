package agent

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/candor-chaos/candor/faults"
)

// Faults come and go at random under load, on connections that are kept and on new ones. Whatever happened, nothing is
// in force at the end, and no connection that worked through it all has lost or doubled a byte (ping would see it).
func TestFaultsThatComeAndGoUnderLoadLeaveNothing(t *testing.T) {
	namespace(t)
	d := depend(t, "tcp4", here+":0", mirror)
	c, _ := serve(t, nil)
	path := interposed(t, c, d.port, here)
	stop := make(chan struct{})
	var users sync.WaitGroup
	var good, bad, garbled atomic.Int64
	for range 12 {
		users.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				conn, err := dial(t, d.port)
				if err != nil {
					bad.Add(1)
					time.Sleep(10 * time.Millisecond)
					continue
				}
				for i := range 30 {
					conn.SetDeadline(time.Now().Add(500 * time.Millisecond))
					line := fmt.Sprintf("%08d", i)
					fmt.Fprint(conn, line)
					answer := make([]byte, len(line))
					n, err := readAll(conn, answer)
					if err != nil || n < len(answer) {
						bad.Add(1)
						break
					}
					if string(answer) != line {
						garbled.Add(1)
					}
					good.Add(1)
				}
				conn.Close()
			}
		})
	}
	kinds := []faults.Impairment{both("bandwidth", map[string]any{"rate": 1, "bytes": 1000}), down("slicer", map[string]any{"average_size": 3, "size_variation": 0, "delay": 5000}),
		{Block: "refuse", Share: 0.5}, {Block: "reset", Share: 0.5}, {Block: "refuse", Flap: &faults.Flapping{Down: 100, Up: 100}},
		down("limit_data", map[string]any{"bytes": 100}), {Block: "refuse"}, {Block: "reset"}, {Block: "blackhole"},
		{Toxics: []faults.Toxic{{Type: "latency", Stream: "downstream", Attributes: map[string]any{"latency": 20, "jitter": 10}},
			{Type: "latency", Stream: "upstream", Attributes: map[string]any{"latency": 20, "jitter": 10}}}},
		{Toxics: []faults.Toxic{{Type: "timeout", Stream: "upstream", Attributes: map[string]any{"timeout": 0}},
			{Type: "timeout", Stream: "downstream", Attributes: map[string]any{"timeout": 0}}}}}
	chance := rand.New(rand.NewPCG(1, 2))
	var inForce []Request
	for end := time.Now().Add(8 * time.Second); time.Now().Before(end); time.Sleep(time.Duration(chance.IntN(80)) * time.Millisecond) {
		if len(inForce) > 0 && (len(inForce) > 2 || chance.IntN(2) == 0) {
			i := chance.IntN(len(inForce))
			r := inForce[i]
			inForce = append(inForce[:i], inForce[i+1:]...)
			r.Op = Unimpair
			ask(t, c, r)
			continue
		}
		r := Request{Op: Impair, Path: path, Name: fmt.Sprint(chance.Uint64()), Impairment: &kinds[chance.IntN(len(kinds))]}
		ask(t, c, r)
		inForce = append(inForce, r)
	}
	for _, r := range inForce {
		r.Op = Unimpair
		ask(t, c, r)
		r.Op = Impaired
		if s := ask(t, c, r).State; s != faults.Absent {
			t.Errorf("%+v is %s", r.Impairment, s)
		}
	}
	close(stop)
	users.Wait()
	t.Logf("%d good, %d bad", good.Load(), bad.Load())
	if good.Load() == 0 || bad.Load() == 0 || garbled.Load() > 0 {
		t.Errorf("%d good, %d bad, %d garbled; want some of each but the last", good.Load(), bad.Load(), garbled.Load())
	}
	for range 20 {
		conn, err := dial(t, d.port)
		if err != nil {
			t.Fatal(err)
		}
		quickly(t, conn)
		conn.Close()
	}
	soon(t, "the dependency has no connection left", 5*time.Second, func() bool { return d.open.Load() == 0 })
}

func readAll(from interface{ Read([]byte) (int, error) }, into []byte) (n int, err error) {
	for n < len(into) && err == nil {
		var m int
		m, err = from.Read(into[n:])
		n += m
	}
	return n, err
}
