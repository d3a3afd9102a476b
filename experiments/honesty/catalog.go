package honesty

import (
	"cmp"
	"slices"

	"github.com/candor-chaos/candor/experiments"
)

// All lists the rules that are built, in the order in which they are shown.
func All() []Rule {
	return []Rule{
		stackTraceRule(),
		dbErrorRule(),
		internalAddressRule(),
		runtimeGarbageRule(),
		defaultPageRule(),
		secretRule(),
		otherUserRule(),
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
		blamesNetworkRule(),
		blamesInputRule(),
		inventedCauseRule(),
		noNextStepRule(),
		fateUnknownRule(),
		jargonRule(),
		emptyPhraseRule(),
		brokenCopyRule(),
		accusingRule(),
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
		inputLostRule(),
		inputLostLaterRule(),
		thrownOutRule(),
		doubleSubmitRule(),
		trappedRule(),
		unannouncedRule(),
		bornWithTextRule(),
		stuckBusyRule(),
		colourOnlyRule(),
		lostFocusRule(),
		silentEndRule(),
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
		greenLieRule(),
		lateNoticeRule(),
		sharedFateRule(),
		wrongEndRule(),
		wrongScopeRule(),
		healthLiesRule(),
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
