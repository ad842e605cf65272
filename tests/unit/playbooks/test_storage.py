# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage layer on the emulated AWS: made once, what somebody changed is taken back, and what cannot be changed
in place is refused by name."""

from __future__ import annotations

import json

from tests.unit.playbooks.storage import BUCKET, WHOLE, Storage, ok


def test_it_is_made_once_and_taken_back(storage: Storage) -> None:
    before = len(storage.writes())
    ok(storage.make("--check"))
    assert len(storage.writes()) == before
    ok(storage.make())
    assert storage.owned() == WHOLE
    written = len(storage.writes())
    again = ok(storage.make())
    assert storage.writes()[written:] == [] and "changed=0" in again, again

    s3, s3files = storage.client("s3"), storage.client("s3files")
    (system,) = [item for item in s3files.list_file_systems()["fileSystems"] if item.get("name") == "lab-weights"]
    identifier = {"fileSystemId": system["fileSystemId"]}
    rules = {"Rules": [{"ID": "x", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 3}}]}
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration=rules)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_public_access_block(Bucket=BUCKET)
    found = s3files.get_synchronization_configuration(**identifier)
    s3files.put_synchronization_configuration(
        **identifier,
        latestVersionNumber=found["latestVersionNumber"],
        importDataRules=found["importDataRules"],
        expirationDataRules=[{"daysAfterLastAccess": 300}],
    )
    s3files.delete_file_system_policy(**identifier)
    written = len(storage.writes())
    ok(storage.make())
    assert sorted(storage.writes()[written:]) == [
        "PutBucketLifecycleConfiguration",
        "PutBucketVersioning",
        "PutFileSystemPolicy",
        "PutPublicAccessBlock",
        "PutSynchronizationConfiguration",
    ]
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    assert set(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values()) == {True}
    (theirs, ours) = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert theirs["ID"] == "x"
    assert ours["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert ours["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    found = s3files.get_synchronization_configuration(**identifier)
    assert found["expirationDataRules"] == [{"daysAfterLastAccess": 30}]


def test_another_bucket_needs_another_file_system_and_is_refused(storage: Storage) -> None:
    ok(storage.make())
    written = len(storage.writes())
    done = storage.make("--check", llmfleet_bucket="another-bucket-of-lab")
    told = " ".join(done.stdout.split())
    assert done.returncode == 2
    assert f"cannot be changed in place: bucket is 'arn:aws:s3:::{BUCKET}', wanted 'arn:aws:s3:::another-" in told
    assert "remove it (state: absent) and create it again" in told
    assert storage.writes()[written:] == []


def test_every_role_is_bounded(storage: Storage) -> None:
    iam = storage.client("iam")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    arn = iam.create_policy(PolicyName="limit", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    ok(storage.make(llmfleet_permissions_boundary=arn))
    written = len(storage.writes())
    ok(storage.make(llmfleet_permissions_boundary=arn))
    assert storage.writes()[written:] == []
    for name in ("lab-weights-fs", "lab-efs-csi-node", "lab-efs-csi-controller", "lab-weights-fetcher"):
        role = iam.get_role(RoleName=name)["Role"]
        assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
