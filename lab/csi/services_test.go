// Copyright (c) 2026, llmfleet contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

func dial(t *testing.T, socket string) *grpc.ClientConn {
	t.Helper()
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection
}

// TestServe goes the kubelet's way: registration socket, endpoint named there, node information; then SIGTERM.
func TestServe(t *testing.T) {
	root, err := os.MkdirTemp("", "csi") // t.TempDir's name is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(root)
	socket := filepath.Join(root, "plugins_registry", "efs.csi.aws.com-reg.sock")
	if err := os.MkdirAll(filepath.Dir(socket), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(socket, nil, 0o600); err != nil { // left by a process that was killed
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- run(options{
			kubeletRoot: root + "/", nodeID: "lab-node", bucketsRoot: root, endpoint: "http://127.0.0.1:1",
			region: "eu-west-3", credentials: credentialsFile(t, 0o600), profile: "llmfleet-lab",
		})
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	// A connection refused by the left-over file is tried again until the plugin has replaced it.
	plugin, err := registration.NewRegistrationClient(dial(t, socket)).GetInfo(ctx, &registration.InfoRequest{}, grpc.WaitForReady(true))
	if err != nil {
		t.Fatal(err)
	}
	if plugin.Type != "CSIPlugin" || plugin.Name != "efs.csi.aws.com" || !strings.HasPrefix(plugin.Endpoint, root) {
		t.Errorf("registered as %v", plugin)
	}
	connection := dial(t, plugin.Endpoint)
	about, err := csi.NewNodeClient(connection).NodeGetInfo(ctx, &csi.NodeGetInfoRequest{})
	if err != nil || about.NodeId != "lab-node" {
		t.Errorf("node information %v, %v", about, err)
	}
	if _, err := csi.NewNodeClient(connection).NodeStageVolume(ctx, &csi.NodeStageVolumeRequest{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("staging: %v, want Unimplemented", err)
	}
	name, err := csi.NewIdentityClient(connection).GetPluginInfo(ctx, &csi.GetPluginInfoRequest{})
	if err != nil || name.Name != plugin.Name {
		t.Errorf("plugin information %v, %v", name, err)
	}
	if information, err := os.Stat(plugin.Endpoint); err != nil || information.Mode().Perm() != 0o600 {
		t.Errorf("socket %v %v, want mode 0600", information, err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Error("the registration socket is still there")
	}
}

func TestOptionsAreAllReported(t *testing.T) {
	err := run(options{kubeletRoot: "relative"})
	for _, want := range []string{"--node-id", "--aws-endpoint", "--aws-region", "--aws-credentials", "--kubelet-root=relative", "--buckets-root"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

func TestListenRefusesLongPath(t *testing.T) {
	if _, err := listen("/tmp/" + strings.Repeat("x", 110)); err == nil || !strings.Contains(err.Error(), "at most 107") {
		t.Errorf("error %v", err)
	}
}
