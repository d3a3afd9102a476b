package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
)

// ErrDynamic: an image of nothing but the binary cannot load libraries.
var ErrDynamic = errors.New("is dynamically linked and cannot be an image by itself: build it with CGO_ENABLED=0")

// entrypoint is where the binary lies in its image.
const entrypoint = "/candor"

// keepImages is how long an image of another binary is left alone: somebody may be about to use it.
const keepImages = time.Hour

// Image makes the image of candor's own binary where the engine does not have it yet, and returns its name: the binary's
// hash. No registry is asked. Images of earlier binaries that no container uses are removed.
func (w *World) Image(ctx context.Context) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ownImage(ctx)
}

func (w *World) ownImage(ctx context.Context) (string, error) {
	if w.image != "" {
		return w.image, nil
	}
	binary, err := os.ReadFile(w.options.Binary)
	if err != nil {
		return "", fmt.Errorf("read candor's own binary: %w", err)
	}
	if err := static(binary); err != nil {
		return "", fmt.Errorf("%s %w", w.options.Binary, err)
	}
	sum := sha256.Sum256(binary)
	name := "candor:" + hex.EncodeToString(sum[:])[:16]
	_, err = w.docker.ImageInspect(ctx, name)
	if errdefs.IsNotFound(err) {
		err = w.importImage(ctx, name, binary)
	}
	if err != nil {
		return "", translate(err, "make image "+name)
	}
	w.image = name
	return name, w.forgetImages(ctx, name)
}

// static refuses a binary that asks for a dynamic linker.
func static(binary []byte) error {
	f, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return fmt.Errorf("is not a Linux binary: %w", err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return ErrDynamic
		}
	}
	return nil
}

func (w *World) importImage(ctx context.Context, name string, binary []byte) error {
	var archive bytes.Buffer
	out := tar.NewWriter(&archive)
	for _, h := range []tar.Header{
		{Name: "candor", Mode: 0o755, Size: int64(len(binary)), Typeflag: tar.TypeReg},
		{Name: "tmp/", Mode: 0o1777, Typeflag: tar.TypeDir},
	} {
		if err := out.WriteHeader(&h); err != nil {
			return fmt.Errorf("pack the binary: %w", err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := out.Write(binary); err != nil {
				return fmt.Errorf("pack the binary: %w", err)
			}
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("pack the binary: %w", err)
	}
	answer, err := w.docker.ImageImport(ctx, image.ImportSource{Source: &archive, SourceName: "-"}, name,
		image.ImportOptions{Changes: []string{`ENTRYPOINT ["` + entrypoint + `"]`, "LABEL " + labelImage + "=yes"}})
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(answer, 1<<20))
	return errors.Join(err, answer.Close())
}

// forgetImages removes the images of earlier binaries. One that a container uses stays.
func (w *World) forgetImages(ctx context.Context, but string) error {
	all, err := w.docker.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("label", labelImage+"=yes"))})
	if err != nil {
		return translate(err, "list images")
	}
	for _, i := range all {
		if len(i.RepoTags) == 1 && i.RepoTags[0] == but || time.Since(time.Unix(i.Created, 0)) < keepImages {
			continue
		}
		_, err := w.docker.ImageRemove(ctx, i.ID, image.RemoveOptions{})
		if err != nil && !errdefs.IsConflict(err) && !errdefs.IsNotFound(err) {
			return translate(err, "remove image "+short(i.ID))
		}
	}
	return nil
}
