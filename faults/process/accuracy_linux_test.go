package process

import (
	"context"
	"net"
	"os"
	"strconv"
	"testing"

	"github.com/candor-chaos/candor/faults"
	"github.com/candor-chaos/candor/faults/accuracy"
	"github.com/candor-chaos/candor/faults/faulttest"
)

// TestAccuracy measures what faults really do to processes: a few of them once, and all of them ACCURACY times.
func TestAccuracy(t *testing.T) {
	rounds, whole, err := accuracy.Rounds()
	if err != nil {
		t.Fatal(err)
	}
	all := accuracy.Short()
	if whole {
		all = accuracy.All()
	}
	c := shop(t)
	for name, s := range c.Services {
		s.Ready = "" // a peer speaks lines
		c.Services[name] = s
	}
	w := opened(t, c, func(service string, _ map[string]Need) (Launch, error) {
		self, err := os.Executable()
		return Launch{Args: []string{self}, Env: map[string]string{"PROCESS_TEST": "peer", "PORT": strconv.Itoa(c.Services[service].Ports[""])}}, err
	})
	if err := w.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	k, _ := faults.Lookup(faults.Obligations(), faults.Interpose.Name)
	k.Example = "interpose: {from: web, to: payments}"
	f, err := faulttest.Decode(k)
	if err == nil {
		_, err = f.Prepare(t.Context(), w)
	}
	if err == nil {
		err = f.Inject(t.Context(), w)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, address := way(t, w)
	bench := &accuracy.Bench{World: w, Rounds: rounds, Dial: func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", address)
	}}
	rows, err := bench.Run(t.Context(), all)
	accuracy.Print(os.Stdout, "process", rows)
	if err != nil {
		t.Error(err)
	}
	if len(rows) < 3 {
		t.Errorf("only %d were measured", len(rows))
	}
}
