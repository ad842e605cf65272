// Copyright (c) 2026, llmfleet contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestParseHandle(t *testing.T) {
	const fs, ap = "fs-0123456789abcdef0", "fsap-0123456789abcdef0"
	for text, want := range map[string]handle{
		"s3files:" + fs:                  {fs, ".", ""},
		"s3files:" + fs + "::":           {fs, ".", ""},
		"s3files:" + fs + "::" + ap:      {fs, ".", ap},
		"s3files:" + fs + ":/models":     {fs, "models", ""},
		"s3files:" + fs + ":models/":     {fs, "models", ""},
		"s3files:" + fs + ":/a/../../b:": {fs, "b", ""},
		"s3files:" + fs + ":/a/b:" + ap:  {fs, "a/b", ap},
		"s3files:" + fs + ":../..:" + ap: {fs, ".", ap},
	} {
		if got, err := parseHandle(text); err != nil || got != want {
			t.Errorf("parseHandle(%q) = %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestParseHandleRefuses(t *testing.T) {
	for _, text := range []string{
		"", "s3files", "s3files:", "fs-0123456789abcdef0", "efs:fs-0123456789abcdef0", "s3files:fs-0123456",
		"s3files:fs-0123456789ABCDEF0", "s3files:fs-0123456789abcdef0::fsap-1",
		"s3files:fs-0123456789abcdef0:/a:fsap-0123456789abcdef0:more", "s3files:../../etc",
	} {
		if got, err := parseHandle(text); status.Code(err) != codes.InvalidArgument {
			t.Errorf("parseHandle(%q) = %+v, %v; want InvalidArgument", text, got, err)
		}
	}
}
