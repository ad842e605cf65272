// Copyright (c) 2026, llmfleet contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const testVolume = "s3files:" + testFS + "::" + testAP

// fixed answers every handle with one volume or error: what the API says is not the subject here, mounts are real.
type fixed struct {
	volume volume
	err    error
}

func (f *fixed) find(context.Context, handle, string) (volume, error) { return f.volume, f.err }

// bench is a node with an empty bucket and a target path; the test is skipped where bind mounts are not possible.
func bench(t *testing.T) (*node, *fixed, string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("bind mounts need root")
	}
	root := t.TempDir()
	buckets := filepath.Join(root, "buckets")
	if err := os.MkdirAll(filepath.Join(buckets, "weights"), 0o755); err != nil {
		t.Fatal(err)
	}
	source := &fixed{volume: volume{bucket: "weights", root: "models", directory: ".", creation: &creation{1001, 1002, 0o775}}}
	made := &node{id: "lab-node", kubeletRoot: filepath.Join(root, "kubelet"), bucketsRoot: buckets, volumes: source}
	target := filepath.Join(made.kubeletRoot, "pods", "a b", "mount") // a space is escaped in the mount table
	t.Cleanup(func() {
		for unix.Unmount(target, unix.MNT_DETACH) == nil {
		}
	})
	if err := os.MkdirAll(made.kubeletRoot, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := bindProbe(root); errors.Is(err, syscall.EPERM) {
		t.Skip("this root may not mount")
	}
	return made, source, target
}

func bindProbe(folder string) error {
	if err := unix.Mount(folder, folder, "", unix.MS_BIND, ""); err != nil {
		return err
	}
	return unix.Unmount(folder, unix.MNT_DETACH)
}

func publishRequest(target string, readOnly bool) *csi.NodePublishVolumeRequest {
	return &csi.NodePublishVolumeRequest{
		VolumeId: testVolume, TargetPath: target, Readonly: readOnly,
		VolumeCapability: &csi.VolumeCapability{
			AccessType: &csi.VolumeCapability_Mount{Mount: &csi.VolumeCapability_MountVolume{}},
			AccessMode: &csi.VolumeCapability_AccessMode{Mode: csi.VolumeCapability_AccessMode_MULTI_NODE_MULTI_WRITER},
		},
	}
}

func mounts(t *testing.T, target string) int {
	t.Helper()
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(table), " "+strings.ReplaceAll(target, " ", `\040`)+" ")
}

