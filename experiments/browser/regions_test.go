package browser

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-chaos/candor/experiments"
)

func TestRegionsAreLookedAt(t *testing.T) {
	r := newRig(t, map[string]string{"/": `<section id=o><h2>Orders</h2><ul><li data-no=7>One<li>Two</ul><p class=old hidden>As of yesterday</p></section>
<section id=p aria-busy=true><div class="my skeleton" style="height:20px"></div></section>
<button onclick="document.querySelector('#o ul').remove(); document.querySelector('.old').hidden = false; p.remove()">Break</button>`})
	s, err := r.stage.Open(experiments.SurfaceConfig{Base: r.site.URL, Journey: "buy", Regions: []experiments.Region{
		{Name: "orders", Selector: "#o", Rows: "li", Version: "[data-no]", Mark: ".old"}, {Name: "prices", Selector: "#p"}, {Name: "none", Selector: "#nowhere"}, {Name: "odd", Selector: "))"}}})
	if err != nil {
		t.Fatal(err)
	}
	u := s.(*user)
	r.do(u, "open", &Action{Open: lit("/")})
	seen := func() map[string]experiments.RegionSeen {
		v := experiments.NewView()
		for _, rec := range r.notes.all() {
			if rec.Page != nil {
				v.Add(rec.At, rec.Page)
			}
		}
		for name, s := range v.Regions {
			s.Box = experiments.Box{}
			v.Regions[name] = s
		}
		return v.Regions
	}
	want := map[string]experiments.RegionSeen{"orders": {Name: "orders", Rows: 2, Version: "7", Text: "Orders One Two"},
		"prices": {Name: "prices", Busy: true, Waiting: true}, "none": {Name: "none", Absent: true}, "odd": {Name: "odd", Absent: true}}
	eventually(t, "the regions are in the history", func() bool { return cmp.Equal(want, seen()) })
	r.do(u, "break", &Action{Click: &experiments.Locator{Text: lit("Break")}})
	want["orders"] = experiments.RegionSeen{Name: "orders", Marked: true, Text: "Orders As of yesterday"}
	want["prices"] = experiments.RegionSeen{Name: "prices", Absent: true}
	eventually(t, "the regions have changed", func() bool { return cmp.Equal(want, seen()) })
}
