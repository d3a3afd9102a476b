// Package lock is the right to work on a system, for one process of a host at a time, in worlds that have no better place
// for it. It goes with its holder, however that ends.
package lock
