# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gateway does with a request before a model's route has it.

Clients' listener: a key is wanted first; then the model is read from the body; paths that are not listed are answered
with 404; what is left goes on to the models' listener, with a key that only the gateway has. Answers that Envoy gives
itself have the shape of OpenAI's errors.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import answers
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_body_router import BODY_ROUTER_PORT
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_routing import listener
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder, Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import (
    BODY_ROUTER,
    CLIENT_ID_HEADER,
    CLIENTS_LISTENER,
    GATEWAY,
    HOP_HEADER,
    MODEL_HEADER,
    MODELS_LISTENER,
    MODELS_LISTENER_PORT,
    PICKED_HEADER,
)

# What OpenAI's and Anthropic's clients ask by POST with the model's name in a JSON body, and the pinned vLLM serves.
MODEL_PATHS = (
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/rerank",
    "/v1/responses",
)
_API, _ENVOY_API = "gateway.networking.k8s.io", "gateway.envoyproxy.io"
_EVERYTHING = {"path": {"type": "PathPrefix", "value": "/"}}


def front(build: Builder) -> list[Manifest]:
    """Policies, routes and answers of both listeners."""
    names = [name for model in build.fleet.models if model.routed for name in model.served_names]
    listed = answers.model_list(names)
    return [
        _keys(build),
        _hop_keys(build),
        _clients(build),
        _read_body(build),
        _own_answers(build),
        _hop(build),
        *([_answer(build, "models", 200, listed)] if listed else []),
        _answer(build, "unknown-path", 404, answers.UNKNOWN_PATH),
        _answer(build, "unknown-model", 404, answers.UNKNOWN_MODEL),
        _clients_route(build, listing=listed is not None),
        _unknown_model_route(build),
    ]


def _metadata(build: Builder, suffix: str = "") -> dict[str, str]:
    return {"name": f"{GATEWAY}{suffix}", "namespace": build.fleet.names.gateway_namespace}


def _policy(build: Builder, kind: str, section: str | None, spec: dict[str, Any], suffix: str = "") -> Manifest:
    """A policy of Envoy Gateway on one listener, or on both."""
    target = {"group": _API, "kind": "Gateway", "name": GATEWAY, **({"sectionName": section} if section else {})}
    return {
        "apiVersion": f"{_ENVOY_API}/v1alpha1",
        "kind": kind,
        "metadata": _metadata(build, suffix),
        "spec": {"targetRefs": [target], **spec},
    }


def _keys(build: Builder) -> Manifest:
    keys = {
        "credentialRefs": [{"group": "", "kind": "Secret", "name": build.fleet.names.api_keys_secret}],
        "extractFrom": [{"headers": ["Authorization"]}],
        "forwardClientIDHeader": CLIENT_ID_HEADER,
        # The engine never sees a key.
        "sanitize": True,
    }
    return _policy(build, "SecurityPolicy", CLIENTS_LISTENER, {"apiKeyAuth": keys})


def _hop_keys(build: Builder) -> Manifest:
    keys = {
        "credentialRefs": [{"group": "", "kind": "Secret", "name": build.fleet.names.hop_secret}],
        "extractFrom": [{"headers": [HOP_HEADER]}],
        "sanitize": True,
    }
    return _policy(build, "SecurityPolicy", MODELS_LISTENER, {"apiKeyAuth": keys}, f"-{MODELS_LISTENER}")


def _clients(build: Builder) -> Manifest:
    """Headers that only the gateway may set are taken from what clients send, before anything looks at them."""
    removed = [CLIENT_ID_HEADER, HOP_HEADER, MODEL_HEADER, PICKED_HEADER]
    headers = {"earlyRequestHeaders": {"remove": removed}}
    return _policy(build, "ClientTrafficPolicy", CLIENTS_LISTENER, {"headers": headers})


