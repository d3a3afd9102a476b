package agent

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/candor-chaos/candor/faults"
)

// nameServer is the one that an application asks: it knows every name at 192.0.2.1.
type nameServer struct{ asked atomic.Int64 }

func serveNames(t *testing.T, address string) *nameServer {
	t.Helper()
	s := &nameServer{}
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	streams, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { packets.Close(); streams.Close() })
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, from, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			packets.WriteTo(s.answer(buffer[:n]), from)
		}
	}()
	go func() {
		for {
			c, err := streams.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for {
					message, err := frame(c)
					if err != nil {
						return
					}
					answer := s.answer(message)
					c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
				}
			}()
		}
	}()
	return s
}

func (s *nameServer) answer(message []byte) []byte {
	s.asked.Add(1)
	var m dnsmessage.Message
	if m.Unpack(message) != nil {
		return []byte("what is no question comes back as this")
	}
	m.Response = true
	m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
		Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}}}
	m.Additionals = nil
	reply, err := m.Pack()
	if err != nil {
		return nil
	}
	return reply
}

func question(t *testing.T, id uint16, name string) []byte {
	t.Helper()
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	packed, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

// lookUp asks over a connection, and says in a word what came: the address, the code, or the error.
func lookUp(t *testing.T, c net.Conn, name string, within time.Duration) string {
	t.Helper()
	c.SetDeadline(time.Now().Add(within))
	message := question(t, 4242, name)
	stream := c.RemoteAddr().Network() == "tcp"
	if stream {
		message = append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...)
	}
	if _, err := c.Write(message); err != nil {
		return told(err)
	}
	answer := make([]byte, 4096)
	if stream {
		var length [2]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return told(err)
		}
		answer = answer[:binary.BigEndian.Uint16(length[:])]
		if _, err := io.ReadFull(c, answer); err != nil {
			return told(err)
		}
	} else {
		n, err := c.Read(answer)
		if err != nil {
			return told(err)
		}
		answer = answer[:n]
	}
	var m dnsmessage.Message
	if err := m.Unpack(answer); err != nil {
		return fmt.Sprintf("not an answer: %q", answer)
	}
	if m.ID != 4242 || !m.Response || len(m.Questions) != 1 || m.Questions[0].Name.String() != name {
		return fmt.Sprintf("an answer to something else: %+v", m)
	}
	if m.RCode != dnsmessage.RCodeSuccess {
		return strings.TrimPrefix(m.RCode.String(), "RCode")
	}
	if len(m.Answers) != 1 {
		return "nothing"
	}
	return fmt.Sprint(m.Answers[0].Body.(*dnsmessage.AResource).A)
}

func told(err error) string {
	switch {
	case isTimeout(err):
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EPERM), isReset(err):
		return "refused"
	}
	return err.Error()
}

