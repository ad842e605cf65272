# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real fetcher as a process, against the hub look-alike and an S3 server, both over loopback."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from llmfleet_lab.hub import serve
from moto.server import ThreadedMotoServer

# The folder that the package is in; in a pod it is /opt/llmfleet, and read-only.
FOLDER = Path(__file__).resolve().parents[3] / "roles" / "weights" / "files"
COMMIT = "c0ffee" + 34 * "0"
REPOSITORY = "acme/small"


class _Lines(logging.Handler):
    """Keeps the requests that the S3 server logs: ``METHOD /bucket/key?query``."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """One line a request."""
        parts = re.sub(r"\x1b\[[0-9;]*m", "", record.getMessage()).split('"')  # errors are coloured
        if len(parts) > 1:
            self.lines.append(parts[1].rsplit(" ", 1)[0])


@dataclass
class Result:
    """What a run of the fetcher left: exit status, output, its last line as JSON, largest resident size in bytes."""

    code: int
    output: str
    summary: dict[str, Any]
    peak: int


@dataclass
class World:
    """A hub, a bucket, and the fetcher between them."""

    root: Path
    hub: str
    hub_log: Path
    folder: Path
    s3: Any
    s3_lines: list[str]
    environ: dict[str, str]
    bucket: str

    def repository(self, files: dict[str, bytes], name: str = REPOSITORY, commit: str = COMMIT, **options: Any) -> None:
        """Put one commit of a repository, branch main, into the hub."""
        for path, content in files.items():
            target = self.root / name / commit / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        (self.root / name / "refs").mkdir(exist_ok=True)
        (self.root / name / "refs" / "main").write_text(commit)
        self.options(name, **options)

    def options(self, name: str = REPOSITORY, **options: Any) -> None:
        """Set how the repository behaves."""
        (self.root / name / "options.json").write_text(json.dumps(options))

    def config(self, **changes: Any) -> dict[str, Any]:
        """The configuration of model ``small``."""
        revision = changes.get("revision", COMMIT)
        prefix = f"models/small/{revision}"
        return {
            "model": "small",
            "repository": REPOSITORY,
            "revision": revision,
            "source": "hub",
            "files": [],
            "bucket": self.bucket,
            "prefix": prefix,
            "ledger": f"{prefix}/.llmfleet/ledger.json",
            "mount": str(self.folder / "mount"),
            "hub_endpoint": self.hub,
            **changes,
        }

    def start(
        self, verb: str = "fetch", environ: dict[str, str] | None = None, **changes: Any
    ) -> subprocess.Popen[str]:
        """Start the fetcher; its output goes to the file ``output``."""
        with (self.folder / "output").open("w") as output:
            return subprocess.Popen(
                [sys.executable, "-B", "-m", "fetcher", verb],
                cwd=FOLDER,
                env=self.environ | {"LLMFLEET_WEIGHTS": json.dumps(self.config(**changes))} | (environ or {}),
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def finish(self, process: subprocess.Popen[str]) -> Result:
        """Wait for the fetcher."""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output = (self.folder / "output").read_text()
        lines = [line for line in output.splitlines() if line.startswith("{")]
        summary = json.loads(lines[-1]) if lines else {}
        return Result(process.returncode, output, summary, usage.ru_maxrss * 1024)

    def run(self, verb: str = "fetch", environ: dict[str, str] | None = None, **changes: Any) -> Result:
        """Run the fetcher to its end."""
        return self.finish(self.start(verb, environ, **changes))

    def objects(self, revision: str = COMMIT) -> dict[str, int]:
        """Path below the prefix -> size of every object there."""
        prefix = f"models/small/{revision}/"
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return {each["Key"].removeprefix(prefix): each["Size"] for each in found}

    def content(self, path: str, revision: str = COMMIT) -> bytes:
        """One object's bytes."""
        key = f"models/small/{revision}/{path}"
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def ledger(self, revision: str = COMMIT) -> dict[str, Any]:
        """The published ledger."""
        return dict(json.loads(self.content(".llmfleet/ledger.json", revision)))

    def uploads(self) -> list[str]:
        """Keys of the unfinished multipart uploads."""
        return [each["Key"] for each in self.s3.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])]

    def parts(self, path: str) -> int:
        """How many parts of a file were uploaded to an unfinished upload."""
        key = f"models/small/{COMMIT}/{path}"
        for each in self.s3.list_multipart_uploads(Bucket=self.bucket).get("Uploads", []):
            if each["Key"] == key:
                found = self.s3.list_parts(Bucket=self.bucket, Key=key, UploadId=each["UploadId"])
                return len(found.get("Parts", []))
        return 0

    def requests(self) -> list[dict[str, Any]]:
        """What the hub was asked since the last call of forget()."""
        return [json.loads(line) for line in self.hub_log.read_text().splitlines()]

    def writes(self) -> list[str]:
        """Mutating requests to S3 since the last call of forget()."""
        return [line for line in self.s3_lines if line.split()[0] in ("PUT", "POST", "DELETE")]

    def forget(self) -> None:
        """Empty both request logs."""
        os.truncate(self.hub_log, 0)
        self.s3_lines.clear()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[tuple[str, list[str]]]:
    """URL of an S3 server, and the list its requests are logged to."""
    handler = _Lines()
    logger = logging.getLogger("werkzeug")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    logger.propagate = False
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}", handler.lines
    server.stop()
    logger.removeHandler(handler)
    logger.propagate = True