def _read_body(build: Builder) -> Manifest:
    """No part about responses: with one, the events of a stream arrive together, at its end."""
    router = {
        "backendRefs": [{"group": "", "kind": "Service", "name": BODY_ROUTER, "port": BODY_ROUTER_PORT}],
        "processingMode": {"request": {"body": "FullDuplexStreamed"}},
        "failOpen": False,
        "messageTimeout": "5s",
    }
    return _policy(build, "EnvoyExtensionPolicy", CLIENTS_LISTENER, {"extProc": [router]})


def _own_answers(build: Builder) -> Manifest:
    overrides = [
        {
            "match": {"statusCodes": [{"type": "Value", "value": status}]},
            "source": "Local",
            "response": {
                "contentType": "application/json",
                "body": {"type": "Inline", "inline": body},
                **({"header": {"set": [{"name": "Retry-After", "value": retry_after}]}} if retry_after else {}),
            },
        }
        for status, body, retry_after in answers.OWN_ANSWERS
    ]
    # Nothing was sent yet when a connection fails: no request is answered twice.
    retry = {"numRetries": 2, "retryOn": {"triggers": ["connect-failure"]}}
    return _policy(build, "BackendTrafficPolicy", None, {"responseOverride": overrides, "retry": retry})


def _filter(build: Builder, suffix: str, spec: dict[str, Any]) -> Manifest:
    return {
        "apiVersion": f"{_ENVOY_API}/v1alpha1",
        "kind": "HTTPRouteFilter",
        "metadata": _metadata(build, suffix),
        "spec": spec,
    }


def _answer(build: Builder, name: str, status: int, body: str) -> Manifest:
    response = {"statusCode": status, "contentType": "application/json", "body": {"type": "Inline", "inline": body}}
    return _filter(build, f"-{name}", {"directResponse": response})


def _hop(build: Builder) -> Manifest:
    secret = {"group": "", "kind": "Secret", "name": build.fleet.names.hop_secret}
    injection = {"header": HOP_HEADER, "overwrite": True, "credential": {"valueRef": secret}}
    return _filter(build, "-hop", {"credentialInjection": injection})


def _through(suffix: str) -> dict[str, Any]:
    """The reference of a rule to one of the filters above."""
    reference = {"group": _ENVOY_API, "kind": "HTTPRouteFilter", "name": f"{GATEWAY}{suffix}"}
    return {"filters": [{"type": "ExtensionRef", "extensionRef": reference}]}


def _clients_route(build: Builder, listing: bool) -> Manifest:
    """A rule for every request, also those that are refused: without a rule nothing would ask for a key or a body."""
    names = build.fleet.names
    paths = [{"method": "POST", "path": {"type": "Exact", "value": path}} for path in MODEL_PATHS]
    service = {"group": "", "kind": "Service", "name": names.gateway_service, "port": MODELS_LISTENER_PORT, "weight": 1}
    rules: list[dict[str, Any]] = [
        {
            "matches": paths,
            **_through("-hop"),
            "backendRefs": [service],
            "timeouts": {"request": build.fleet.longest_timeout},
        }
    ]
    if listing:
        models = {"method": "GET", "path": {"type": "Exact", "value": "/v1/models"}}
        rules.append({"matches": [models], **_through("-models")})
    rules.append({"matches": [_EVERYTHING], **_through("-unknown-path")})
    return _route(build, "", CLIENTS_LISTENER, rules)


def _unknown_model_route(build: Builder) -> Manifest:
    rule = {"matches": [_EVERYTHING], **_through("-unknown-model")}
    return _route(build, "-unknown-model", MODELS_LISTENER, [rule])


def _route(build: Builder, suffix: str, section: str, rules: list[dict[str, Any]]) -> Manifest:
    return {
        "apiVersion": f"{_API}/v1",
        "kind": "HTTPRoute",
        "metadata": _metadata(build, suffix),
        "spec": {"parentRefs": [listener(build, section)], "rules": rules},
    }
