package agent

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/candor-chaos/candor/faults"
)

// A block of a share of the connections. The kernel's own chance cannot be seeded, so it only counts: each connection gets
// the next number in its mark, with the first packet that the block sees of it, and a set holds the numbers whose draw
// falls within the share. After mostNumber connections the numbers begin again.

// mostNumber is the largest number of a connection; the marks leave room for twelve bits.
const mostNumber = 4095

// elementsAtOnce bounds one message to the kernel, whose attributes hold 64 KiB.
const elementsAtOnce = 500

// partial reports whether a block hits only a share, now or while it grows.
func partial(i faults.Impairment) bool {
	return i.Block != "" && (i.Share > 0 && i.Share < 1 || i.Ramp > 0)
}

// fate is which connections of a lane a block hits.
type fate struct {
	set   *nftables.Set
	salt  string
	share float64
	ramp  time.Duration
	begun time.Time
	upTo  float64 // the share that the set holds
}

// beginFate makes the set of the numbers that are hit.
func (l *lane) beginFate(t *table, name string, i faults.Impairment) (*fate, error) {
	t.fates++
	f := &fate{salt: l.salt(i.Block), share: i.Share, ramp: time.Duration(i.Ramp) * time.Millisecond, begun: time.Now(),
		set: &nftables.Set{Table: t.table, Name: fmt.Sprintf("hit%d_%s", t.fates, l.family.name), KeyType: nftables.TypeMark}}
	if f.share == 0 {
		f.share = 1
	}
	if err := t.conn.AddSet(f.set, nil); err != nil {
		return nil, fmt.Errorf("make set %s: %w", f.set.Name, err)
	}
	if err := t.flush("make set " + f.set.Name); err != nil {
		return nil, err
	}
	l.fates[name] = f
	return f, l.spread(t, f)
}

// spread adds the numbers that the share has come to by now.
func (l *lane) spread(t *table, f *fate) error {
	share := f.share
	if f.ramp > 0 {
		share *= grown(time.Since(f.begun), f.ramp)
	}
	if share <= f.upTo {
		return nil
	}
	var more []nftables.SetElement
	for n := range uint32(mostNumber) {
		if d := draw(l.seed, f.salt, uint64(n+1)); d >= f.upTo && d < share {
			more = append(more, nftables.SetElement{Key: binaryutil.NativeEndian.PutUint32(n + 1)})
		}
	}
	f.upTo = share
	for some := range slices.Chunk(more, elementsAtOnce) {
		if err := t.conn.SetAddElements(f.set, some); err != nil {
			return fmt.Errorf("fill set %s: %w", f.set.Name, err)
		}
		if err := t.flush("fill set " + f.set.Name); err != nil {
			return err
		}
	}
	return nil
}

// endFate removes the set and the rules that use it. None is no error.
func (l *lane) endFate(t *table, name string) error {
	f := l.fates[name]
	if f == nil {
		return nil
	}
	delete(l.fates, name)
	return t.removeSet(f.set)
}

// blockSome makes the rules of a block that hits a share. A black hole lets the first packet of a connection pass to the
// proxy and drops the answer: a packet that is dropped here leaves the kernel no connection to remember a number by, and
// the same attempt would be drawn again each time it is repeated.
func (l *lane) blockSome(t *table, name, mode string, f *fate) error {
	all := toward(l.family, l.set, l.path.Port)
	here := func(exprs ...[]expr.Any) rule {
		return rule{name: name, chain: chainBefore, exprs: slices.Concat(exprs...)}
	}
	rules := []rule{here(all, numbering(0)), here(all, numbering(markAside))}
	switch mode {
	case blockRefuse:
		rules = append(rules, here(all, fated(f.set), reset()))
	case blockReset:
		rules = append(rules, here(all, fated(f.set), speaking(), reset()))
	case blockHole:
		rules = append(rules, here(all, fated(f.set), notOpening(), drop()),
			here(fromProxy(l.family, l.listener.Port()), fated(f.set), drop()))
	}
	return t.add(rules...)
}

// numbering gives the next number to a connection that has only the mark that is given, and leaves that mark.
func numbering(mark uint32) []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeyMARK, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.NativeEndian.PutUint32(mark)},
		&expr.Numgen{Register: 1, Modulus: mostNumber, Type: unix.NFT_NG_INCREMENTAL, Offset: mark + 1},
		&expr.Ct{Key: expr.CtKeyMARK, Register: 1, SourceRegister: true},
	}
}

// fated goes on with connections whose number is in a set.
func fated(set *nftables.Set) []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeyMARK, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: binaryutil.NativeEndian.PutUint32(mostNumber), Xor: make([]byte, 4)},
		&expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID},
	}
}
