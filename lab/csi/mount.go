// Copyright (c) 2026, llmfleet contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// openVolume opens the folder to mount below the buckets' folder, creating the access point's root directory when
// that is due. Links in a bucket cannot lead out of it: every step is resolved below the bucket's folder.
func openVolume(bucketsRoot string, wanted volume) (*os.File, error) {
	bucket, err := os.OpenRoot(path.Join(bucketsRoot, wanted.bucket))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("bucket %s does not exist", wanted.bucket)
	}
	if err != nil {
		return nil, err
	}
	defer bucket.Close()
	if wanted.creation != nil {
		if err := createRoot(bucket, wanted.root, *wanted.creation); err != nil {
			return nil, err
		}
	}
	name := path.Join(wanted.root, wanted.directory)
	folder, err := bucket.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("directory /%s does not exist in bucket %s", name, wanted.bucket)
	}
	if err != nil {
		return nil, err
	}
	information, err := folder.Stat()
	if err == nil && !information.IsDir() {
		err = fmt.Errorf("/%s in bucket %s is not a directory", name, wanted.bucket)
	}
	if err != nil {
		folder.Close()
		return nil, err
	}
	return folder, nil
}

// createRoot creates what is missing of a directory; what exists keeps its owner and mode, as the service does.
func createRoot(bucket *os.Root, directory string, permissions creation) error {
	made := "."
	for _, name := range strings.Split(directory, "/") {
		made = path.Join(made, name)
		if made == "." {
			continue
		}
		err := bucket.Mkdir(made, 0o700)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil {
			err = bucket.Chown(made, permissions.uid, permissions.gid)
		}
		if err == nil {
			err = bucket.Chmod(made, permissions.mode) // after the owner: chown clears set-id bits
		}
		if err != nil {
			return fmt.Errorf("cannot create the root directory /%s: %w", made, err)
		}
	}
	return nil
}

// bind mounts an open folder on the target, which is created. Nothing is left of a mount that fails half-way.
func bind(folder *os.File, target string, readOnly bool) error {
	if err := os.MkdirAll(target, 0o750); err != nil {
		return err
	}
	// Through the descriptor: the folder that was checked is the one that is mounted.
	source := fmt.Sprintf("/proc/self/fd/%d", folder.Fd())
	if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		os.Remove(target)
		return fmt.Errorf("bind mount: %w", err)
	}
	if !readOnly {
		return nil
	}
	// The first mount call ignores the flag.
	if err := unix.Mount("", target, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		unix.Unmount(target, unix.MNT_DETACH)
		os.Remove(target)
		return fmt.Errorf("read-only remount: %w", err)
	}
	return nil
}

// mountState says whether something is mounted on target, and whether the topmost mount is read-only.
func mountState(target string) (mounted, readOnly bool, err error) {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false, false, err
	}
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for _, line := range strings.Split(string(table), "\n") {
		fields := strings.Fields(line)
		if len(fields) > 5 && unescape.Replace(fields[4]) == target {
			options := strings.Split(fields[5], ",")
			mounted, readOnly = true, options[0] == "ro"
		}
	}
	return mounted, readOnly, nil
}

// shows says whether target is the very directory that folder is.
func shows(target string, folder *os.File) (bool, error) {
	there, err := os.Stat(target)
	if err != nil {
		return false, err
	}
	wanted, err := folder.Stat()
	return err == nil && os.SameFile(there, wanted), err
}

// release unmounts everything from target and removes it; a target that is gone is released.
func release(target string) error {
	for {
		mounted, _, err := mountState(target)
		if err != nil {
			return err
		}
		if !mounted {
			break
		}
		if err := unix.Unmount(target, unix.UMOUNT_NOFOLLOW); err != nil {
			return fmt.Errorf("unmount: %w", err)
		}
	}
	if err := os.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
