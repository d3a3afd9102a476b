// Package guardian mends what a runner can no longer mend itself.
//
//	runner ──record, beat──▶ guardian            runner ─✗            a person: candor heal
//	       ◀──acknowledged──                     guardian ─▶ Settle    heal ─▶ Settle
//
// A guardian is a second process, started before a run owes anything: detached, in a session of its own, or a container
// with the engine's socket, which also survives the end of everything around the runner. It is told each record of the
// journal after it is on disk and before it is acted on, and acknowledges it: an intent that nobody heard is not acted on.
// When its input ends without a goodbye its runner is gone; it settles all that is owed, writes that down and leaves. When
// the runner says nothing for a while, or an obligation is in force after its time, the runner hangs: the guardian settles
// too, from what it was told, because the journal is still the runner's, and tells the runner to end.
//
// When the guardian dies first, the runner notices, ends its run and mends everything itself. What remains is that both
// die at once: then the journal waits for candor heal, or for the next run of the system, which heals first.
package guardian