func TestPublishTwiceUnpublishTwice(t *testing.T) {
	made, _, target := bench(t)
	ctx := context.Background()
	for range 2 {
		if _, err := made.NodePublishVolume(ctx, publishRequest(target, false)); err != nil {
			t.Fatal(err)
		}
	}
	if count := mounts(t, target); count != 1 {
		t.Fatalf("%d mounts after two calls, want 1", count)
	}
	if err := os.WriteFile(filepath.Join(target, "file"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(made.bucketsRoot, "weights/models")
	if _, err := os.Stat(filepath.Join(root, "file")); err != nil {
		t.Error("what is written to the volume is not in the bucket")
	}
	information, err := os.Stat(root)
	if err != nil {
		t.Fatal(err)
	}
	owner := information.Sys().(*syscall.Stat_t)
	if owner.Uid != 1001 || owner.Gid != 1002 || information.Mode().Perm() != 0o775 {
		t.Errorf("root directory is %d:%d %v, want 1001:1002 0775", owner.Uid, owner.Gid, information.Mode())
	}
	for range 2 {
		if _, err := made.NodeUnpublishVolume(ctx, &csi.NodeUnpublishVolumeRequest{VolumeId: testVolume, TargetPath: target}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(target); !os.IsNotExist(err) || mounts(t, target) != 0 {
		t.Errorf("target after unpublish: %v, %d mounts", err, mounts(t, target))
	}
	if _, err := os.Stat(filepath.Join(root, "file")); err != nil {
		t.Error("unpublish removed data")
	}
}

func TestPublishReadOnly(t *testing.T) {
	made, _, target := bench(t)
	for range 2 {
		if _, err := made.NodePublishVolume(context.Background(), publishRequest(target, true)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(target, "file"), nil, 0o644); !errors.Is(err, syscall.EROFS) {
		t.Errorf("write: %v, want a read-only file system", err)
	}
	if _, err := made.NodePublishVolume(context.Background(), publishRequest(target, false)); status.Code(err) != codes.AlreadyExists {
		t.Errorf("publish with another mode: %v, want AlreadyExists", err)
	}
}

func TestExistingRootKeepsItsOwner(t *testing.T) {
	made, _, target := bench(t)
	root := filepath.Join(made.bucketsRoot, "weights/models")
	if err := os.Mkdir(root, 0o750); err != nil {
		t.Fatal(err)
	}
	if _, err := made.NodePublishVolume(context.Background(), publishRequest(target, false)); err != nil {
		t.Fatal(err)
	}
	information, err := os.Stat(root)
	if err != nil || information.Mode().Perm() != 0o750 || information.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("%v %v", information.Mode(), err)
	}
}

func TestPublishFailsAndLeavesNothing(t *testing.T) {
	for name, one := range map[string]struct {
		change func(*testing.T, *node, *fixed)
		want   string
	}{
		"the API says no":   {func(_ *testing.T, _ *node, f *fixed) { f.err = errors.New("file system gone") }, "file system gone"},
		"no bucket":         {func(_ *testing.T, _ *node, f *fixed) { f.volume.bucket = "other" }, "bucket other does not exist"},
		"no root directory": {func(_ *testing.T, _ *node, f *fixed) { f.volume.creation = nil }, "directory /models does not exist"},
		"no sub-directory":  {func(_ *testing.T, _ *node, f *fixed) { f.volume.directory = "sub" }, "directory /models/sub does not exist"},
		"a file": {func(t *testing.T, n *node, f *fixed) {
			if err := os.WriteFile(filepath.Join(n.bucketsRoot, "weights/models"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}, "is not a directory"},
		"a link out of the bucket": {func(t *testing.T, n *node, f *fixed) {
			if err := os.Symlink("/etc", filepath.Join(n.bucketsRoot, "weights/models")); err != nil {
				t.Fatal(err)
			}
		}, "escapes"},
	} {
		t.Run(name, func(t *testing.T) {
			made, source, target := bench(t)
			one.change(t, made, source)
			_, err := made.NodePublishVolume(context.Background(), publishRequest(target, false))
			if status.Code(err) != codes.Internal || !strings.Contains(status.Convert(err).Message(), one.want) {
				t.Errorf("error %v, want Internal with %q", err, one.want)
			}
			if _, err := os.Stat(target); !os.IsNotExist(err) {
				t.Errorf("a target was left: %v", err)
			}
		})
	}
}

func TestPublishRefusesBadRequests(t *testing.T) {
	made := &node{kubeletRoot: "/k", volumes: &fixed{err: errors.New("must not be asked")}}
	for name, change := range map[string]func(*csi.NodePublishVolumeRequest){
		"no target":        func(r *csi.NodePublishVolumeRequest) { r.TargetPath = "" },
		"target elsewhere": func(r *csi.NodePublishVolumeRequest) { r.TargetPath = "/k/../etc" },
		"no capability":    func(r *csi.NodePublishVolumeRequest) { r.VolumeCapability = nil },
		"block volume":     func(r *csi.NodePublishVolumeRequest) { r.VolumeCapability.AccessType = &csi.VolumeCapability_Block{} },
		"ReadOnlyMany": func(r *csi.NodePublishVolumeRequest) {
			r.VolumeCapability.AccessMode.Mode = csi.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY
		},
		"file system type": func(r *csi.NodePublishVolumeRequest) { r.VolumeCapability.GetMount().FsType = "ext4" },
		"unencrypted": func(r *csi.NodePublishVolumeRequest) {
			r.VolumeContext = map[string]string{"encryptInTransit": "false"}
		},
		"unknown attribute": func(r *csi.NodePublishVolumeRequest) { r.VolumeContext = map[string]string{"speed": "high"} },
		"stunnel":           func(r *csi.NodePublishVolumeRequest) { r.VolumeCapability.GetMount().MountFlags = []string{"stunnel"} },
		"other access point": func(r *csi.NodePublishVolumeRequest) {
			r.VolumeCapability.GetMount().MountFlags = []string{"accesspoint=fsap-11111111"}
		},
		"handle": func(r *csi.NodePublishVolumeRequest) { r.VolumeId = "s3files:nothing" },
	} {
		request := publishRequest("/k/pods/x/mount", false)
		change(request)
		if _, err := made.NodePublishVolume(context.Background(), request); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v, want InvalidArgument", name, err)
		}
	}
}
