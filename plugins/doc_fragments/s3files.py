# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that all modules of Amazon S3 Files share."""

from __future__ import annotations


class ModuleDocFragment:
    """Requirements, notes and references of S3 Files."""

    DOCUMENTATION = r"""
options: {}
requirements:
  - python >= 3.12
  - botocore >= 1.42.85
notes:
  - Amazon S3 Files presents a bucket, or a prefix of it, as a file system that is mounted by NFS.
  - Throttling, errors of the service and broken connections are retried with backoff.
"""
