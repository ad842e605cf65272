# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One question to the model through the lab's gateway, as any OpenAI client would ask it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

from llmfleet_lab.errors import LabError
from llmfleet_lab.kubernetes import Kubectl
from llmfleet_lab.paths import Paths
from llmfleet_lab.secrets import Credentials


def ask(paths: Paths, prompt: str, model: str | None) -> str:
    """Send a completion request from this machine to the gateway's Service; returns what to print."""
    kubectl = Kubectl(paths)
    address = kubectl.run("get", "service", "llm-gateway", "-n", "llm-gateway", "-o", "jsonpath={.spec.clusterIP}")
    if model is None:
        names = kubectl.run(
            *("get", "deployments", "-n", "llm", "-l", "app.kubernetes.io/component=inference"),
            *("-o", "jsonpath={.items[0].metadata.name}"),
        )
        model = names.split()[0]
    key_file = Credentials(paths.secrets).file("gateway-key")
    url = f"http://{address}:8080/v1/completions"
    body = {"model": model, "prompt": prompt, "max_tokens": 24, "temperature": 0}
    begin = time.monotonic()
    answer = _post(url, key_file.read_text().strip(), body)
    seconds = time.monotonic() - begin
    text = answer["choices"][0]["text"]
    return (
        f"{model} was asked through {url} and answered in {seconds:.2f} s "
        f"({answer['usage']['completion_tokens']} tokens of random weights):\n\n  {prompt}{text!r}\n\n"
        f"Ask it yourself:\n"
        f"  curl {url} -H \"Authorization: Bearer $(cat {key_file})\" -H 'Content-Type: application/json' "
        f"-d '{json.dumps(body)}'"
    )


def _post(url: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        url,
        data=json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            result: dict[str, Any] = json.load(answer)
            return result
    except urllib.error.HTTPError as error:
        raise LabError(f"{url} answered {error.code}: {error.read()[:500].decode(errors='replace')}") from None
    except OSError as error:
        raise LabError(f"{url} cannot be reached: {error}") from None
