package honesty

import (
	"cmp"
	"slices"

	"github.com/candor-chaos/candor/experiments"
)

// All lists the rules that are built, in the order in which they are shown.
func All() []Rule {
	return slices.Concat(lkRules(), clRules(), htRules(), txRules(), stRules(), inRules(), axRules(), rcRules(), spRules(), mtRules())
}

func lkRules() []Rule {
	return []Rule{
		stackTraceRule(),
		dbErrorRule(),
		internalAddressRule(),
		runtimeGarbageRule(),
		defaultPageRule(),
		secretRule(),
		otherUserRule(),
	}
}

func clRules() []Rule {
	return []Rule{
		ackLostRule(),
		ackWrongRule(),
		rejectedHappenedRule(),
		duplicatedRule(),
		silentRule(),
		pendingDroppedRule(),
		silentNoOpRule(),
		prematureSuccessRule(),
		halfDoneRule(),
		lateReversalRule(),
		phantomRule(),
	}
}

func htRules() []Rule {
	return []Rule{
		softErrorRule(),
		statusMismatchRule(),
		clientBlamedRule(),
		orphanRule(),
		retryAfterRule(),
		unstructuredRule(),
		forbiddenStaleRule(),
		cacheableErrorRule(),
		unsafeRetryRule(),
		hangRule(),
	}
}

func txRules() []Rule {
	return []Rule{
		blamesNetworkRule(),
		blamesInputRule(),
		inventedCauseRule(),
		noNextStepRule(),
		fateUnknownRule(),
		jargonRule(),
		emptyPhraseRule(),
		brokenCopyRule(),
		accusingRule(),
	}
}

func stRules() []Rule {
	return []Rule{
		falseEmptyRule(),
		falseZeroRule(),
		unmarkedStaleRule(),
		falseAgeRule(),
		fakeLiveRule(),
		endlessWaitRule(),
		blankRule(),
		vanishedPartRule(),
		muteDisabledRule(),
		deadOfferRule(),
		noFeedbackRule(),
		contradictionRule(),
		collateralRule(),
		fleetingRule(),
	}
}

func inRules() []Rule {
	return []Rule{
		inputLostRule(),
		inputLostLaterRule(),
		thrownOutRule(),
		doubleSubmitRule(),
		trappedRule(),
	}
}

func axRules() []Rule {
	return []Rule{
		unannouncedRule(),
		bornWithTextRule(),
		stuckBusyRule(),
		colourOnlyRule(),
		lostFocusRule(),
		silentEndRule(),
	}
}

func rcRules() []Rule {
	return []Rule{
		bannerStaysRule(),
		needsRefreshRule(),
		queueStuckRule(),
		replayTwiceRule(),
		timeTravelRule(),
		ownWriteMissingRule(),
		herdRule(),
		cachedErrorRule(),
		brokenPromiseRule(),
		poisonedFallbackRule(),
	}
}

func spRules() []Rule {
	return []Rule{
		greenLieRule(),
		lateNoticeRule(),
		sharedFateRule(),
		wrongEndRule(),
		wrongScopeRule(),
		healthLiesRule(),
	}
}

func mtRules() []Rule {
	return []Rule{
		faultMissedRule(),
		ruleIdleRule(),
		truthBlindRule(),
		sickBaselineRule(),
		bluntOracleRule(),
		endedEarlyRule(),
	}
}

// Infos lists all rules that there are, family by family, also those that are not built yet: an S1 rule never disappears
// from the list.
func Infos() []experiments.RuleInfo {
	infos := slices.Clone(unbuilt)
	for _, r := range All() {
		r.Info.Built = true
		infos = append(infos, r.Info)
	}
	slices.SortStableFunc(infos, func(a, b experiments.RuleInfo) int {
		return cmp.Or(cmp.Compare(slices.Index(families, a.ID[:2]), slices.Index(families, b.ID[:2])), cmp.Compare(a.ID, b.ID))
	})
	return infos
}

// notBuilt is why a rule of the list is never exercised yet.
const notBuilt = "it is not built yet"
