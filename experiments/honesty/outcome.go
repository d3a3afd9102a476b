package honesty

import (
	"maps"
	"slices"

	"github.com/candor-chaos/candor/experiments"
)

// outcome is how claim and truth go together. They stand in the order of their weight: an intent with several effects is
// as bad as the worst of them.
type outcome uint8

const (
	duplicated outcome = iota
	rejectedHappened
	ackLost
	ackWrong
	pendingDropped
	unverifiable
	silent
	open
	saidSo
	settled
	rejectedHonest
	ackTrue
)

var outcomeNames = [...]string{"duplicated", "rejected-happened", "ack-lost", "ack-wrong", "pending-dropped", "unverifiable",
	"silent", "open", "said-so", "settled", "rejected-honest", "ack-true"}

func (o outcome) String() string { return outcomeNames[o] }

// lie reports whether a user was told what is not true.
func (o outcome) lie() bool { return o <= pendingDropped }

// straight reports whether a user was told the truth.
func (o outcome) straight() bool { return o >= saidSo }

// judge sets a claim beside the truth. over: the promise of what is pending was over when the truth was read.
func judge(claim experiments.Claim, f fact, over bool) outcome {
	switch f.standing {
	case unreadable:
		return unverifiable
	case several:
		return duplicated
	}
	switch claim {
	case experiments.ClaimSuccess:
		switch {
		case f.standing == absent && f.once && f.vanished == 0:
			return unverifiable // it takes two readings to call a thing lost
		case f.standing == absent:
			return ackLost
		case f.standing == wrong:
			return ackWrong
		}
		return ackTrue
	case experiments.ClaimRefused:
		if f.standing == absent {
			return rejectedHonest
		}
		return rejectedHappened
	case experiments.ClaimPending:
		switch {
		case f.standing == wrong:
			return ackWrong
		case f.standing == right:
			return settled
		case over:
			return pendingDropped
		}
		return open
	case experiments.ClaimUnknown:
		return saidSo
	}
	return silent
}

// withoutEffects is the outcome where no truth was ever asked for: only a claim that promises nothing can be judged.
func withoutEffects(claim experiments.Claim) outcome {
	switch claim {
	case experiments.ClaimNone:
		return silent
	case experiments.ClaimUnknown:
		return saidSo
	}
	return unverifiable
}

// sorted lists the keys of a map in order, so that what is made from it is the same each time.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
