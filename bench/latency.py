# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API server that is further away: a proxy on loopback that lets every byte wait, the same for each contender."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from bench.lab import Lab

_CHUNK = 256 * 1024


@contextlib.contextmanager
def far_away(lab: Lab, scratch: Path, milliseconds: float) -> Iterator[Lab]:
    """The lab with that much added to each round trip, half of it in each direction; bandwidth stays what it is.

    The certificate is still verified, by the name of the real API server.
    """
    document = yaml.safe_load(lab.kubeconfig.read_text())
    (entry,) = document["clusters"]
    server = urlsplit(entry["cluster"]["server"])
    with _proxy(str(server.hostname), server.port or 443, milliseconds / 2000) as port:
        entry["cluster"].setdefault("tls-server-name", server.hostname)
        entry["cluster"]["server"] = f"https://127.0.0.1:{port}"
        file = scratch / "far-away.kubeconfig"
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump(document))
        yield replace(lab, through=file)


@contextlib.contextmanager
def _proxy(host: str, port: int, delay: float) -> Iterator[int]:
    """Forward connections to a server; every byte arrives `delay` seconds after it came. Yields the proxy's port."""
    listening: Future[int] = Future()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The handshake of the connection itself takes a round trip, too.
        await asyncio.sleep(2 * delay)
        try:
            far_reader, far_writer = await asyncio.open_connection(host, port)
        except OSError:
            writer.close()
            return
        # Cancelled when the proxy ends; Python 3.12 reports that of a connection as an error.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(_forward(reader, far_writer, delay), _forward(far_reader, writer, delay))

    async def proxy() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        listening.set_result(int(server.sockets[0].getsockname()[1]))
        await stop.wait()
        server.close()

    def run() -> None:
        # What is still open at the end is cancelled by the runner.
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(proxy())

    thread = threading.Thread(target=run, name="bench-proxy", daemon=True)
    thread.start()
    try:
        yield listening.result(timeout=10)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=10)


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Write what is read, in order, each piece after its delay, however much comes meanwhile."""
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def write() -> None:
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                return
            writer.write(data)
            await writer.drain()

    writing = asyncio.create_task(write())
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            under_way.put_nowait((loop.time() + delay, data))
    under_way.put_nowait((loop.time() + delay, b""))
    with contextlib.suppress(OSError):
        await writing
    with contextlib.suppress(OSError):
        writer.close()
