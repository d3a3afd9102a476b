package experiments

import (
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// pageSays reports whether a page shows a text, whatever its case, quotes and spaces.
func pageSays(page, text ref.Val) ref.Val {
	shown, is := page.(traits.Mapper)
	if !is {
		return types.MaybeNoSuchOverloadErr(page)
	}
	all, _ := shown.Get(types.String("text")).Value().(string)
	wanted, _ := text.Value().(string)
	return types.Bool(plainly(wanted) != "" && strings.Contains(plainly(all), plainly(wanted)))
}

// plainly is a text as it is compared.
func plainly(text string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("’", "'", "‘", "'", "“", `"`, "”", `"`).Replace(strings.ToLower(text))), " ")
}
