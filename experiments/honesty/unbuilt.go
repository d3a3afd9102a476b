package honesty

import "github.com/candor-chaos/candor/experiments"

// unbuilt names every rule that has no check yet. They stand in every report as not-exercised: a rule that is missing is a
// hole that must be seen. Whoever builds one takes its line away.
var unbuilt = []experiments.RuleInfo{
	{ID: "TX-06", Name: "false-retry", Severity: experiments.S2, Level: "B+L", Doc: "a \"Try again\" that cannot work, or is unsafe; S1 when it duplicates"},
	{ID: "TX-10", Name: "three-stories", Severity: experiments.S2, Level: "B+H", Doc: "API, page and status page disagree"},
	{ID: "TX-11", Name: "untraceable", Severity: experiments.S3, Level: "B+L", Doc: "no reference, or support cannot find it"},
	{ID: "IN-04", Name: "relogin-loss", Severity: experiments.S3, Level: "B", Doc: "the draft is gone after signing in again"},
}

// families is the order in which rules are shown.
var families = []string{"LK", "CL", "HT", "TX", "ST", "IN", "AX", "RC", "SP", "MT"}
