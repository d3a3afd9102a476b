package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
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
	ctx, leave, err := w.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	return w.ownImage(ctx)
}

func (w *World) ownImage(ctx context.Context) (string, error) {
	if w.image != "" {
		return w.image, nil
	}
	arch, name, err := identify(w.options.Binary)
	if err != nil {
		return "", err
	}
	_, err = w.docker.ImageInspect(ctx, name)
	if err == nil {
		err = w.docker.ImageTag(ctx, name, name) // used now: the housekeeping of others goes by the age of the tag
	}
	if errdefs.IsNotFound(err) {
		var binary []byte
		if binary, err = os.ReadFile(w.options.Binary); err == nil {
			err = w.load(ctx, name, arch, binary)
		}
	}
	if err != nil {
		return "", translate(err, "make image "+name)
	}
	w.image = name
	// Housekeeping never costs a run: another candor may be at the same images, and the next one does it again.
	if err := w.forgetImages(ctx, name); err != nil {
		w.options.Log.Debug().Err(err).Msg("images of earlier binaries stay")
	}
	return name, nil
}

// identify reads a binary once, without keeping it: most runs find its image already there.
func identify(path string) (arch, name string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", "", fmt.Errorf("read candor's own binary: %w", err)
	}
	defer f.Close()
	if arch, err = static(f); err != nil {
		return "", "", fmt.Errorf("%s %w", path, err)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", "", fmt.Errorf("read candor's own binary: %w", err)
	}
	return arch, "candor:" + hex.EncodeToString(hash.Sum(nil))[:16], nil
}

// static tells for which processor a binary is, as images name it, and refuses one that asks for a dynamic linker.
func static(binary io.ReaderAt) (arch string, err error) {
	f, err := elf.NewFile(binary)
	if err != nil {
		return "", fmt.Errorf("is not a Linux binary: %w", err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return "", ErrDynamic
		}
	}
	switch f.Machine {
	case elf.EM_X86_64:
		return "amd64", nil
	case elf.EM_AARCH64:
		return "arm64", nil
	}
	return "", fmt.Errorf("is for a processor that candor is not built for: %s", f.Machine)
}

// load hands the image to the engine. Nothing in it depends on the hour, so that the same binary is the same image, also
// when two processes load it at once.
func (w *World) load(ctx context.Context, name, arch string, binary []byte) error {
	layer, err := pack(file{"candor", 0o755, binary}, file{"tmp/", 0o1777, nil})
	if err != nil {
		return err
	}
	config, err := json.Marshal(map[string]any{"architecture": arch, "os": "linux", "created": time.Unix(0, 0).UTC(),
		"config":  map[string]any{"Entrypoint": []string{entrypoint}, "Labels": map[string]string{labelImage: "yes"}},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{digest(layer)}},
		"history": []any{map[string]any{"created": time.Unix(0, 0).UTC(), "created_by": "candor"}}})
	if err != nil {
		return fmt.Errorf("describe the image: %w", err)
	}
	manifest, err := json.Marshal([]any{map[string]any{"Config": "config.json", "RepoTags": []string{name}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return fmt.Errorf("describe the image: %w", err)
	}
	image, err := pack(file{"config.json", 0o644, config}, file{"layer.tar", 0o644, layer}, file{"manifest.json", 0o644, manifest})
	if err != nil {
		return err
	}
	answer, err := w.docker.ImageLoad(ctx, bytes.NewReader(image), client.ImageLoadWithQuiet(true))
	if err != nil {
		return err
	}
	return errors.Join(loaded(answer.Body), answer.Body.Close())
}

// loaded reads what the engine says while it loads: it tells of a failure under way only there.
func loaded(said io.Reader) error {
	lines := json.NewDecoder(io.LimitReader(said, 1<<20))
	for {
		var line struct {
			Error string `json:"error"`
		}
		err := lines.Decode(&line)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && line.Error != "" {
			err = errors.New(line.Error)
		}
		if err != nil {
			return fmt.Errorf("load the image: %w", err)
		}
	}
}

func digest(p []byte) string {
	sum := sha256.Sum256(p)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// file is one entry of an archive; a folder when its name ends in a slash.
type file struct {
	name    string
	mode    int64
	content []byte
}

func pack(files ...file) ([]byte, error) {
	size := 0
	for _, f := range files {
		size += len(f.content) + 2<<10 // head and padding
	}
	archive := bytes.NewBuffer(make([]byte, 0, size))
	out := tar.NewWriter(archive)
	for _, f := range files {
		h := tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.content)), ModTime: time.Unix(0, 0), Typeflag: tar.TypeReg}
		if strings.HasSuffix(f.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := out.WriteHeader(&h); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.name, err)
		}
		if _, err := out.Write(f.content); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.name, err)
		}
	}
	if err := out.Close(); err != nil {
		return nil, fmt.Errorf("pack an image: %w", err)
	}
	return archive.Bytes(), nil
}

// forgetImages removes the images of earlier binaries. One that a container uses stays, and so does one that has been
// loaded within keepImages.
func (w *World) forgetImages(ctx context.Context, but string) error {
	all, err := w.docker.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("label", labelImage+"=yes"))})
	if err != nil {
		return translate(err, "list images")
	}
	for _, i := range all {
		if slices.Contains(i.RepoTags, but) {
			continue
		}
		now, err := w.docker.ImageInspect(ctx, i.ID)
		if err == nil && time.Since(now.Metadata.LastTagTime) < keepImages {
			continue
		}
		if err == nil {
			_, err = w.docker.ImageRemove(ctx, i.ID, image.RemoveOptions{})
		}
		if err != nil && !errdefs.IsConflict(err) && !errdefs.IsNotFound(err) {
			return translate(err, "remove image "+strings.TrimPrefix(i.ID, "sha256:")[:12])
		}
	}
	return nil
}
