# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for vLLM, for tests in which only routing, scaling or teardown matters: it starts in a second.

The lab's runtime handler mounts it in the place of vLLM for a container with LLMFLEET_LAB_ENGINE=stand-in. It is no
engine: completions echo the prompt. What it does check is what the platform owes an engine: the folder of the weights
with its config.json, those of the adapters with theirs, and the flags that name models and port. Runs on the image's
Python 3.11, standard library only.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from vllm.entrypoints.openai.drain import Drain
from vllm.entrypoints.openai.refusals import refused

# Seconds from one token of a stream to the next.
TOKEN_SECONDS = float(os.environ.get("LLMFLEET_LAB_TOKEN_SECONDS", "0.05"))
OWNER = "llmfleet-lab-stand-in"


def options(arguments: list[str]) -> argparse.Namespace:
    """The few flags of vLLM that matter here; the rest is left to the real parser."""
    parser = argparse.ArgumentParser(prog="stand-in engine", allow_abbrev=False)
    parser.add_argument("--model", required=True)
    parser.add_argument("--served-model-name", nargs="+", required=True)
    parser.add_argument("--lora-modules", nargs="*", default=[])
    parser.add_argument("--port", type=int, default=8000)
    found, _rest = parser.parse_known_args(arguments)
    return found


class Handler(BaseHTTPRequestHandler):
    """The endpoints that probes, gateway and scrapers use. A stream takes its time, and the end waits for it."""

    names: list[str] = []
    drain = Drain()
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Health, the list of models, metrics."""
        if self.path == "/health":
            self._answer(200, b"", "text/plain")
        elif self.path == "/v1/models":
            data = [{"id": name, "object": "model", "owned_by": OWNER} for name in self.names]
            self._json(200, {"object": "list", "data": data})
        elif self.path == "/metrics":
            self._answer(200, b"# the stand-in engine counts nothing\n", "text/plain; version=0.0.4")
        else:
            self._json(404, {"error": {"message": "Not Found", "code": 404}})

    def do_POST(self) -> None:
        """Echo the prompt of a completion, unless the engine is told to end."""
        with self.drain.request() as accepted:
            if accepted:
                self._complete()
            else:
                self.close_connection = True
                self._json(500, {"error": {"message": "cannot schedule new futures after shutdown", "code": 500}})

    def _complete(self) -> None:
        asked: Any = json.loads(self._body() or b"{}")
        if self.path != "/v1/completions":
            self._json(404, {"error": {"message": "Not Found", "code": 404}})
        elif asked.get("model") not in self.names:
            self._json(404, {"error": {"message": f"The model `{asked.get('model')}` does not exist.", "code": 404}})
        elif asked.get("stream"):
            self._stream(asked)
        else:
            words = str(asked.get("prompt", "")).split()
            usage = {"prompt_tokens": len(words), "completion_tokens": len(words), "total_tokens": 2 * len(words)}
            choice = {"index": 0, "text": " ".join(words), "finish_reason": "stop"}
            answer = {"id": OWNER, "object": "text_completion", "model": asked["model"]}
            self._json(200, {**answer, "choices": [choice], "usage": usage})

    def _body(self) -> bytes:
        """The body of the request; a gateway that reads bodies itself sends it on in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return found

    def _stream(self, asked: dict[str, Any]) -> None:
        """Send max_tokens words of the prompt, over and over, an event each that names the pod, and the end."""
        words = str(asked.get("prompt", "")).split() or ["nothing"]
        count = int(asked.get("max_tokens", 16))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for at in range(count):
            reason = "length" if at == count - 1 else None
            choice = {"index": 0, "text": words[at % len(words)] + " ", "finish_reason": reason}
            event = {"id": OWNER, "object": "text_completion", "model": asked["model"], "choices": [choice]}
            self._event(json.dumps({**event, "system_fingerprint": socket.gethostname()}))
            time.sleep(TOKEN_SECONDS)
        self._event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, text: str) -> None:
        data = f"data: {text}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _json(self, status: int, body: dict[str, Any]) -> None:
        self._answer(status, json.dumps(body).encode(), "application/json")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: probes would fill the log."""


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM, and then what has begun."""
    given = options(arguments)
    adapters = dict(each.split("=", 1) for each in given.lora_modules)
    wanted = [Path(given.model) / "config.json", *(Path(path) / "adapter_config.json" for path in adapters.values())]
    for file in wanted:
        if not file.is_file():
            print(f"stand-in engine: no weights: {file} is missing", file=sys.stderr)
            return 1
    Handler.names = [*given.served_model_name, *adapters]
    server = ThreadingHTTPServer(("0.0.0.0", given.port), Handler)
    signal.signal(signal.SIGTERM, lambda *_signal: Handler.drain.end(server, arguments))
    print(f"stand-in engine (not vLLM) serves {', '.join(Handler.names)} on port {given.port}", flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(refused(sys.argv[1:]) or main(sys.argv[1:]))
