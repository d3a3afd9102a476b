package faults

// All lists the kinds of fault that an experiment may use, in the order in which they are shown.
func All() []Kind {
	return []Kind{
		Outage,
		Latency,
		Slow,
		Trickle,
		Cut,
		Linger,
		Flap,
		Errors,
		DNS,
		Kill,
		Stop,
		Restart,
		Pause,
		Disconnect,
		CPU,
		Memory,
		Spike,
	}
}

// Obligations lists every kind that a journal may hold: All, and those that candor itself owes while it works.
func Obligations() []Kind {
	return append(All(), Interpose, Several)
}

// Lookup finds a kind by its name.
func Lookup(kinds []Kind, name string) (Kind, bool) {
	for _, k := range kinds {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}
