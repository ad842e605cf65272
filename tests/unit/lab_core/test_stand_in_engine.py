# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in engine as a process: it streams, ends as vLLM ends, and refuses what vLLM's engine refuses."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from llmfleet_lab.paths import LAB_SOURCE

Start = Callable[..., "Engine"]


class Engine:
    """One engine on a port of its own, a token every 50 ms."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        module = ["-m", "vllm.entrypoints.openai.api_server", "--model", str(folder), "--served-model-name", "tiny"]
        self.process = subprocess.Popen(
            [sys.executable, *module, "--port", str(self.port), *arguments],
            env={**os.environ, "PYTHONPATH": str(LAB_SOURCE / "stand-in-engine"), "LLMFLEET_LAB_TOKEN_SECONDS": "0.05"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ready(self) -> Engine:
        """Wait until it answers."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return self
            except OSError:
                assert self.process.poll() is None, self.output()
                time.sleep(0.05)
        raise AssertionError("the engine does not answer")

    def ask(self, **more: object) -> http.client.HTTPResponse:
        """Ask for a completion; the answer is still to be read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        body = json.dumps({"model": "tiny", "prompt": "one two", **more})
        connection.request("POST", "/v1/completions", body, {"Content-Type": "application/json"})
        return connection.getresponse()

    def output(self) -> str:
        """What it has said, once it has ended."""
        return self.process.communicate(timeout=20)[0]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts engines, and ends them."""
    (tmp_path / "config.json").write_text("{}")
    engines: list[Engine] = []

    def begin(*arguments: str) -> Engine:
        engines.append(Engine(tmp_path, *arguments))
        return engines[-1]

    yield begin
    for engine in engines:
        engine.process.kill()
        engine.process.wait()


def events(text: str) -> list[str]:
    return [line.removeprefix("data: ") for line in text.split("\n\n") if line]


def test_a_body_may_come_in_chunks(start: Start) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", start().ready().port, timeout=20)
    parts = (part.encode() for part in ('{"model": "tiny", ', '"prompt": "one', ' two"}'))
    for _ in range(2):
        headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
        connection.request("POST", "/v1/completions", parts, headers, encode_chunked=True)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["choices"][0]["text"]) == (200, "one two")
        # The connection goes on where the body has ended.
        parts = (part.encode() for part in ('{"model": "tiny", "prompt": "one two"}',))


def test_a_stream_is_slow_and_has_an_end(start: Start) -> None:
    engine = start().ready()
    began = time.monotonic()
    answer = engine.ask(stream=True, max_tokens=5)
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    found = events(answer.read().decode())
    assert time.monotonic() - began > 0.2
    choices = [json.loads(event)["choices"][0] for event in found[:-1]]
    assert found[-1] == "[DONE]" and "".join(choice["text"] for choice in choices) == "one two one two one "
    assert [choice["finish_reason"] for choice in choices] == [None, None, None, None, "length"]
    whole = json.loads(engine.ask().read())
    assert whole["choices"][0]["text"] == "one two"


def test_told_to_end_it_finishes_what_runs_and_begins_nothing(start: Start) -> None:
    engine = start("--shutdown-timeout", "20").ready()
    answer = engine.ask(stream=True, max_tokens=30)
    first = answer.read(40)
    engine.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    refused = engine.ask()
    assert refused.status == 500
    refused.read()
    found = events((first + answer.read()).decode())
    assert len(found) == 31 and found[-1] == "[DONE]"
    assert engine.process.wait(20) == 0
    assert "1 requests run, for at most 20 s" in engine.output()


@pytest.mark.parametrize("arguments", [[], ["--shutdown-timeout", "0"], ["--shutdown-timeout", "1"]])
def test_after_its_time_it_cuts_what_runs(start: Start, arguments: list[str]) -> None:
    engine = start(*arguments).ready()
    answer = engine.ask(stream=True, max_tokens=200)
    first = answer.read(40)
    began = time.monotonic()
    engine.process.send_signal(signal.SIGTERM)
    assert engine.process.wait(20) == 0
    assert time.monotonic() - began < 8
    with pytest.raises(http.client.IncompleteRead):
        answer.read()
    assert first


def test_a_batch_that_holds_no_sequences_is_refused(start: Start) -> None:
    engine = start("--max-num-seqs", "4", "--max-num-batched-tokens=3")
    assert engine.process.wait(20) == 1
    words = "max_num_batched_tokens (3) must be greater than or equal to max_num_seqs (4)"
    assert f"ValueError: {words}." in engine.output()
    assert start("--max-num-seqs", "4", "--max-num-batched-tokens=4").ready().ask().status == 200
