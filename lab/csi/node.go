// Copyright (c) 2026, llmfleet contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// finder says what a handle stands for: catalogue, in all but tests.
type finder interface {
	find(ctx context.Context, wanted handle, zone string) (volume, error)
}

// node is the CSI Node service. It has no state of its own: the kernel's mount table is the truth, so a restart of the
// plugin loses nothing.
type node struct {
	csi.UnimplementedNodeServer
	id          string
	kubeletRoot string
	bucketsRoot string
	volumes     finder
	mounts      sync.Mutex // one change of the mount table at a time
}

func (n *node) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: n.id}, nil
}

func (n *node) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	return &csi.NodeGetCapabilitiesResponse{}, nil
}

func (n *node) NodePublishVolume(ctx context.Context, request *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	target, err := n.target(request.GetTargetPath())
	if err != nil {
		return nil, err
	}
	if err := checkCapability(request.GetVolumeCapability()); err != nil {
		return nil, err
	}
	if err := checkContext(request.GetVolumeContext()); err != nil {
		return nil, err
	}
	wanted, err := parseHandle(request.GetVolumeId())
	if err != nil {
		return nil, err
	}
	options, err := readOptions(request.GetVolumeCapability().GetMount().GetMountFlags(), &wanted)
	if err != nil {
		return nil, err
	}
	if err := n.publish(ctx, wanted, target, options.zone, options.readOnly || request.GetReadonly()); err != nil {
		if status.Code(err) == codes.AlreadyExists {
			return nil, err
		}
		return nil, status.Errorf(codes.Internal, "Could not mount %q at %q: %v", request.GetVolumeId(), target, err)
	}
	return &csi.NodePublishVolumeResponse{}, nil
}

func (n *node) publish(ctx context.Context, wanted handle, target, zone string, readOnly bool) error {
	found, err := n.volumes.find(ctx, wanted, zone)
	if err != nil {
		return err
	}
	folder, err := openVolume(n.bucketsRoot, found)
	if err != nil {
		return err
	}
	defer folder.Close()
	n.mounts.Lock()
	defer n.mounts.Unlock()
	mounted, isReadOnly, err := mountState(target)
	if err != nil {
		return err
	}
	if !mounted {
		return bind(folder, target, readOnly)
	}
	same, err := shows(target, folder)
	if err != nil {
		return err
	}
	if !same || isReadOnly != readOnly {
		return status.Errorf(codes.AlreadyExists, "%q is mounted already, from elsewhere or with another access mode", target)
	}
	return nil
}

func (n *node) NodeUnpublishVolume(_ context.Context, request *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	if request.GetVolumeId() == "" {
		return nil, status.Error(codes.InvalidArgument, "Volume ID not provided")
	}
	target, err := n.target(request.GetTargetPath())
	if err != nil {
		return nil, err
	}
	n.mounts.Lock()
	defer n.mounts.Unlock()
	if err := release(target); err != nil {
		return nil, status.Errorf(codes.Internal, "Could not unmount %q: %v", target, err)
	}
	return &csi.NodeUnpublishVolumeResponse{}, nil
}

// target checks that a target path lies below the kubelet's root folder, and cleans it.
func (n *node) target(name string) (string, error) {
	if name == "" {
		return "", status.Error(codes.InvalidArgument, "Target path not provided")
	}
	clean := filepath.Clean(name)
	if !strings.HasPrefix(clean, n.kubeletRoot+"/") {
		return "", status.Errorf(codes.InvalidArgument, "Target path %q is not below the kubelet's root folder %q", name, n.kubeletRoot)
	}
	return clean, nil
}

// checkCapability accepts what the EFS CSI driver accepts: file system volumes, ReadWriteOnce and ReadWriteMany.
func checkCapability(capability *csi.VolumeCapability) error {
	if capability == nil {
		return status.Error(codes.InvalidArgument, "Volume capability not provided")
	}
	switch mode := capability.GetAccessMode().GetMode(); mode {
	case csi.VolumeCapability_AccessMode_SINGLE_NODE_WRITER, csi.VolumeCapability_AccessMode_MULTI_NODE_MULTI_WRITER:
	default:
		return status.Errorf(codes.InvalidArgument, "Volume capability not supported: invalid access mode: %s", mode)
	}
	if capability.GetMount() == nil {
		return status.Error(codes.InvalidArgument, "Volume capability not supported: only filesystem volumes are supported")
	}
	if kind := capability.GetMount().GetFsType(); kind != "" && kind != "s3files" {
		return status.Errorf(codes.InvalidArgument, "Volume capability not supported: invalid fstype: %s", kind)
	}
	return nil
}

// checkContext refuses the volume attributes that the EFS CSI driver refuses for S3 Files.
func checkContext(attributes map[string]string) error {
	for name, value := range attributes {
		switch strings.ToLower(name) {
		case "storage.kubernetes.io/csiprovisioneridentity":
		case "encryptintransit":
			encrypted, err := strconv.ParseBool(value)
			if err != nil {
				return status.Errorf(codes.InvalidArgument, "Volume context property %q must be a boolean value: %v", name, err)
			}
			if !encrypted {
				return status.Error(codes.InvalidArgument, "Encryption in transit cannot be disabled for an S3 Files file system")
			}
		default:
			return status.Errorf(codes.InvalidArgument, "Volume context property %q not supported", name)
		}
	}
	return nil
}

type mountOptions struct {
	readOnly bool
	zone     string // availability zone ID of the mount target to use; empty: any
}

// readOptions reads the mount options of a volume. An access point named in them goes to the handle. What only
// concerns the network file system (tls, iam, NFS options) means nothing to a bind mount and is logged.
func readOptions(flags []string, wanted *handle) (mountOptions, error) {
	var options mountOptions
	for _, flag := range flags {
		name, value, _ := strings.Cut(strings.ToLower(flag), "=")
		switch name {
		case "ro":
			options.readOnly = true
		case "azid":
			options.zone = value
		case "stunnel":
			return options, status.Error(codes.InvalidArgument, "stunnel mount option is not supported by S3 Files file system")
		case "accesspoint":
			if wanted.accessPoint != "" && wanted.accessPoint != value {
				return options, status.Errorf(codes.InvalidArgument,
					"Found conflicting access point IDs in mountOptions (%s) and volumeHandle (%s)", value, wanted.accessPoint)
			}
			if !accessPointID.MatchString(value) {
				return options, status.Errorf(codes.InvalidArgument, "mount option %s: expected an access point ID of the form fsap-[0-9a-f]{8,40}", fmt.Sprintf("%q", flag))
			}
			wanted.accessPoint = value
		default:
			slog.Info("mount option without effect in the lab", "option", name)
		}
	}
	return options, nil
}
