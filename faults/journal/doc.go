// Package journal holds obligations: what candor has broken, or was about to break, and must mend.
//
//	nothing ──intent──▶ owed ──injected──▶ in force ──reverted──▶ settled
//	                      └─────────────reverted────────────────────▲
//	revert-failed leaves it owed; only reverted settles it
//
// A journal is one file of JSON lines for one run, <state>/journals/<run>.jsonl. Every record is one write and one sync,
// and nothing in the world is touched before its intent is on disk. Its first record, open, holds what another process
// needs to mend without the runner: the world's name and configuration. Faults themselves are saved whole.
//
// The runner calls Create, then Inject and Revert for each fault, RevertAll and Close. It holds the file's lock for as
// long as it lives; the kernel lets go of it with the process. heal lists what Dirty finds, and for each journal whose
// lock is free calls Open, opens the world that the header names, then RevertAll and Close. Both ways run the same code,
// and both may be run again.
//
// A guardian has its place beside them: a second process that reads the records as they are appended (a line is whole
// when it ends in a newline), waits for the lock, which it gets when the runner is gone, and then does what heal does. It
// trusts this file and never the memory of the runner.
//
// Reading is strict. A torn last line is what a crash leaves and is ignored: its sync never returned, so nothing was done
// on its account. A bad line elsewhere, or one of a newer schema, stops everything with its number and nothing is
// touched. An obligation of an unknown kind is owed and reported.
package journal
