# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of llmfleet_cluster and llmfleet_aws, and the variables that stand alone."""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.accept import (
    DNS_LABEL,
    LABEL_VALUE,
    OBJECT_NAME,
    PATH_OR_URL,
    QUANTITY,
    SWITCH,
    TEXT,
    Accept,
    Refused,
    integer,
    matching,
    one_of,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.accept_many import Each, MapOf
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fields import REQUIRED, Field
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.model_values import IMAGE, OWN_KEY

ACCOUNT = matching(r"[0-9]{12}", "12 digits, as a string")
REGION = matching(r"[a-z]{2}(-[a-z]+)+-[0-9]", "a region such as eu-west-3")
# EKS takes up to 100 characters and any end; names of IAM roles made of it have 64, and it is a label's value.
CLUSTER_NAME = matching(
    r"[0-9A-Za-z]([A-Za-z0-9_-]*[0-9A-Za-z])?",
    "the name of an EKS cluster: letters, digits, - and _, not - or _ at its end, at most 44",
    longest=44,
)
BUCKET = matching(
    r"(?=.{3,63}$)(?!([0-9]+[.]){3}[0-9]+$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*",
    "a bucket name: 3 to 63 lower-case letters, digits, - and ., no IP address",
)
BOUNDARY = matching(r"arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[\w+=,.@/-]{1,512}", "the ARN of an IAM policy")
ROLE_NAME = matching(r"[\w+=,.@-]{1,64}", "the name of an IAM role")
# A password would lie open in the Job.
PROXY = matching(r"http://[^\s/?#@]+/?", "http://host[:port], without user and password")
URL = matching(r"https?://[^\s/?#]+[^\s?#]*", "http(s)://host[:port][/path]")
SECRET_ID = matching(r"[A-Za-z0-9/_+=.@:-]{1,512}", "name or ARN of a secret of AWS Secrets Manager")


