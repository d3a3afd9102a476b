package faults

import (
	"fmt"
	"time"
)

// Shareable is implemented by faults that can hit a part of the connections and let the others be. Which ones is drawn
// from the run's seed, once for each connection.
type Shareable interface {
	HitShare(s Share)
}

// Rampable is implemented by faults that can grow to their full strength, from the moment of injection.
type Rampable interface {
	GrowOver(d time.Duration)
}

// dose is how much of a fault there is: of how many connections, and from when on in full. Both are common keys of a
// fault, so they are not among its own, and saved with it.
type dose struct {
	Share Share         `yaml:"-" json:"share,omitempty"`
	Ramp  time.Duration `yaml:"-" json:"ramp,omitempty"`
}

// HitShare limits the fault to a share of the connections.
func (d *dose) HitShare(s Share) { d.Share = s }

// GrowOver lets the fault grow for so long.
func (d *dose) GrowOver(ramp time.Duration) { d.Ramp = ramp }

// of puts the dose on what the agent is told.
func (d *dose) of(i Impairment) Impairment {
	i.Share, i.Ramp = float64(d.Share), d.Ramp.Milliseconds()
	return i
}

// extent says the dose of a fault that grows by hitting more and more connections.
func (d *dose) extent() string { return d.extentIn("connections") }

// extentIn is extent of a fault that is drawn for each of something else.
func (d *dose) extentIn(what string) string {
	switch {
	case d.Ramp > 0:
		return fmt.Sprintf(", on a share of the %s that grows to %s over %s", what, d.whole(), d.Ramp)
	case d.Share > 0:
		return fmt.Sprintf(", on %s of the %s", d.Share, what)
	}
	return ""
}

// growing says the dose of a fault that grows by becoming stronger.
func (d *dose) growing() string {
	still := dose{Share: d.Share}
	if d.Ramp > 0 {
		return still.extent() + fmt.Sprintf(", growing to that over %s", d.Ramp)
	}
	return still.extent()
}

// whole is what an absent share means.
func (d *dose) whole() Share {
	if d.Share == 0 {
		return 1
	}
	return d.Share
}

// Partial reports whether it hits a share of the connections only, now or while it grows.
func (i Impairment) Partial() bool { return i.Share > 0 && i.Share < 1 || i.Ramp > 0 }

// Dosed is the mistake of whoever asks for a dose that a world cannot give, at the key that asks.
func (i Impairment) Dosed(hint, msg string, args ...any) error {
	e := &FieldError{Field: "share", Msg: fmt.Sprintf(msg, args...), Hint: hint}
	if i.Ramp > 0 {
		e.Field = "ramp"
	}
	return e
}
