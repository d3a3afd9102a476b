package experiments

import (
	"fmt"
	"time"
)

// The personas: how people treat a product that they have stopped trusting. What each does takes its times from the
// tier's deadline for feedback, so that a product that lives faster meets people who live faster.
const (
	Patient   = "patient"   // waits for every answer
	Impatient = "impatient" // presses again, and reloads, when nothing happened for a while
	Hasty     = "hasty"     // clicks and presses Enter at once, and clicks again when nothing came
	Doubter   = "doubter"   // looks up elsewhere what became of it
)

const (
	// impatience is how many feedback deadlines an impatient person waits: 2 s where feedback is due within 1 s.
	impatience = 2
	// hasteHalves is, in halves of a feedback deadline, when a hasty person clicks again: after 1.5 s, which is later than
	// a guard against double clicks of 1 s, and earlier than many an answer.
	hasteHalves = 3
	// morePresses is how often a person presses again for one intent, at most.
	morePresses = 2
	// doubtLooks is how often a doubter looks before they believe that it is not there.
	doubtLooks = 4
	// doubtLag is how many feedback deadlines a doubter grants the product until their own change must be in sight.
	doubtLag = 2
)

// LookedUp ends the name of a look-up that the journey does not declare: it begins with that of the intent's step.
const LookedUp = ", looked up"

// Persona is what one does beside walking, as durations. The zero value is patient.
type Persona struct {
	Twice   bool          `json:"twice,omitempty"`   // two identical requests at once
	Again   time.Duration `json:"again,omitempty"`   // presses again when no answer came for so long
	Reloads bool          `json:"reloads,omitempty"` // asks again for pages that are late, too
	Presses int           `json:"presses,omitempty"` // presses again at most so often
	Lag     time.Duration `json:"lag,omitempty"`     // looks up what they did, until it is there or so long has passed
	Looks   int           `json:"looks,omitempty"`   // at most so often
}

// NewPersona fits a persona to how fast a product has promised to be.
func NewPersona(name string, d Deadlines) Persona {
	feedback := d.Feedback
	setDefault(&feedback, DefaultDeadlines().Feedback)
	switch name {
	case Impatient:
		return Persona{Again: impatience * feedback, Reloads: true, Presses: morePresses}
	case Hasty:
		return Persona{Twice: true, Again: hasteHalves * feedback / 2, Presses: 1}
	case Doubter:
		return Persona{Lag: doubtLag * feedback, Looks: doubtLooks}
	}
	return Persona{}
}

// Words says what a persona does, for people; empty for who does nothing beside walking.
func (p Persona) Words() string {
	switch {
	case p.Twice:
		return fmt.Sprintf("submits twice at once, by click and Enter, and once more when nothing came within %s; the same form, the same marker", p.Again)
	case p.Again > 0:
		return fmt.Sprintf("presses again when nothing happened within %s, up to %d times, the same form with the same marker; reloads pages that are that late", p.Again, p.Presses)
	case p.Looks > 0:
		return fmt.Sprintf("looks up after each act whether it is there, up to %d times within %s", p.Looks, p.Lag)
	}
	return ""
}
