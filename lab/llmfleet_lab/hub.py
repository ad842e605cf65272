# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look-alike of the Hugging Face Hub over a folder (see hub_store.py), for machines that cannot reach the real one.

Speaks what ``huggingface_hub`` and the weights fetcher ask for: model info, tree, refs, resolve with ranges; gated and
private repositories; limits, faults and corrupt content on demand. With ``--cdn`` LFS files are answered as the real
hub does: by a redirect to a signed link of another host, which expires and which refuses an Authorization header.

    python -m llmfleet_lab.hub --listen 10.245.0.1:8790 --root DIR --log FILE [--cdn 10.245.0.1:8791]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from llmfleet_lab.errors import LabError
from llmfleet_lab.hub_http import CdnHandler, HubHandler, HubServer
from llmfleet_lab.hub_state import HubState


@contextlib.contextmanager
def serve(
    root: Path, listen: tuple[str, int], log: Path | None = None, cdn: tuple[str, int] | None = None
) -> Iterator[str]:
    """Serve the folder while the context lasts; gives the base URL. Port 0 takes a free one; LabError if taken."""
    state = HubState(root, log)
    servers: list[HubServer] = []
    try:
        for address, handler in ((listen, HubHandler), (cdn, CdnHandler)):
            if address is None:
                continue
            try:
                servers.append(HubServer(address, state, handler))
            except OSError as error:
                raise LabError(f"the hub cannot listen on {address[0]}:{address[1]}: {error.strerror}") from None
        if cdn:
            state.cdn = f"{cdn[0]}:{servers[1].server_port}"
        for server in servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        yield f"http://{listen[0]}:{servers[0].server_port}"
        for server in servers:
            server.shutdown()
    finally:
        for server in servers:
            server.server_close()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"got {text!r}; accepted: HOST:PORT")
    return host, int(port)


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 1 when the hub cannot start."""
    parser = argparse.ArgumentParser(prog="python -m llmfleet_lab.hub", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--listen", type=_address, required=True, metavar="HOST:PORT")
    parser.add_argument("--root", type=Path, required=True, help="folder of the repositories")
    parser.add_argument("--log", type=Path, help="request log, lines of JSON")
    parser.add_argument("--cdn", type=_address, metavar="HOST:PORT", help="redirect LFS files to signed links of here")
    options = parser.parse_args(arguments)
    # Put back at the end: whoever calls this goes on, and so do the processes that it starts.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    try:
        with serve(options.root, options.listen, options.log, options.cdn) as url:
            print(f"hub look-alike of {options.root} at {url} (pid {os.getpid()})", flush=True)
            signal.sigwait({signal.SIGTERM, signal.SIGINT})
        return 0
    except LabError as error:
        print(f"hub: {error}", file=sys.stderr)
        return 1
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


if __name__ == "__main__":
    sys.exit(main())
