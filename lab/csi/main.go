// Copyright (c) 2026, llmfleet contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Program csi is the lab's CSI node plugin in the place of the EFS CSI driver: a volume of S3 Files is the bind mount of
// the folder in which versitygw keeps the file system's bucket.
//
// What a volume is (bucket, mount targets, access point) is asked of the S3 Files API at every mount, so that what is
// missing there fails here as it fails in the cloud. Not shown: the user that an access point enforces on the server
// (files keep the owner that the container writes them with), the permissions of the node's IAM role, and the time the
// service takes to import and export objects.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

type options struct {
	kubeletRoot, nodeID, bucketsRoot, endpoint, region, credentials, profile string
}

func main() {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, nil)))
	var chosen options
	flag.StringVar(&chosen.kubeletRoot, "kubelet-root", "/var/lib/kubelet", "the kubelet's root `folder`")
	flag.StringVar(&chosen.nodeID, "node-id", "", "`name` of the node")
	flag.StringVar(&chosen.bucketsRoot, "buckets-root", "", "`folder` with one folder a bucket")
	flag.StringVar(&chosen.endpoint, "aws-endpoint", "", "`URL` of the S3 Files API")
	flag.StringVar(&chosen.region, "aws-region", "", "region to sign requests for")
	flag.StringVar(&chosen.credentials, "aws-credentials", "", "shared credentials `file` of mode 0600")
	flag.StringVar(&chosen.profile, "aws-profile", "llmfleet-lab", "profile in the credentials file")
	flag.Parse()
	if err := run(chosen); err != nil {
		slog.Error("the plugin ends", "error", err.Error())
		os.Exit(1)
	}
}

// check reports every option that is missing or wrong.
func (o *options) check() error {
	var problems []error
	for name, value := range map[string]string{
		"node-id": o.nodeID, "aws-endpoint": o.endpoint, "aws-region": o.region, "aws-credentials": o.credentials,
	} {
		if value == "" {
			problems = append(problems, fmt.Errorf("--%s is required", name))
		}
	}
	for name, folder := range map[string]*string{"kubelet-root": &o.kubeletRoot, "buckets-root": &o.bucketsRoot} {
		if !filepath.IsAbs(*folder) {
			problems = append(problems, fmt.Errorf("--%s=%s: expected an absolute path", name, *folder))
		}
		*folder = filepath.Clean(*folder)
	}
	return errors.Join(problems...)
}

// run serves until SIGTERM or SIGINT; volumes stay mounted, and a new process takes over.
func run(chosen options) error {
	if err := chosen.check(); err != nil {
		return err
	}
	volumes, err := newCatalogue(chosen.endpoint, chosen.region, chosen.credentials, chosen.profile)
	if err != nil {
		return err
	}
	endpoint := filepath.Join(chosen.kubeletRoot, "plugins", driverName, "csi.sock")
	driver := grpc.NewServer(grpc.UnaryInterceptor(logCall))
	csi.RegisterIdentityServer(driver, identity{})
	csi.RegisterNodeServer(driver, &node{
		id: chosen.nodeID, kubeletRoot: chosen.kubeletRoot, bucketsRoot: chosen.bucketsRoot, volumes: volumes,
	})
	registry := grpc.NewServer()
	registration.RegisterRegistrationServer(registry, registrar{endpoint: endpoint})

	// The driver's socket first: the kubelet uses it as soon as it sees the other one.
	driverListener, err := listen(endpoint)
	if err != nil {
		return err
	}
	registryListener, err := listen(filepath.Join(chosen.kubeletRoot, "plugins_registry", driverName+"-reg.sock"))
	if err != nil {
		driverListener.Close()
		return err
	}
	ended := make(chan error, 2)
	go func() { ended <- driver.Serve(driverListener) }()
	go func() { ended <- registry.Serve(registryListener) }()
	slog.Info("serving", "driver", driverName, "endpoint", endpoint)

	interrupted, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	select {
	case err = <-ended:
	case <-interrupted.Done():
		slog.Info("stopping")
	}
	registry.Stop()
	driver.GracefulStop()
	return err
}
