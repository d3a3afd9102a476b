package experiments

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
)

// htmlMacro makes html(selector[, attribute]) look into the body that is in sight. A selector that is written out is
// checked when the expression is compiled.
func htmlMacro(args int) cel.EnvOption {
	return cel.Macros(cel.GlobalMacro("html", args, func(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
		if selector, is := literal(args[0]); is {
			if _, err := cascadia.Parse(selector); err != nil {
				return nil, f.NewError(args[0].ID(), noSelector(selector))
			}
		}
		if len(args) == 1 {
			args = append(args, f.NewLiteral(types.String("")))
		}
		return f.NewCall("html_of", append([]ast.Expr{f.NewIdent("body")}, args...)...), nil
	}))
}

func noSelector(text string) string { return `"` + text + `" is no CSS selector` }

// htmlOf finds the first element that a CSS selector matches and gives its attribute, or its text where none is named.
func htmlOf(args ...ref.Val) ref.Val {
	var texts [3]string
	for i, a := range args {
		texts[i], _ = a.Value().(string)
	}
	selector, err := cascadia.Parse(texts[1])
	if err != nil {
		return types.NewErr("html: %s", noSelector(texts[1]))
	}
	root, err := html.Parse(strings.NewReader(texts[0]))
	if err != nil {
		return types.NewErr("html: %v", err)
	}
	found := cascadia.Query(root, selector)
	if found == nil {
		return types.NewErr("html: nothing matches %q", texts[1])
	}
	if texts[2] == "" {
		return types.String(strings.Join(strings.Fields(textOf(found)), " "))
	}
	for _, a := range found.Attr {
		if a.Key == texts[2] {
			return types.String(a.Val)
		}
	}
	return types.NewErr("html: %q has no attribute %q", texts[1], texts[2])
}

// textOf is the text of an element and all below it; how deep a page may nest is bounded by the parser.
func textOf(root *html.Node) string {
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
			b.WriteByte(' ')
		}
	}
	return b.String()
}
