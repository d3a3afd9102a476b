package guardian

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// note writes for a person what the guardian did, beside the journal: nobody reads its streams any more. A disk that takes
// no line must not keep it from mending.
func (s *server) note(text string) {
	if s.hello.Journal == "" || text == s.noted {
		return
	}
	s.noted = text
	f, err := os.OpenFile(strings.TrimSuffix(s.hello.Journal, ".jsonl")+".guardian.log", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return
	}
	fmt.Fprintf(f, "%s guardian %d: %s\n", time.Now().UTC().Format(time.RFC3339Nano), os.Getpid(), text)
	_ = f.Close()
}

func (s *server) noteSettled(settled Settled, err error) {
	if err != nil {
		s.note(err.Error())
		return
	}
	for _, e := range settled.Entries {
		s.note(fmt.Sprintf("%s %s (%s) %s", e.Phase, e.ID, e.Summary, e.Note))
	}
	for _, c := range settled.Aftermath.Changed {
		s.note("left alone: " + c)
	}
	s.note("all is settled, and a look finds nothing left")
}
