package effects

import (
	"context"
	"errors"
	"fmt"

	"github.com/candor-chaos/candor/experiments/stores"
	"github.com/candor-chaos/candor/experiments/wire"
)

// walk goes through all entries of one place in Redis, in pieces, so that a server that others use is not held up.
type walk struct {
	*stores.Redis
	key  string
	take func(item map[string]any) error
}

var (
	errOdd  = errors.New("the server answered something else than was asked for")
	errMuch = fmt.Errorf("more than %d entries", maxRows)
)

// scan walks by a cursor; each piece is given once. The server may give an entry twice while it makes room for others.
func (w *walk) scan(ctx context.Context, command func(cursor string) []any, piece func(entries []string) error) error {
	cursor := "0"
	for steps := 0; ; steps++ {
		if steps > maxRows {
			return errMuch // a server whose cursor never ends
		}
		answer, err := w.Do(ctx, command(cursor)...)
		if err != nil {
			return err
		}
		pair, ok := answer.([]any)
		if !ok || len(pair) != 2 {
			return errOdd
		}
		next, isText := pair[0].(string)
		entries, err := list(pair[1])
		if err != nil || !isText {
			return errOdd
		}
		if err := piece(entries); err != nil {
			return err
		}
		if cursor = next; cursor == "0" {
			return nil
		}
	}
}

func (w *walk) keys(ctx context.Context) error {
	seen := map[string]bool{}
	return w.scan(ctx, func(cursor string) []any { return []any{"SCAN", cursor, "MATCH", w.key, "COUNT", redisBatch} },
		func(entries []string) error {
			fresh, err := unseen(entries, seen)
			if err != nil {
				return err
			}
			return w.held(ctx, fresh)
		})
}

// held reads what keys hold: texts, and the fields of hashes. Of other kinds a key alone is seen.
func (w *walk) held(ctx context.Context, keys []string) error {
	kinds, err := w.each(ctx, keys, func(_ int, key string) []any { return []any{"TYPE", key} })
	if err != nil {
		return err
	}
	values, err := w.each(ctx, keys, func(i int, key string) []any {
		switch kinds[i] {
		case "string":
			return []any{"GETRANGE", key, 0, 1<<16 - 1}
		case "hash":
			return []any{"HGETALL", key}
		}
		return []any{"EXISTS", key}
	})
	if err != nil {
		return err
	}
	for i, key := range keys {
		item := map[string]any{"key": wire.Printable([]byte(key)), "kind": kinds[i]}
		switch v := values[i].(type) {
		case string:
			item["value"] = wire.Printable([]byte(v))
		case []any:
			if item["value"], err = fields(v); err != nil {
				return err
			}
		}
		if kinds[i] == "none" {
			continue // it has gone since it was found
		}
		if err := w.take(item); err != nil {
			return err
		}
	}
	return nil
}

// each asks one question about every key, all at once.
func (w *walk) each(ctx context.Context, keys []string, question func(i int, key string) []any) ([]any, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	commands := make([][]any, len(keys))
	for i, key := range keys {
		commands[i] = question(i, key)
	}
	return w.All(ctx, commands)
}

func (w *walk) list(ctx context.Context) error {
	for from := 0; ; from += redisBatch {
		if from >= maxRows {
			return errMuch
		}
		answer, err := w.Do(ctx, "LRANGE", w.key, from, from+redisBatch-1)
		if err != nil {
			return err
		}
		entries, err := list(answer)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if err := w.take(map[string]any{"value": wire.Printable([]byte(entry))}); err != nil {
				return err
			}
		}
		if len(entries) == 0 {
			return nil
		}
	}
}

func (w *walk) set(ctx context.Context) error {
	seen := map[string]bool{}
	return w.scan(ctx, func(cursor string) []any { return []any{"SSCAN", w.key, cursor, "COUNT", redisBatch} },
		func(entries []string) error {
			fresh, err := unseen(entries, seen)
			for _, entry := range fresh {
				if err == nil {
					err = w.take(map[string]any{"value": wire.Printable([]byte(entry))})
				}
			}
			return err
		})
}

func (w *walk) sorted(ctx context.Context) error {
	seen := map[string]bool{}
	return w.scan(ctx, func(cursor string) []any { return []any{"ZSCAN", w.key, cursor, "COUNT", redisBatch} },
		func(entries []string) error {
			if len(entries)%2 != 0 {
				return errOdd
			}
			for i := 0; i < len(entries); i += 2 {
				if seen[entries[i]] {
					continue
				}
				seen[entries[i]] = true
				if err := w.take(map[string]any{"value": wire.Printable([]byte(entries[i])), "score": entries[i+1]}); err != nil {
					return err
				}
			}
			return nil
		})
}

func (w *walk) stream(ctx context.Context) error {
	from := "-"
	for range maxRows {
		answer, err := w.Do(ctx, "XRANGE", w.key, from, "+", "COUNT", redisBatch)
		if err != nil {
			return err
		}
		entries, ok := answer.([]any)
		if !ok {
			return errOdd
		}
		for _, entry := range entries {
			pair, ok := entry.([]any)
			if !ok || len(pair) != 2 {
				return errOdd
			}
			id, ok := pair[0].(string)
			content, isList := pair[1].([]any)
			if !ok || !isList {
				return errOdd
			}
			with, err := fields(content)
			if err != nil {
				return err
			}
			if err := w.take(map[string]any{"id": id, "fields": with}); err != nil {
				return err
			}
			from = "(" + id
		}
		if len(entries) == 0 {
			return nil
		}
	}
	return errMuch
}

// unseen are the entries that were not given before.
func unseen(entries []string, seen map[string]bool) ([]string, error) {
	var fresh []string
	for _, entry := range entries {
		if !seen[entry] {
			seen[entry] = true
			fresh = append(fresh, entry)
		}
	}
	if len(seen) > maxRows {
		return nil, errMuch
	}
	return fresh, nil
}

func list(answer any) ([]string, error) {
	entries, ok := answer.([]any)
	if !ok {
		return nil, errOdd
	}
	all := make([]string, len(entries))
	for i, entry := range entries {
		if all[i], ok = entry.(string); !ok {
			return nil, errOdd
		}
	}
	return all, nil
}

// fields are names and values as Redis lists them, in turn.
func fields(flat []any) (map[string]any, error) {
	names, err := list(flat)
	if err != nil || len(names)%2 != 0 {
		return nil, errOdd
	}
	all := make(map[string]any, len(names)/2)
	for i := 0; i < len(names); i += 2 {
		all[wire.Printable([]byte(names[i]))] = wire.Printable([]byte(names[i+1]))
	}
	return all, nil
}
