// Copyright (c) 2026, llmfleet contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

const (
	driverName    = "efs.csi.aws.com"
	driverVersion = "lab"
	// maxSocketPath is the room for a path in sockaddr_un, less the final zero.
	maxSocketPath = 107
)

// identity is the CSI Identity service. There is no controller service: volumes of the lab are made beforehand.
type identity struct {
	csi.UnimplementedIdentityServer
}

func (identity) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: driverName, VendorVersion: driverVersion}, nil
}

func (identity) GetPluginCapabilities(context.Context, *csi.GetPluginCapabilitiesRequest) (*csi.GetPluginCapabilitiesResponse, error) {
	return &csi.GetPluginCapabilitiesResponse{}, nil
}

func (identity) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{}, nil
}

// registrar tells the kubelet where the plugin listens. The kubelet asks whenever it finds the socket, also after a
// restart of its own, and asks again when registration failed.
type registrar struct {
	registration.UnimplementedRegistrationServer
	endpoint string
}

func (r registrar) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return &registration.PluginInfo{
		Type:              registration.CSIPlugin,
		Name:              driverName,
		Endpoint:          r.endpoint,
		SupportedVersions: []string{"1.0.0"},
	}, nil
}

func (registrar) NotifyRegistrationStatus(_ context.Context, result *registration.RegistrationStatus) (*registration.RegistrationStatusResponse, error) {
	if result.GetPluginRegistered() {
		slog.Info("registered with the kubelet")
	} else {
		slog.Error("the kubelet refused the plugin", "error", result.GetError())
	}
	return &registration.RegistrationStatusResponse{}, nil
}

// listen makes a socket that only root may use, in the place of one left by an earlier process.
func listen(socket string) (net.Listener, error) {
	if len(socket) > maxSocketPath {
		return nil, fmt.Errorf("socket path %s has %d characters: at most %d are possible", socket, len(socket), maxSocketPath)
	}
	if err := os.MkdirAll(filepath.Dir(socket), 0o750); err != nil {
		return nil, err
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		listener.Close()
		return nil, err
	}
	return listener, nil
}

// logCall writes one line a call: the volume and target when the request has them, and how it ended.
func logCall(ctx context.Context, request any, call *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	start := time.Now()
	answer, err := handler(ctx, request)
	attributes := []slog.Attr{slog.String("method", call.FullMethod), slog.Float64("seconds", time.Since(start).Seconds())}
	if of, ok := request.(interface{ GetVolumeId() string }); ok {
		attributes = append(attributes, slog.String("volume", of.GetVolumeId()))
	}
	if at, ok := request.(interface{ GetTargetPath() string }); ok {
		attributes = append(attributes, slog.String("target", at.GetTargetPath()))
	}
	level := slog.LevelInfo
	if err != nil {
		level = slog.LevelError
		attributes = append(attributes, slog.String("code", status.Code(err).String()), slog.String("error", status.Convert(err).Message()))
	}
	slog.LogAttrs(ctx, level, "call", attributes...)
	return answer, err
}
