package faults

import (
	"context"
	"time"
)

// The abilities that faults ask of a world. Each fault's file asks for what it needs and nothing else; a world shows an
// ability by having its methods.

// router knows the ports of services, so that a pair of names becomes a path.
type router interface {
	// Route turns "orders" → "orders-db" or "orders-db:5432" into a path with its port. It fails with ErrNotFound for an
	// unknown service and ErrAmbiguous when the service has several ports and none is named.
	Route(ctx context.Context, from, to string) (Path, error)
}

// locator knows where a dependency is that is outside of what the world runs.
type locator interface {
	// Located says where the end of a path is now, as the service sees it that calls it, in words; empty for what is not
	// outside. It fails when that cannot be told, or not from something else that the same service calls.
	Located(ctx context.Context, p Path, from Identity) (string, error)
}

// scaler is a world in which a service may run several times. Find takes "orders/2" for one replica.
type scaler interface {
	// Replicas are the names of those that run, such as 2, in order; of those that do not where none runs. It fails with ErrNotFound
	// when there is none.
	Replicas(ctx context.Context, service string) ([]string, error)
}

// interposer puts candor's own proxy on a path, without the application's help. Where an end runs several times it acts on
// all of its replicas; from is the first of them.
type interposer interface {
	// Interpose is idempotent. When it returns nil every new connection of the path goes through the proxy, and those
	// that were open before have been reset or will be with their next packet.
	Interpose(ctx context.Context, p Path, from Identity) error
	// Withdraw ends what Interpose began: the path is as it was. A from that is gone is reverted.
	Withdraw(ctx context.Context, p Path, from Identity) error
	// Interposed looks where the redirect would be (nftables in the namespace), and does not ask its own memory.
	Interposed(ctx context.Context, p Path, from Identity) (State, error)
}

// impairer is the ability behind every network fault. A path has to be interposed before it can be impaired.
type impairer interface {
	Impair(ctx context.Context, p Path, name string, i Impairment) error
	// Unimpair takes away what has the name and nothing else. Nothing there, or nobody left who held it, is success.
	Unimpair(ctx context.Context, p Path, name string) error
	// Impaired is Absent when nobody is left who could hold it, and Partial when some of its toxics are missing.
	Impaired(ctx context.Context, p Path, name string, i Impairment) (State, error)
	// Impacts counts what the named impairment has hit since it was made: packets for a block, chunks for a toxic.
	Impacts(ctx context.Context, p Path, name string) (int64, error)
}

// picky is an impairer that can carry out some impairments only. It does no I/O.
type picky interface {
	Impairable(i Impairment) error
}

// blocker is an impairer whose blocks can come and go by themselves, and hit a share of the connections.
type blocker interface {
	impairer
	// BlocksInPart says that it does; a world without it has no such method.
	BlocksInPart()
}

// answerer is an impairer that can answer HTTP requests in a dependency's place.
type answerer interface {
	impairer
	// AnswersHTTP says that it does; a world without it has no such method.
	AnswersHTTP()
}

// observer tells one incarnation from the next.
type observer interface {
	// Incarnation is the identity as it is now: the same ID, the present Born and Process; running says whether it lives
	// (a paused one does). It fails with ErrNotFound when the ID is gone, whoever has its name.
	Incarnation(ctx context.Context, id Identity) (now Identity, running bool, err error)
}

// killer ends a process as a crash or as an operator would, and starts it again.
type killer interface {
	observer
	// Kill sends the signal to the first process of exactly this incarnation. With crash the engine must take it for a
	// crash (its restart policy applies); otherwise for an operator's deliberate stop.
	Kill(ctx context.Context, id Identity, signal string, crash bool) error
	// Start starts it if it does not run. A running one is left alone.
	Start(ctx context.Context, id Identity) error
}

// pauser freezes and thaws.
type pauser interface {
	// Pause returns when exactly this incarnation is frozen, or with an error.
	Pause(ctx context.Context, id Identity) error
	// Unpause leaves alone what is not frozen; what was told to freeze and has not yet, never does.
	Unpause(ctx context.Context, id Identity) error
	Paused(ctx context.Context, id Identity) (bool, error)
}

// stopper ends a process politely, and starts it again.
type stopper interface {
	observer
	// End asks exactly this incarnation to end, kills it after grace, and returns when it has ended. What has ended
	// already, or is another incarnation, is ErrReplaced or success, and is not touched.
	End(ctx context.Context, id Identity, grace time.Duration) error
	// Ending reports whether exactly this incarnation has been asked to end and has not yet. It only reads.
	Ending(ctx context.Context, id Identity) (bool, error)
	Start(ctx context.Context, id Identity) error
}

// limiter writes limits past the engine, into the control group of exactly one incarnation.
type limiter interface {
	observer
	// Allowance only reads.
	Allowance(ctx context.Context, id Identity) (Allowance, error)
	// LimitCPU allows so many microseconds in each period; 0 takes the limit away.
	LimitCPU(ctx context.Context, id Identity, quota, period int64) error
	// LimitMemory allows so many bytes; 0 takes the limit away. It refuses less than what cannot be taken back.
	LimitMemory(ctx context.Context, id Identity, bytes int64) error
}

// attacher takes services off their networks, and back.
type attacher interface {
	observer
	// Attachments are the networks that an ID is in and could leave, whichever incarnation runs, or none.
	Attachments(ctx context.Context, id Identity) ([]Attachment, error)
	// Detach acts on exactly this incarnation.
	Detach(ctx context.Context, id Identity, networkID string) error
	// Attach connects an ID as it was, with the addresses that its owner chose and, where the network lets anybody ask for
	// one, those that it had. It fails with ErrNotFound when the ID or the network is gone.
	Attach(ctx context.Context, id Identity, a Attachment) error
}

// misleader lets look-ups of names fail for one service, and follows it through restarts.
type misleader interface {
	Mislead(ctx context.Context, from Identity, label string, m Misnaming) error
	// Unmislead takes away what has the label and nothing else. Nothing there, or nobody left who held it, is success.
	Unmislead(ctx context.Context, from Identity, label string) error
	// Misled is Absent when nobody is left who could hold it.
	Misled(ctx context.Context, from Identity, label string) (State, error)
	// Lookups counts those that failed since it was made.
	Lookups(ctx context.Context, from Identity, label string) (int64, error)
}

// crowder lets more users come to a journey, and go again.
type crowder interface {
	// Usual says in words what the traffic of a journey is. It fails with ErrNotFound for an unknown one.
	Usual(ctx context.Context, journey string) (string, error)
	// Crowd is idempotent for a label. It fails while no users are there at all.
	Crowd(ctx context.Context, journey, label string, c Crowd) error
	// Disperse lets those go who came under the label. Nobody there is success.
	Disperse(ctx context.Context, journey, label string) error
	// Crowded reports whether they are there, and how many visits they began.
	Crowded(ctx context.Context, journey, label string) (there bool, visits int64, err error)
}

// Crowd is how much traffic there is to be, of what there was.
type Crowd struct {
	Times float64       // 2 is twice as much
	Ramp  time.Duration // over which it grows to that
}
