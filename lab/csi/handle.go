// Copyright (c) 2026, llmfleet contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"path"
	"regexp"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Identifiers as the EFS CSI driver accepts them in volume handles.
var (
	fileSystemID  = regexp.MustCompile(`^fs-[0-9a-f]{8,40}$`)
	accessPointID = regexp.MustCompile(`^fsap-[0-9a-f]{8,40}$`)
)

// handle is a parsed volume handle, `s3files:<file system>[:<path>[:<access point>]]`.
type handle struct {
	fileSystem  string
	path        string // relative to the root of the file system or of the access point; "." is that root
	accessPoint string // may be empty
}

// parseHandle reads a volume handle of an S3 Files volume. The error is an InvalidArgument of gRPC.
func parseHandle(text string) (handle, error) {
	invalid := func(reason string) (handle, error) {
		return handle{}, status.Errorf(codes.InvalidArgument, "volume ID %q is invalid: %s", text, reason)
	}
	fields := strings.Split(text, ":")
	if fields[0] != "s3files" {
		return invalid("expected s3files:<file system>[:<path>[:<access point>]] (the lab has no EFS file systems)")
	}
	if len(fields) < 2 || len(fields) > 4 {
		return invalid("expected two to four fields separated by ':'")
	}
	parsed := handle{fileSystem: fields[1], path: "."}
	if !fileSystemID.MatchString(parsed.fileSystem) {
		return invalid("expected a file system ID of the form fs-[0-9a-f]{8,40}")
	}
	if len(fields) > 2 {
		parsed.path = relative(fields[2])
	}
	if len(fields) > 3 && fields[3] != "" {
		parsed.accessPoint = fields[3]
		if !accessPointID.MatchString(parsed.accessPoint) {
			return invalid("expected an access point ID of the form fsap-[0-9a-f]{8,40}")
		}
	}
	return parsed, nil
}

// relative turns a path of a file system into one below its root: no leading slash, and '..' cannot leave the root.
func relative(name string) string {
	return path.Join(".", path.Join("/", name)[1:])
}
