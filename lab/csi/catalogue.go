// Copyright (c) 2026, llmfleet contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3files"
	"github.com/aws/aws-sdk-go-v2/service/s3files/types"
)

// awsTimeout bounds all questions about one volume, retries included: the kubelet waits two minutes for an answer.
const awsTimeout = 30 * time.Second

// volume is what the S3 Files API says of a volume handle.
type volume struct {
	bucket    string    // name of the bucket
	root      string    // folder of the file system or access point in the bucket's folder, relative
	creation  *creation // how to create root when it does not exist; nil: it has to exist
	directory string    // folder to mount, relative to root
}

// creation is who owns a root directory that the service creates, and its mode.
type creation struct {
	uid, gid int
	mode     os.FileMode
}

// catalogue asks the S3 Files API.
type catalogue struct {
	client *s3files.Client
}

// newCatalogue makes a client of the endpoint that reads the credentials file at every request, so that new keys
// need no restart.
func newCatalogue(endpoint, region, credentialsFile, profile string) (*catalogue, error) {
	read := func(ctx context.Context) (aws.Credentials, error) {
		return readCredentials(ctx, credentialsFile, profile)
	}
	if _, err := read(context.Background()); err != nil {
		return nil, err
	}
	return &catalogue{s3files.New(s3files.Options{
		BaseEndpoint: aws.String(endpoint),
		Region:       region,
		Credentials:  aws.CredentialsProviderFunc(read),
	})}, nil
}

// readCredentials reads one profile of a shared credentials file that nobody but its owner may read.
func readCredentials(ctx context.Context, file, profile string) (aws.Credentials, error) {
	information, err := os.Stat(file)
	if err != nil {
		return aws.Credentials{}, err
	}
	if mode := information.Mode().Perm(); mode&0o077 != 0 {
		return aws.Credentials{}, fmt.Errorf("%s has mode %04o: expected 0600", file, mode)
	}
	shared, err := config.LoadSharedConfigProfile(ctx, profile, func(options *config.LoadSharedConfigOptions) {
		options.CredentialsFiles = []string{file}
		options.ConfigFiles = []string{}
	})
	if err != nil {
		return aws.Credentials{}, err
	}
	if !shared.Credentials.HasKeys() {
		return aws.Credentials{}, fmt.Errorf("profile %s of %s has no access key", profile, file)
	}
	return shared.Credentials, nil
}

// find resolves a handle. zone, when not empty, is the availability zone ID whose mount target has to be used.
func (c *catalogue) find(ctx context.Context, wanted handle, zone string) (volume, error) {
	ctx, cancel := context.WithTimeout(ctx, awsTimeout)
	defer cancel()
	found, err := c.fileSystem(ctx, wanted.fileSystem)
	if err != nil {
		return volume{}, err
	}
	if err := c.checkMountTargets(ctx, wanted.fileSystem, zone); err != nil {
		return volume{}, err
	}
	found.directory = wanted.path
	if wanted.accessPoint != "" {
		err = c.addAccessPoint(ctx, wanted, &found)
	}
	return found, err
}

func (c *catalogue) fileSystem(ctx context.Context, id string) (volume, error) {
	answer, err := c.client.GetFileSystem(ctx, &s3files.GetFileSystemInput{FileSystemId: &id})
	if err != nil {
		return volume{}, explain("file system "+id, err)
	}
	if answer.Status != types.LifeCycleStateAvailable && answer.Status != types.LifeCycleStateUpdating {
		return volume{}, fmt.Errorf("file system %s is %s: %s", id, answer.Status, aws.ToString(answer.StatusMessage))
	}
	bucket := aws.ToString(answer.Bucket)
	name := bucket[strings.LastIndex(bucket, ":")+1:]
	if name == "" || name == "." || name == ".." || strings.Contains(name, "/") {
		return volume{}, fmt.Errorf("file system %s has the bucket %q: expected a bucket's ARN", id, bucket)
	}
	return volume{bucket: name, root: relative(aws.ToString(answer.Prefix))}, nil
}

func (c *catalogue) checkMountTargets(ctx context.Context, id, zone string) error {
	var states []string
	pages := s3files.NewListMountTargetsPaginator(c.client, &s3files.ListMountTargetsInput{FileSystemId: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return explain("mount targets of file system "+id, err)
		}
		for _, target := range page.MountTargets {
			in := aws.ToString(target.AvailabilityZoneId)
			if zone != "" && zone != in {
				continue
			}
			if target.Status == types.LifeCycleStateAvailable {
				return nil
			}
			states = append(states, fmt.Sprintf("%s in %s is %s", aws.ToString(target.MountTargetId), in, target.Status))
		}
	}
	where := ""
	if zone != "" {
		where = " in availability zone " + zone
	}
	if len(states) == 0 {
		return fmt.Errorf("file system %s has no mount target%s", id, where)
	}
	return fmt.Errorf("file system %s has no available mount target%s: %s", id, where, strings.Join(states, ", "))
}

func (c *catalogue) addAccessPoint(ctx context.Context, wanted handle, found *volume) error {
	id := wanted.accessPoint
	answer, err := c.client.GetAccessPoint(ctx, &s3files.GetAccessPointInput{AccessPointId: &id})
	if err != nil {
		return explain("access point "+id, err)
	}
	if owner := aws.ToString(answer.FileSystemId); owner != wanted.fileSystem {
		return fmt.Errorf("access point %s belongs to file system %s, not to %s", id, owner, wanted.fileSystem)
	}
	if answer.Status != types.LifeCycleStateAvailable {
		return fmt.Errorf("access point %s is %s", id, answer.Status)
	}
	if answer.RootDirectory == nil {
		return nil
	}
	found.root = path.Join(found.root, relative(aws.ToString(answer.RootDirectory.Path)))
	if permissions := answer.RootDirectory.CreationPermissions; permissions != nil {
		text := aws.ToString(permissions.Permissions)
		mode, err := strconv.ParseUint(text, 8, 12)
		if err != nil {
			return fmt.Errorf("access point %s has creation permissions %q: expected an octal mode", id, text)
		}
		uid, gid := aws.ToInt64(permissions.OwnerUid), aws.ToInt64(permissions.OwnerGid)
		found.creation = &creation{int(uid), int(gid), unixMode(mode)}
	}
	return nil
}

// unixMode turns permission bits of chmod(2) into those of package os.
func unixMode(bits uint64) os.FileMode {
	mode := os.FileMode(bits & 0o777)
	for bit, flag := range map[uint64]os.FileMode{0o4000: os.ModeSetuid, 0o2000: os.ModeSetgid, 0o1000: os.ModeSticky} {
		if bits&bit != 0 {
			mode |= flag
		}
	}
	return mode
}

// explain says in one line what of the file system is missing or could not be asked.
func explain(what string, err error) error {
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return fmt.Errorf("%s does not exist", what)
	}
	return fmt.Errorf("cannot ask for %s: %w", what, err)
}
