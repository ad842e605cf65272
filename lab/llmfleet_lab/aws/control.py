# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own paths below /_lab/: health, faults on demand, counters, delays, lag, clock. They are no part of AWS."""

from __future__ import annotations

import json
from typing import Any

from llmfleet_lab.aws.addons import Addons
from llmfleet_lab.aws.injection import Injection
from llmfleet_lab.aws.request import Request
from llmfleet_lab.aws.request_log import RequestLog
from llmfleet_lab.aws.response import Response
from llmfleet_lab.aws.s3files.resources import Store
from llmfleet_lab.aws.world import World

PREFIX = "/_lab/"


class Control:
    """Answers requests below /_lab/."""

    def __init__(self, injection: Injection, log: RequestLog, store: Store, addons: Addons, world: World) -> None:
        self._world = world
        self._injection = injection
        self._log = log
        self._store = store
        self._addons = addons

    def serve(self, request: Request) -> Response:
        """Answer one request; 400 with {"error"} for a bad one."""
        try:
            status, answer = self._answer(request)
        except ValueError as error:
            status, answer = 400, {"error": str(error)}
        return Response.of(status, [("Content-Type", "application/json")], json.dumps(answer).encode())

    def _answer(self, request: Request) -> tuple[int, Any]:
        match (request.method, request.path.removeprefix(PREFIX)):
            case ("GET", "health"):
                return 200, {"status": "ok"}
            case ("GET", "faults"):
                return 200, {"faults": self._injection.pending()}
            case ("POST", "faults"):
                return 201, self._injection.add(json.loads(request.body))
            case ("DELETE", "faults"):
                self._injection.clear()
                return 200, {"faults": []}
            case ("GET", "requests"):
                since = request.parameter("since") or "0"
                if not since.isdigit():
                    raise ValueError(f"since: got {since!r}, expected a number")
                return 200, self._log.counters(int(since))
            case ("PUT", "delays"):
                return 200, self._delays(json.loads(request.body))
            case ("PUT", "lag"):
                document = json.loads(request.body)
                self._world.lag = _seconds(document)
                self._world.role_lag = _seconds(document, "roles" if "roles" in document else "seconds")
                return 200, {"seconds": self._world.lag, "roles": self._world.role_lag}
            case ("PUT", "clock"):
                self._world.clock_offset = _seconds(json.loads(request.body))
                return 200, {"seconds": self._world.clock_offset}
            case ("PUT", "addon-failure"):
                return 200, self._addons.fail_next(json.loads(request.body))
            case ("PUT", "pending-export"):
                return 200, self._pending_export(json.loads(request.body))
        return 404, {"error": f"{request.method} {request.path}: no such control"}

    def _delays(self, document: Any) -> dict[str, float]:
        """Change how long resources of S3 Files and EKS add-ons take to become available and to vanish, in seconds."""
        if not isinstance(document, dict) or set(document) - set(self._store.delays):
            raise ValueError("expected an object with the keys creating and deleting")
        for key, value in document.items():
            if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
                raise ValueError(f"{key}: got {value!r}, expected seconds, 0 or more")
        with self._store.lock:
            self._store.delays.update({key: float(value) for key, value in document.items()})
            return dict(self._store.delays)

    def _pending_export(self, document: Any) -> dict[str, Any]:
        """Say of a file system whether it has data that is not exported to its bucket yet."""
        if not isinstance(document, dict) or not isinstance(document.get("pending"), bool):
            raise ValueError("expected an object with fileSystemId and pending (true or false)")
        with self._store.lock:
            file_system = self._store.file_systems.get(str(document.get("fileSystemId")))
            if file_system is None:
                raise ValueError(f"fileSystemId: there is no file system {document.get('fileSystemId')!r}")
            file_system.pending_export = document["pending"]
            return {"fileSystemId": file_system.identifier, "pending": file_system.pending_export}


def _seconds(document: Any, key: str = "seconds") -> float:
    """The seconds by which lists lag ("roles": new roles are unheard of), or AWS's clock is ahead. 0 ends it."""
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{key}: got {value!r}, expected a number, 0 or more")
    return float(value)