@pytest.fixture(scope="session")
def gateway_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path] | None]:
    """URL and folder of the lab's S3 server, a process of its own; None when there is no such program."""
    program = os.environ.get("LLMFLEET_LAB_VERSITYGW") or shutil.which("versitygw")
    if program is None:
        yield None
        return
    folder = tmp_path_factory.mktemp("versitygw")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [program, f"--port={address}", "--region=us-east-1", "--health=/_health", "--quiet", "posix", str(folder)]
    environment = {"ROOT_ACCESS_KEY": "testing", "ROOT_SECRET_KEY": "testing"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                urllib.request.urlopen(f"http://{address}/_health", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, "versitygw does not start"
                time.sleep(0.05)
        yield f"http://{address}", folder
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def make_world(
    tmp_path: Path, s3_server: tuple[str, list[str]], gateway_server: tuple[str, Path] | None
) -> Iterator[Callable[..., World]]:
    """A function that makes a World.

    ``cdn=True``: LFS files are redirected to signed links of another port. ``gateway=True``: with the lab's S3 server,
    whose requests are not logged.
    """
    credentials = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environ |= credentials | {
        "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        "LLMFLEET_TERMINATION_LOG": str(tmp_path / "termination-log"),
        "LLMFLEET_WEIGHTS_PART_MIB": "5",
        "LLMFLEET_WEIGHTS_CONNECTIONS": "3",
        "LLMFLEET_WEIGHTS_PATIENCE_SECONDS": "8",
    }
    with contextlib.ExitStack() as stack:

        def make(cdn: bool = False, gateway: bool = False) -> World:
            url, lines = s3_server
            if gateway:
                if gateway_server is None:
                    pytest.skip("no versitygw: set LLMFLEET_LAB_VERSITYGW to its program or have it on PATH")
                url, lines = gateway_server[0], []
            root, log = tmp_path / "hub", tmp_path / "hub.log"
            root.mkdir()
            hub = stack.enter_context(serve(root, ("127.0.0.1", 0), log, ("127.0.0.1", 0) if cdn else None))
            session = boto3.session.Session("testing", "testing", region_name="us-east-1")
            client = session.client("s3", endpoint_url=url)
            bucket = f"weights-{time.time_ns()}"
            client.create_bucket(Bucket=bucket)
            lines.clear()
            return World(root, hub, log, tmp_path, client, lines, environ | {"AWS_ENDPOINT_URL": url}, bucket)

        yield make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A World whose hub answers files itself."""
    return make_world()
