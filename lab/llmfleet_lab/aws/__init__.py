# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's emulated AWS: one process, `python -m llmfleet_lab.aws --config FILE`.

Real
  S3 objects, buckets, versions, tags and bucket policies: versitygw, an S3 server over a folder. This package only
  passes requests on, signed anew with versitygw's root keys (s3_front, s3_proxy, aws_chunked).
  Signatures: every request must carry AWS Signature Version 4 of a key that was issued here (sigv4, credentials).
  Tokens of pods: checked with a TokenReview by the lab's API server (token_review).

Emulated
  IAM, STS, EC2, EKS, Secrets Manager, CloudWatch Logs and the rest of what moto has (world, seed). moto also keeps the
  bucket settings that versitygw answers NotImplemented to: public access block, encryption, lifecycle, notification, …
  A bucket is made in both. ec2_guard adds that a security group in use cannot be deleted.
  S3 Files (s3files): all operations of botocore's service model, requests checked and answers shaped by it (restjson).
  File systems need a versioned bucket and a role that elasticfilesystem.amazonaws.com may assume; they are creating
  before they are available, deleting before they are gone, and misconfigured when bucket or role are no longer right.
  Mount targets are network interfaces in moto's EC2. Where AWS does not say how it answers, the choice is ours: the
  values of errorCode, and most messages.
  EKS add-ons (addons): their states and what is kept of them. Nothing is installed in the cluster.
  EKS pod identity associations (associations), webhook and agent, which give a pod the keys of its role.
  Permissions (authorization): the keys of a role do what its policies and its permissions boundary permit, exact to
  the resource for S3 and by action elsewhere. The operator may do everything. Bucket policies bind nobody.

Stand-ins
  DNS: the webhook also sets AWS_ENDPOINT_URL in pods, as the names of AWS lead nowhere in the lab.
  TLS: the endpoint is plain HTTP on the lab's own bridge; aws:SecureTransport is taken for true.
  Below /_lab/ (control): health, counters of requests, delays; faults on demand (injection: throttling, 5xx, expired
  tokens, lost replies and cut connections, so many or a share by a seed; add-ons that fail), lists that lag and roles
  that nobody has heard of yet (trail, world), and a clock that is ahead of the caller's.

State is in memory and ends with the process, except for buckets and objects. Every request is a line of
`aws-requests.jsonl` (request_log) with whether it changes something, without queries, bodies or secrets.

config: the configuration file. emulation: all parts put together. profile: files for the operator's SDKs.
"""
