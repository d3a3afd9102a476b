package experiments

import "cel.dev/cel-go/common/types/ref"

func plain(v ref.Val) (any, error) { return v.Value(), nil }
