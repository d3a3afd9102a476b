package probes

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/experiments"
)

func TestSQLOfAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shop.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("create table outbox (id integer, word text, sent real); insert into outbox values (1, 'a', null), (2, 'b', 1.5)"); err != nil {
		t.Fatal(err)
	}
	seen, err := look(t, &SQL{URL: text("sqlite:" + file), Query: "select * from outbox where id >= ? order by id", Args: []experiments.Template{text("1")}})
	want := []any{map[string]any{"id": int64(1), "word": "a", "sent": nil}, map[string]any{"id": int64(2), "word": "b", "sent": 1.5}}
	if diff := cmp.Diff(want, seen.Vars["rows"]); diff != "" || err != nil || !seen.OK || !strings.HasPrefix(seen.Summary, "2 rows, the first id=1, word=a") {
		t.Errorf("saw %+v, %v (-want +got):\n%s", seen, err, diff)
	}
	if seen, err := look(t, &SQL{URL: text("sqlite:" + file), Query: "select * from outbox where id = 9"}); err != nil || seen.OK {
		t.Errorf("no row is %+v, %v; want a bad sight", seen, err)
	}
	for _, query := range []string{"delete from outbox", "select nonsense"} {
		if seen, err := look(t, &SQL{URL: text("sqlite:" + file), Query: query}); err == nil {
			t.Errorf("%s is %+v; want an error", query, seen)
		}
	}
	if seen, err := look(t, &SQL{URL: text("sqlite:" + file + ".not"), Query: "select 1"}); err == nil {
		t.Errorf("a file that is not there is %+v", seen)
	}
}
