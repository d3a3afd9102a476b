package honesty

import "github.com/candor-chaos/candor/experiments"

// unbuilt names every rule that has no check yet. They stand in every report as not-exercised: a rule that is missing is a
// hole that must be seen. Whoever builds one takes its line away.
var unbuilt = []experiments.RuleInfo{
	{ID: "TX-01", Name: "blames-network", Severity: experiments.S2, Level: "B", Doc: "\"Check your internet connection\", \"You are offline\""},
	{ID: "TX-02", Name: "blames-input", Severity: experiments.S1, Level: "B", Doc: "\"Wrong password\", \"Invalid card\", \"Not found\", \"No permission\""},
	{ID: "TX-03", Name: "invented-cause", Severity: experiments.S2, Level: "B", Doc: "\"scheduled maintenance\", \"high demand\", \"your bank declined\""},
	{ID: "TX-04", Name: "no-next-step", Severity: experiments.S3, Level: "B", Doc: "a dead end"},
	{ID: "TX-05", Name: "fate-unknown", Severity: experiments.S2, Level: "B", Doc: "not told what became of the order"},
	{ID: "TX-06", Name: "false-retry", Severity: experiments.S2, Level: "B+L", Doc: "a \"Try again\" that cannot work, or is unsafe; S1 when it duplicates"},
	{ID: "TX-07", Name: "jargon", Severity: experiments.S4, Level: "B", Doc: "\"upstream\", \"token\", \"instance\", 502, \"bad request\""},
	{ID: "TX-08", Name: "empty-phrase", Severity: experiments.S3, Level: "B", Doc: "\"Error\", \"Oops!\""},
	{ID: "TX-09", Name: "broken-copy", Severity: experiments.S3, Level: "B/H", Doc: "errors.generic, {{name}}, another language"},
	{ID: "TX-10", Name: "three-stories", Severity: experiments.S2, Level: "B+H", Doc: "API, page and status page disagree"},
	{ID: "TX-11", Name: "untraceable", Severity: experiments.S3, Level: "B+L", Doc: "no reference, or support cannot find it"},
	{ID: "TX-12", Name: "accusing", Severity: experiments.S4, Level: "B", Doc: "\"You entered\", \"illegal\", \"forbidden\", for a fault of ours"},
	{ID: "IN-04", Name: "relogin-loss", Severity: experiments.S3, Level: "B", Doc: "the draft is gone after signing in again"},
}

// families is the order in which rules are shown.
var families = []string{"LK", "CL", "HT", "TX", "ST", "IN", "AX", "RC", "SP", "MT"}