def _check_path(value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise Refused("not a path")


def _check_namespace(value: Any) -> None:
    DNS_LABEL.check(value)
    if value == "default" or value.startswith("kube-"):
        raise Refused("a namespace of the cluster itself")


PATH = Accept("a path", _check_path)
# Namespaces are made, and deleted by destroy.yml with all that is in them.
NAMESPACE = Accept(f"{DNS_LABEL.text}, not default or kube-*", _check_namespace)
SERVICE_NAME = matching(
    r"[a-z]([-a-z0-9]*[a-z0-9])?", "the name of a Service: a DNS label that starts with a letter", longest=63
)


def names_of(value: Any) -> list[str]:
    """The names in a list, or in a text that commas separate, as `-e` on the command line gives it."""
    parts = value.split(",") if isinstance(value, str) else value
    return list(dict.fromkeys(part.strip() for part in parts))


def _check_names(value: Any) -> None:
    if not isinstance(value, str | list) or (isinstance(value, list) and not all(isinstance(n, str) for n in value)):
        raise Refused("not names")
    if not value or not all(names_of(value)):
        raise Refused("an empty name" if value else "no name")


# Whether they are models of the fleet is a rule across fields.
NAMES = Accept("names of models: a list, or one text with commas", _check_names)

CLUSTER_FIELDS: tuple[Field, ...] = (
    Field("name", CLUSTER_NAME, REQUIRED, "the EKS cluster; names and labels what is made for it"),
    Field("region", REGION, REQUIRED, "its region"),
    Field("account", ACCOUNT, REQUIRED, "its account"),
    Field("kubeconfig", PATH, None, "how to reach it; with context", default_text="found through EKS"),
    Field("context", TEXT, None, "context of kubeconfig", default_text="found through EKS"),
    Field("vpc", matching(r"vpc-[0-9a-f]{8,17}", "vpc-…"), None, "its VPC", default_text="that of the cluster"),
    Field(
        "subnets",
        Each(matching(r"subnet-[0-9a-f]{8,17}", "subnet-…"), distinct=True, least=1),
        None,
        "subnets of mount targets and GPU nodes, one a zone",
        default_text="those of the cluster",
    ),
)
AWS_FIELDS: tuple[Field, ...] = (
    Field("profile", TEXT, None, "AWS_PROFILE", default_text="boto3's own search"),
    Field("config_file", PATH, None, "AWS_CONFIG_FILE", default_text="boto3's own search"),
    Field("credentials_file", PATH, None, "AWS_SHARED_CREDENTIALS_FILE", default_text="boto3's own search"),
)
_PREFIX = "llmfleet_"
# Variables that stand alone; paths are below llmfleet_.
PLATFORM_FIELDS: tuple[Field, ...] = (
    Field(
        "gateway",
        one_of("envoy_gateway", "ai_gateway"),
        "envoy_gateway",
        "what answers clients and routes to models",
        built=False,
    ),
    Field(
        "efs_csi_driver",
        one_of("chart", "addon", "existing"),
        "chart",
        "who installs the storage driver: its Helm chart, the EKS add-on, or somebody else",
    ),
    Field("helm_binary", PATH, None, "the helm program", default_text="helm of PATH"),
    Field(
        "envoy_gateway_chart",
        PATH_OR_URL,
        None,
        "reference or folder of Envoy Gateway's chart",
        default_text="the chart of meta/versions.yml",
    ),
    Field("envoy_image", IMAGE, None, "image of Envoy", default_text="the image of meta/versions.yml"),
    Field(
        "body_router_image",
        IMAGE,
        None,
        "image of the body-based router",
        default_text="the image of meta/versions.yml",
    ),
    Field(
        "endpoint_picker_image",
        IMAGE,
        None,
        "image of the endpoint pickers",
        default_text="the image of meta/versions.yml",
    ),
    Field("envoy_replicas", integer(1, 20), 2, "replicas of Envoy"),
    Field(
        "efs_csi_driver_chart",
        PATH_OR_URL,
        None,
        "reference or folder of the storage driver's chart",
        default_text="the chart of meta/versions.yml",
    ),
    Field("weights_hub_endpoint", URL, "https://huggingface.co", "the hub that weights come from"),
    Field("weights_proxy", PROXY, None, "proxy by which the fetcher asks the hub", default_text="–"),
    Field(
        "weights_image",
        IMAGE,
        None,
        "image of the fetcher: Python 3.11 or newer with boto3",
        default_text="the image of meta/versions.yml",
    ),
    Field("bucket", BUCKET, None, "the bucket", default_text="<region>-<account>-<cluster>-weights"),
    Field(
        "bucket_noncurrent_days",
        integer(1, 36500),
        30,
        "days that the bucket keeps a version which was replaced or deleted",
    ),
    Field(
        "permissions_boundary",
        BOUNDARY,
        None,
        "IAM policy that bounds every role that is made; it must exist",
        default_text="none",
    ),
    Field("weights_claim", DNS_LABEL, "weights", "the claim of the weights' volume"),
    Field(
        "weights_source_claim",
        DNS_LABEL,
        None,
        "claim, in the models' namespace, of the volume that directories of weights.source are in",
        default_text="–",
    ),
    Field("storage_capacity", QUANTITY, "100Gi", "nominal size of the volume; nothing enforces it"),
    Field("models_namespace", NAMESPACE, "llm", "namespace of models, claim and fetch jobs"),
    Field("gateway_namespace", NAMESPACE, "llm-gateway", "namespace of the gateway and its controller"),
    Field("gateway_service", SERVICE_NAME, "llm-gateway", "Service of the gateway"),
    Field("api_keys_secret", OBJECT_NAME, "llm-api-keys", "Secret of the client keys: client id -> key"),
    Field(
        "gateway_keys_secret",
        SECRET_ID,
        None,
        "secret of AWS Secrets Manager with the client keys, a JSON map",
        default_text="llmfleet/<cluster>/api-keys",
    ),
    Field("node_role", ROLE_NAME, None, "IAM role of the GPU nodes", default_text="KarpenterNodeRole-<cluster>"),
    Field(
        "prometheus_url",
        URL,
        "http://prometheus-operated.monitoring.svc:9090",
        "where KEDA asks for metrics, in PromQL; of VictoriaMetrics vmsingle's port 8428",
    ),
    Field(
        "monitoring",
        one_of("prometheus_operator", "victoria_metrics", "none"),
        "prometheus_operator",
        "kinds of what watches models: PodMonitor and PrometheusRule, VMPodScrape and VMRule, or nothing",
    ),
    Field("monitoring_namespace", DNS_LABEL, "monitoring", "namespace of the scraper, which may reach the engines"),
    Field(
        "monitoring_labels",
        MapOf(OWN_KEY, LABEL_VALUE),
        {},
        "labels by which the scraper chooses scrapes and rules, such as `release: kube-prometheus-stack`",
    ),
    Field(
        "only",
        NAMES,
        None,
        "names of the models that weights, models and verify act on; the others stay as they are",
        default_text="all models",
    ),
    Field("render_to", PATH, None, "folder that render.yml writes to", default_text="–"),
    Field("destroy_confirm", TEXT, None, "name of the cluster, which destroy.yml asks for", default_text="–"),
    Field(
        "gc_confirm", TEXT, None, "name of the cluster: `preload.yml --tags gc` deletes what it tells", default_text="–"
    ),
    Field("rollback", SWITCH, True, "a model whose new release fails goes back to the last one that served"),
    Field("storage_replace", SWITCH, False, "allows a volume to be replaced whose handle has changed"),
)
MAPS = ("models", "gpu_pools", "cluster", "aws")


def variable(name: str) -> str:
    """Return the name of a variable of the inventory."""
    return _PREFIX + name


def known_variables() -> list[str]:
    """All variables that the description may have."""
    return [variable(name) for name in (*MAPS, *(field.path for field in PLATFORM_FIELDS))]
