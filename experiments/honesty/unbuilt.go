package honesty

import "github.com/candor-chaos/candor/experiments"

// unbuilt names every rule that has no check yet. They stand in every report as not-exercised: a rule that is missing is a
// hole that must be seen. Whoever builds one takes its line away.
var unbuilt = []experiments.RuleInfo{
	{ID: "LK-04", Name: "runtime-garbage", Severity: experiments.S3, Level: "B", Doc: "\"Failed to fetch\", undefined, NaN, [object Object], ECONNREFUSED, an exception class"},
	{ID: "CL-07", Name: "silent-no-op", Severity: experiments.S3, Level: "B", Doc: "a click does nothing"},
	{ID: "CL-08", Name: "premature-success", Severity: experiments.S1, Level: "B+L", Doc: "\"Saved\" before the server answered, not corrected when it fails"},
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
	{ID: "ST-01", Name: "false-empty", Severity: experiments.S1, Level: "B+L", Doc: "\"You have no orders\""},
	{ID: "ST-02", Name: "false-zero", Severity: experiments.S1, Level: "B+L", Doc: "a balance of 0.00, a badge of 0, a sum of what happened to load"},
	{ID: "ST-03", Name: "unmarked-stale", Severity: experiments.S2, Level: "B+L", Doc: "an old price shown as now; S1 for money, stock and health"},
	{ID: "ST-04", Name: "false-age", Severity: experiments.S1, Level: "B+L", Doc: "\"Updated just now\" on old data"},
	{ID: "ST-05", Name: "fake-live", Severity: experiments.S2, Level: "B+L", Doc: "a green \"Live\" dot on a dead feed"},
	{ID: "ST-06", Name: "endless-wait", Severity: experiments.S3, Level: "B", Doc: "a spinner or skeleton without end"},
	{ID: "ST-07", Name: "blank", Severity: experiments.S3, Level: "B", Doc: "a white page"},
	{ID: "ST-08", Name: "vanished-part", Severity: experiments.S2, Level: "B", Doc: "a section is simply missing"},
	{ID: "ST-09", Name: "mute-disabled", Severity: experiments.S3, Level: "B", Doc: "a grey button without a reason"},
	{ID: "ST-10", Name: "dead-offer", Severity: experiments.S3, Level: "B", Doc: "a full form that fails at its end"},
	{ID: "ST-11", Name: "no-feedback", Severity: experiments.S3, Level: "B", Doc: "nothing happens for seconds"},
	{ID: "ST-12", Name: "contradiction", Severity: experiments.S2, Level: "B", Doc: "\"Saved\" and an error together"},
	{ID: "ST-13", Name: "collateral", Severity: experiments.S2, Level: "B/H", Doc: "search is down, so nobody can log in"},
	{ID: "ST-14", Name: "fleeting", Severity: experiments.S3, Level: "B", Doc: "a critical error that is gone after 4 s"},
	{ID: "IN-01", Name: "input-lost", Severity: experiments.S2, Level: "B", Doc: "the form is empty after the error"},
	{ID: "IN-02", Name: "input-lost-later", Severity: experiments.S3, Level: "B", Doc: "gone after retry, Back or reload"},
	{ID: "IN-03", Name: "thrown-out", Severity: experiments.S2, Level: "B", Doc: "logged out because another service was down"},
	{ID: "IN-04", Name: "relogin-loss", Severity: experiments.S3, Level: "B", Doc: "the draft is gone after signing in again"},
	{ID: "IN-06", Name: "trapped", Severity: experiments.S3, Level: "B", Doc: "cannot cancel or leave"},
	{ID: "AX-01", Name: "unannounced", Severity: experiments.S2, Level: "B", Doc: "a screen reader says nothing"},
	{ID: "AX-02", Name: "born-with-text", Severity: experiments.S4, Level: "B", Doc: "region and text are inserted together"},
	{ID: "AX-03", Name: "stuck-busy", Severity: experiments.S3, Level: "B", Doc: "\"busy\" for ever, or never"},
	{ID: "AX-04", Name: "colour-only", Severity: experiments.S3, Level: "B", Doc: "only a red border"},
	{ID: "AX-05", Name: "lost-focus", Severity: experiments.S3, Level: "B", Doc: "back at the top of the page"},
	{ID: "AX-06", Name: "silent-end", Severity: experiments.S4, Level: "B", Doc: "never learns that it is over"},
	{ID: "RC-01", Name: "banner-stays", Severity: experiments.S2, Level: "B", Doc: "still \"unavailable\""},
	{ID: "RC-02", Name: "needs-refresh", Severity: experiments.S3, Level: "B", Doc: "only F5 helps"},
}

// families is the order in which rules are shown.
var families = []string{"LK", "CL", "HT", "TX", "ST", "IN", "AX", "RC", "SP", "MT"}
