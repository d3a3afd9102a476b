package honesty

import (
	"slices"
	"strings"
	"time"

	"github.com/candor-chaos/candor/experiments"
)

// regionState is what a declared part of a page comes to for a person.
type regionState uint8

const (
	regionBare regionState = iota // it is there, and has neither data nor words for that
	regionAbsent
	regionLoading
	regionError
	regionEmpty
	regionStale // data, and it says that they are old
	regionContent
)

func (s regionState) String() string {
	return [...]string{"bare", "absent", "loading", "an error", "empty", "marked as old", "content"}[s]
}

type regionKey struct{ journey, region string }

type regionRead struct {
	*experiments.RegionRead
	seq int64
}

// stay is one look of a region: as long as it showed the same.
type stay struct {
	experiments.Where // of the sample that it began with
	screen            *screen
	region            *experiments.PlannedRegion
	seen              experiments.RegionSeen
	state             regionState
	from, until       time.Time
	seq, lastSeq      int64 // of the first sample, and of the last that had it
	above             string
	left              bool // it ended because the document was left, or nobody looked any more
}

func (s *stay) lasted() time.Duration { return s.until.Sub(s.from) }

// stayed reports whether it was so at a second look.
func (s *stay) stayed() bool { return s.lasted() >= secondLook }

// foldRegions finds each look that each declared region had.
func (e *evidence) foldRegions() {
	declared := map[regionKey]*experiments.PlannedRegion{}
	for name, j := range e.journeys {
		for i := range j.Regions {
			declared[regionKey{name, j.Regions[i].Name}] = &j.Regions[i]
		}
	}
	if len(declared) == 0 {
		return
	}
	for _, s := range e.screens {
		f := regionFold{e: e, screen: s, declared: declared, open: map[string]*stay{}, errors: map[string]map[int64]bool{}}
		s.walk(f.look)
		for _, one := range f.open {
			one.until, one.left = s.last, true
		}
	}
}

// regionFold follows the regions of one user's pages.
type regionFold struct {
	e        *evidence
	screen   *screen
	declared map[regionKey]*experiments.PlannedRegion
	open     map[string]*stay
	errors   map[string]map[int64]bool // blocks with an error, by region
}

func (f *regionFold) look(v *experiments.View, now sample, _ time.Time) {
	if now.First {
		for name, one := range f.open {
			one.until, one.left = now.at, true
			delete(f.open, name)
		}
		clear(f.errors)
	}
	if len(now.Born)+len(now.Gone)+len(now.Regions) == 0 {
		return
	}
	for _, id := range now.Gone {
		for _, blocks := range f.errors {
			delete(blocks, id)
		}
	}
	for _, b := range now.Born {
		f.weigh(now, b)
	}
	for _, name := range sorted(v.Regions) {
		f.region(v, now, name, v.Regions[name])
	}
}

// weigh notes whether a block is an error in its region.
func (f *regionFold) weigh(now sample, b experiments.Block) {
	for _, blocks := range f.errors {
		delete(blocks, b.ID)
	}
	if b.Region == "" || b.Text == "" || b.Control {
		return
	}
	said := f.e.means(b.Text)
	bad := isBad(said) || said.Is("retry") && said.Claim == experiments.ClaimNone
	switch strings.ToLower(b.Claim) {
	case "failed", "failure", "refused", "unknown":
		bad = true
	}
	if !bad || f.e.usually(now.Journey, b.Text) {
		return
	}
	if f.errors[b.Region] == nil {
		f.errors[b.Region] = map[int64]bool{}
	}
	f.errors[b.Region][b.ID] = true
}

func (f *regionFold) region(v *experiments.View, now sample, name string, seen experiments.RegionSeen) {
	planned := f.declared[regionKey{now.Journey, name}]
	if planned == nil {
		return
	}
	seen.Box = experiments.Box{}
	above := f.above(v, name)
	state := f.e.stateOf(planned, seen, above, len(f.errors[name]) > 0)
	one := f.open[name]
	if one != nil && one.state == state && one.seen == seen && one.above == above {
		one.lastSeq = now.seq
		return
	}
	if one != nil {
		one.until = now.at
	}
	one = &stay{Where: now.Where, screen: f.screen, region: planned, seen: seen, state: state, from: now.at, seq: now.seq, lastSeq: now.seq, above: above}
	f.open[name] = one
	f.e.stays = append(f.e.stays, one)
	f.screen.stays[name] = append(f.screen.stays[name], one)
}

// above is what a text just above a region, or one that is announced, says about the age of what is shown.
func (f *regionFold) above(v *experiments.View, name string) string {
	box, first := v.Regions[name].Box, int64(0)
	for id, b := range v.Blocks {
		if b.Region != "" || b.Text == "" || b.Control || b.Box.Y > box.Y || box.Y-b.Box.Y > aboveReach && b.Live == "" {
			continue
		}
		if f.e.means(b.Text).Is("age") && (first == 0 || id < first) {
			first = id
		}
	}
	return v.Blocks[first].Text
}

// aboveReach is how far above a region a text speaks for it, in CSS pixels.
const aboveReach = 300

// stateOf decides in a fixed order what a region comes to.
func (e *evidence) stateOf(planned *experiments.PlannedRegion, seen experiments.RegionSeen, above string, erred bool) regionState {
	data := seen.Rows > 0 || planned.Rows == "" && strings.TrimSpace(seen.Text) != ""
	switch {
	case seen.Absent:
		return regionAbsent
	case seen.Busy || seen.Waiting:
		return regionLoading
	case erred:
		return regionError
	case seen.Rows == 0 && e.means(seen.Text).Is("empty"):
		return regionEmpty
	case !data:
		return regionBare
	case seen.Marked || above != "" || e.means(seen.Text).Is("age"):
		return regionStale
	}
	return regionContent
}

// struck is the first fault in force between two times that broke what a region needs; nil without one.
func (e *evidence) struck(r *experiments.PlannedRegion, from, to time.Time) *strike {
	for _, s := range e.inForce(from, to) {
		for _, broken := range s.planned.Reach.Services {
			for _, need := range r.Needs {
				if need == broken || slices.Contains(e.serviceNeeds(need), broken) {
					return s
				}
			}
		}
	}
	return nil
}

type truthKey struct {
	regionKey
	visitor string
}

// truthOf are the readings of a region's truth that hold for a visitor, in order.
func (e *evidence) truthOf(s *stay) []regionRead {
	key := truthKey{regionKey{s.Journey, s.region.Name}, s.Visitor}
	reads, known := e.truthsOf[key]
	if !known {
		for _, r := range e.regionReads[key.regionKey] {
			if r.Visitor == "" || r.Visitor == s.Visitor {
				reads = append(reads, r)
			}
		}
		e.truthsOf[key] = reads
	}
	return reads
}
