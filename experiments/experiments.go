// Package experiments holds what candor believes, runs and judges: the words of its definitions, the contracts between
// its stages, and Load and Compile, which turn files into a Plan.
//
//	YAML ─▶ Load ─▶ Compile ─▶ Run ─▶ History ─▶ Judge ─▶ Result ─▶ reports
//	        places  no side     │ ▲
//	                effects     ▼ └ journeys, probes and load only append
//	                         Journal
//
// Load knows files and not the world. Compile binds names, kinds, clauses and expressions, still without I/O, so that
// every mistake has a place in a file. Run (package engine) is the only stage with side effects. Judge (package honesty)
// is a pure function of a History and a Plan. The kinds of fault, probe, reader, surface and rule are listed by the
// packages that implement them and reach this one as a Catalog.
package experiments
