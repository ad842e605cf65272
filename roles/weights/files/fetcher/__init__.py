# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch the weights of one repository revision into S3, or prove there or through the mount that they are complete.

    python3 -m fetcher fetch    hub, bucket or folder -> s3://<bucket>/<prefix>/, the ledger last
    python3 -m fetcher check    every file of the ledger is there below the mount, with its size
    python3 -m fetcher verify   every file of the ledger is in the bucket, with its hash

The configuration is JSON in LLMFLEET_WEIGHTS (see settings.Config). A ConfigMap carries the files of this folder into
the cluster: no folders in it, and Python 3.11 or newer. ``fetch`` and ``verify`` need boto3 (and urllib3, which comes
with it), ``check`` needs nothing but Python, so that both are imported only where they are used.
"""
