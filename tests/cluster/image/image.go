// Package image writes container images without a daemon: one static binary in, an OCI archive out.
package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"runtime"
)

// Image is an image FROM scratch with one file, /app, that runs as nobody in particular.
type Image struct {
	// Name with a tag, such as dev.local/web:1. Peers that resolve digests leave dev.local alone.
	Name string
	// Binary is the path of the static binary.
	Binary string
}

// Pods that must not run as root check the image for a number.
const user = "65532"

// Write writes the archive to a path.
func Write(path string, image Image) error {
	layer, diffID, err := image.layer()
	if err != nil {
		return err
	}
	blobs := blobs{}
	layerBlob := blobs.add("application/vnd.oci.image.layer.v1.tar+gzip", layer)
	config := blobs.addJSON("application/vnd.oci.image.config.v1+json", map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"User": user, "Entrypoint": []string{"/app"}, "WorkingDir": "/"},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{diffID}},
	})
	manifest := blobs.addJSON("application/vnd.oci.image.manifest.v1+json", map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		"config": config, "layers": []descriptor{layerBlob},
	})
	manifest.Annotations = map[string]string{
		"io.containerd.image.name":          image.Name,
		"org.opencontainers.image.ref.name": image.Name,
	}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": []descriptor{manifest}})
	if err != nil {
		return err
	}
	return blobs.write(path, index)
}

// layer is the compressed file system and the digest of the uncompressed one.
func (i Image) layer() (compressed []byte, diffID string, err error) {
	binary, err := os.ReadFile(i.Binary)
	if err != nil {
		return nil, "", err
	}
	sum := sha256.New()
	var out bytes.Buffer
	zip, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	files := tar.NewWriter(io.MultiWriter(zip, sum))
	if err := files.WriteHeader(&tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}); err != nil {
		return nil, "", err
	}
	if err := addFile(files, "app", 0o755, binary); err != nil {
		return nil, "", err
	}
	if err := files.Close(); err != nil {
		return nil, "", err
	}
	if err := zip.Close(); err != nil {
		return nil, "", err
	}
	return out.Bytes(), "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// blobs are the archive's contents by digest.
type blobs map[string][]byte

func (b blobs) add(mediaType string, text []byte) descriptor {
	sum := sha256.Sum256(text)
	name := hex.EncodeToString(sum[:])
	b[name] = text
	return descriptor{MediaType: mediaType, Digest: "sha256:" + name, Size: len(text)}
}

func (b blobs) addJSON(mediaType string, value any) descriptor {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // maps of strings always marshal
	}
	return b.add(mediaType, text)
}

func (b blobs) write(path string, index []byte) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	archive := tar.NewWriter(file)
	if err := addFile(archive, "oci-layout", 0o644, []byte(`{"imageLayoutVersion":"1.0.0"}`)); err != nil {
		return err
	}
	if err := addFile(archive, "index.json", 0o644, index); err != nil {
		return err
	}
	for name, text := range b {
		if err := addFile(archive, "blobs/sha256/"+name, 0o644, text); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return file.Close()
}

func addFile(archive *tar.Writer, name string, mode int64, text []byte) error {
	err := archive.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(text)), Typeflag: tar.TypeReg})
	if err != nil {
		return err
	}
	_, err = archive.Write(text)
	return err
}
