# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Things of somebody else, beside ours and named much like ours: they must be the same, byte for byte, afterwards."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import session
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.releases import SECRETS
from ansible_collections.llmfleet.eks.plugins.plugin_utils.helm import Helm
from llmfleet_lab.paths import Paths

from tests.lab.snapshot import REGION, aws_settings, lab_client

# The names begin as ours do, or carry half of our labels: a removal by name or by one label would take them.
NAMESPACE = "llm-somebody-else"
RELEASE = "their-release"
ROLE = "lab-somebody-else"
BUCKET = "lab-somebody-else-123456789012"
FILE_SYSTEM = "lab-somebody-else"
TAGS = {"app.kubernetes.io/managed-by": "llmfleet", "llmfleet.io/cluster": "another"}
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "elasticfilesystem.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


class Planted:
    """A namespace with a ConfigMap and a Helm release, a role, a bucket with an object, a file system over it."""

    def __init__(self, paths: Paths, folder: Path) -> None:
        """Make them. folder: an empty one, for the chart."""
        self._client = lab_client(paths)
        self._aws = session(aws_settings(paths), REGION)
        self._helm = Helm(str(paths.state / "bin/helm"), {"kubeconfig": str(paths.kubeconfig)})
        self._file_system = ""
        self._plant_objects(folder)
        self._plant_resources()

    def _plant_objects(self, chart: Path) -> None:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        labels = {"llmfleet.io/cluster": "another", "app.kubernetes.io/managed-by": "llmfleet"}
        theirs = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "theirs", "namespace": NAMESPACE, "labels": labels},
            "data": {"text": "theirs"},
        }
        self._client.request("POST", "/api/v1/namespaces", body=namespace)
        self._client.request("POST", f"/api/v1/namespaces/{NAMESPACE}/configmaps", body=theirs)
        (chart / "templates").mkdir()
        (chart / "Chart.yaml").write_text(json.dumps({"apiVersion": "v2", "name": RELEASE, "version": "1.0.0"}))
        released = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "released"},
            "data": {"text": "theirs"},
        }
        (chart / "templates/all.yaml").write_text(json.dumps(released))
        self._helm.run("install", RELEASE, str(chart), "--namespace", NAMESPACE, timeout=60)
        shutil.rmtree(chart)

    def _plant_resources(self) -> None:
        tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
        iam, s3, s3files = (self._aws.client(name) for name in ("iam", "s3", "s3files"))
        role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(_TRUST), Tags=tags)["Role"]
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=BUCKET, Key="theirs", Body=b"theirs")
        made = s3files.create_file_system(
            bucket=f"arn:aws:s3:::{BUCKET}",
            roleArn=role["Arn"],
            tags=[{"key": "Name", "value": FILE_SYSTEM}, *({"key": key, "value": TAGS[key]} for key in TAGS)],
        )
        self._file_system = made["fileSystemId"]

    def read(self) -> dict[str, str]:
        """Return all of it as text, as the APIs show it."""
        client, iam, s3 = self._client, self._aws.client("iam"), self._aws.client("s3")
        secrets = client.list(SECRETS, NAMESPACE, label_selector=f"owner=helm,name={RELEASE}")
        found: dict[str, Any] = {
            "namespace": client.get(f"/api/v1/namespaces/{NAMESPACE}"),
            "object": client.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/theirs"),
            "released": client.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/released"),
            "release": secrets,
            "role": iam.get_role(RoleName=ROLE)["Role"],
            "bucket": s3.get_bucket_versioning(Bucket=BUCKET)["Status"],
            "content": s3.get_object(Bucket=BUCKET, Key="theirs")["Body"].read().decode(),
            "file system": _answer(self._aws.client("s3files").get_file_system(fileSystemId=self._file_system)),
        }
        return {name: json.dumps(value, sort_keys=True, default=str) for name, value in found.items()}

    def remove(self) -> None:
        """Take everything away again."""
        self._helm.uninstall(NAMESPACE, RELEASE, 60)
        self._client.delete(f"/api/v1/namespaces/{NAMESPACE}")
        self._aws.client("s3files").delete_file_system(fileSystemId=self._file_system)
        s3 = self._aws.client("s3")
        for version in s3.list_object_versions(Bucket=BUCKET).get("Versions", []):
            s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
        s3.delete_bucket(Bucket=BUCKET)
        self._aws.client("iam").delete_role(RoleName=ROLE)


def _answer(found: dict[str, Any]) -> dict[str, Any]:
    # The status moves by itself from creating to available.
    return {key: value for key, value in found.items() if key not in ("ResponseMetadata", "status", "statusMessage")}
