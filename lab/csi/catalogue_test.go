// Copyright (c) 2026, llmfleet contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	testFS = "fs-0123456789abcdef0"
	testAP = "fsap-0123456789abcdef0"
)

// answers serves canned answers of the API by path; what is not there is a ResourceNotFoundException.
func answers(t *testing.T, byPath map[string]string) *catalogue {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential=AKIATEST/") ||
			!strings.Contains(r.Header.Get("Authorization"), "/eu-west-3/s3files/aws4_request") {
			t.Errorf("%s is not signed for s3files: %q", r.URL, r.Header.Get("Authorization"))
		}
		w.Header().Set("Content-Type", "application/json")
		body, known := byPath[r.URL.Path]
		if !known {
			w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
			w.WriteHeader(http.StatusNotFound)
			body = `{"errorCode":"NotFound","message":"none"}`
		}
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	made, err := newCatalogue(server.URL, "eu-west-3", credentialsFile(t, 0o600), "llmfleet-lab")
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func credentialsFile(t *testing.T, mode os.FileMode) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "credentials")
	content := "[llmfleet-lab]\naws_access_key_id = AKIATEST\naws_secret_access_key = not-a-real-key\n"
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	return file
}

func whole() map[string]string {
	return map[string]string{
		"/file-systems/" + testFS:  `{"status":"available","bucket":"arn:aws:s3:::weights","prefix":"team/"}`,
		"/mount-targets":           `{"mountTargets":[{"mountTargetId":"fsmt-1","status":"available","availabilityZoneId":"euw3-az1"}]}`,
		"/access-points/" + testAP: `{"status":"available","fileSystemId":"` + testFS + `","rootDirectory":{"path":"/models","creationPermissions":{"ownerUid":1001,"ownerGid":1002,"permissions":"2775"}}}`,
	}
}

func TestFind(t *testing.T) {
	got, err := answers(t, whole()).find(context.Background(), handle{testFS, "sub", testAP}, "euw3-az1")
	if err != nil {
		t.Fatal(err)
	}
	if got.bucket != "weights" || got.root != "team/models" || got.directory != "sub" {
		t.Errorf("found %+v", got)
	}
	if want := (creation{1001, 1002, os.ModeSetgid | 0o775}); got.creation == nil || *got.creation != want {
		t.Errorf("creation %+v, want %+v", got.creation, want)
	}
}

func TestFindFails(t *testing.T) {
	for name, one := range map[string]struct {
		path, answer, zone, want string
	}{
		"no file system":       {"/file-systems/" + testFS, "", "", "file system " + testFS + " does not exist"},
		"file system going":    {"/file-systems/" + testFS, `{"status":"deleting","bucket":"arn:aws:s3:::weights"}`, "", "is deleting"},
		"strange bucket":       {"/file-systems/" + testFS, `{"status":"available","bucket":"arn:aws:s3:::.."}`, "", "expected a bucket's ARN"},
		"no mount target":      {"/mount-targets", `{"mountTargets":[]}`, "", "has no mount target"},
		"mount target not yet": {"/mount-targets", `{"mountTargets":[{"mountTargetId":"fsmt-1","status":"creating","availabilityZoneId":"z"}]}`, "", "fsmt-1 in z is creating"},
		"other zone":           {"", "", "euw3-az2", "no mount target in availability zone euw3-az2"},
		"no access point":      {"/access-points/" + testAP, "", "", "access point " + testAP + " does not exist"},
		"access point going":   {"/access-points/" + testAP, `{"status":"deleting","fileSystemId":"` + testFS + `"}`, "", "is deleting"},
		"foreign access point": {"/access-points/" + testAP, `{"status":"available","fileSystemId":"fs-11111111"}`, "", "belongs to file system fs-11111111"},
	} {
		t.Run(name, func(t *testing.T) {
			known := whole()
			if one.path != "" {
				delete(known, one.path)
				if one.answer != "" {
					known[one.path] = one.answer
				}
			}
			_, err := answers(t, known).find(context.Background(), handle{testFS, ".", testAP}, one.zone)
			if err == nil || !strings.Contains(err.Error(), one.want) {
				t.Errorf("error %v, want %q", err, one.want)
			}
		})
	}
}

func TestCredentialsFileHasToBePrivate(t *testing.T) {
	_, err := newCatalogue("http://127.0.0.1:1", "eu-west-3", credentialsFile(t, 0o644), "llmfleet-lab")
	if err == nil || !strings.Contains(err.Error(), "expected 0600") {
		t.Errorf("error %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "not-a-real-key") {
		t.Error("the key is in the error")
	}
}

func TestUnreachableEndpointIsBounded(t *testing.T) {
	made, err := newCatalogue("http://127.0.0.1:1", "eu-west-3", credentialsFile(t, 0o600), "llmfleet-lab")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, err = made.find(context.Background(), handle{testFS, ".", ""}, "")
	if err == nil || !strings.Contains(err.Error(), "cannot ask for file system") || time.Since(start) > awsTimeout+5*time.Second {
		t.Errorf("error %v after %v", err, time.Since(start))
	}
}
