package guardian

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/candor-chaos/candor/faults/journal"
)

// note writes for a person what the guardian did, beside the journal: nobody reads its streams any more. A disk that takes
// no line must not keep it from mending.
func (s *server) note(text string) {
	if s.hello.Journal == "" || text == s.noted {
		return
	}
	s.noted = text
	f, err := os.OpenFile(journal.NotesPath(s.hello.Journal), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return
	}
	if folder, err := os.Stat(filepath.Dir(s.hello.Journal)); err == nil { // a guardian in a container is another user
		if owner, known := folder.Sys().(*syscall.Stat_t); known {
			_ = f.Chown(int(owner.Uid), int(owner.Gid))
		}
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