func toNameServer(t *testing.T, network, address string) (c net.Conn) {
	t.Helper()
	inside(t, func() {
		var err error
		if c, err = net.DialTimeout(network, address, 2*time.Second); err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(func() { c.Close() })
	return c
}

const known = "[192 0 2 1]"

func TestAgentMisleads(t *testing.T) {
	namespace(t)
	net6 := fmt.Sprintf("fd78:%x::", os.Getpid()&0xffff)
	for _, args := range [][]string{{"addr", "add", net6 + "1/64", "dev", ends[0], "nodad"},
		{"-n", space, "addr", "add", net6 + "2/64", "dev", ends[1], "nodad"}} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v\n%s", args, err, out)
		}
	}
	six := "[" + net6 + "1]:53"
	servers := map[string]*nameServer{here + ":53": serveNames(t, here+":53"), six: serveNames(t, six)}
	c, _ := serve(t, nil)
	for address, server := range servers {
		for _, network := range []string{"udp", "tcp"} {
			t.Run(network+" "+address, func(t *testing.T) {
				old := toNameServer(t, network, address)
				expect := func(c net.Conn, name, want string) {
					t.Helper()
					if got := lookUp(t, c, name, 700*time.Millisecond); got != want {
						t.Errorf("%s = %s; want %s", name, got, want)
					}
				}
				expect(old, "payments.", known)
				for answer, want := range map[string]string{"nxdomain": "NameError", "servfail": "ServerFailure", "timeout": "timeout"} {
					r := Request{Op: Mislead, Name: "dns-1", Misnaming: &faults.Misnaming{Names: []string{"Payments", "api.example.com."}, Answer: answer}}
					ask(t, c, r)
					ask(t, c, r) // again is no error
					before := server.asked.Load()
					fresh := toNameServer(t, network, address)
					expect(fresh, "paymenTs.", want)
					expect(fresh, "a.b.payments.", want)
					expect(fresh, "api.example.com.", want)
					if asked := server.asked.Load(); asked != before {
						t.Errorf("the name server was asked %d times for what is lied about", asked-before)
					}
					expect(fresh, "orders.", known)
					expect(fresh, "mypayments.", known)
					expect(fresh, "example.com.", known)
					if s := ask(t, c, Request{Op: Misled, Name: "dns-1"}).State; s != faults.Present {
						t.Errorf("misled = %v", s)
					}
					if n := ask(t, c, Request{Op: Lookups, Name: "dns-1"}).Count; n != 3 {
						t.Errorf("%d look-ups have failed; want 3", n)
					}
					ask(t, c, Request{Op: Unmislead, Name: "dns-1"})
					ask(t, c, Request{Op: Unmislead, Name: "dns-1"})
					if s := ask(t, c, Request{Op: Misled, Name: "dns-1"}).State; s != faults.Absent {
						t.Errorf("misled afterwards = %v", s)
					}
					expect(toNameServer(t, network, address), "payments.", known)
				}
			})
		}
	}
	if rules := ruleset(t); strings.Contains(rules, "names dns-1") {
		t.Errorf("rules are left:\n%s", rules)
	}
}

// A resolver that keeps its socket is refused, and asks through another one: else it would go on unmisled.
func TestWhoeverAskedBeforeIsMisledToo(t *testing.T) {
	namespace(t)
	serveNames(t, here+":53")
	c, _ := serve(t, nil)
	for _, network := range []string{"udp", "tcp"} {
		old := toNameServer(t, network, here+":53")
		if got := lookUp(t, old, "payments.", time.Second); got != known {
			t.Fatalf("before: %s", got)
		}
		ask(t, c, Request{Op: Mislead, Name: "dns-2", Misnaming: &faults.Misnaming{Names: []string{"payments"}, Answer: "nxdomain"}})
		if got := lookUp(t, old, "payments.", time.Second); got != "refused" {
			t.Errorf("%s on a socket from before: %s; want refused", network, got)
		}
		ask(t, c, Request{Op: Unmislead, Name: "dns-2"})
	}
}

func TestTwoMisnamingsAndWhatIsNoQuestion(t *testing.T) {
	namespace(t)
	serveNames(t, here+":53")
	c, _ := serve(t, nil)
	for label, name := range map[string]string{"dns-a": "payments", "dns-b": "orders"} {
		ask(t, c, Request{Op: Mislead, Name: label, Misnaming: &faults.Misnaming{Names: []string{name}, Answer: "nxdomain"}})
	}
	conn := toNameServer(t, "udp", here+":53")
	for _, name := range []string{"payments.", "orders."} {
		if got := lookUp(t, conn, name, time.Second); got != "NameError" {
			t.Errorf("%s = %s", name, got)
		}
	}
	conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("no question")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 100)
	if n, err := conn.Read(answer); err != nil || string(answer[:n]) != "what is no question comes back as this" {
		t.Errorf("what is no question is answered with %q, %v: it was to be passed on", answer[:n], err)
	}
	ask(t, c, Request{Op: Unmislead, Name: "dns-a"})
	if got := lookUp(t, conn, "payments.", time.Second); got != known {
		t.Errorf("payments after its end = %s", got)
	}
	if got := lookUp(t, conn, "orders.", time.Second); got != "NameError" {
		t.Errorf("orders, whose lie goes on = %s", got)
	}
	_, err := c.Do(t.Context(), Request{Op: Mislead, Name: "dns-c", Misnaming: &faults.Misnaming{Names: []string{"x"}, Answer: "shrug"}})
	if !errors.Is(err, ErrRefused) {
		t.Errorf("an unknown answer = %v; want ErrRefused", err)
	}
}
