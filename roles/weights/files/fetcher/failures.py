# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run fails: an exception a reason, each with its exit status."""

from __future__ import annotations


class FetchError(Exception):
    """A failure told without a traceback. ``code`` is the exit status; ``retryable``: another run may succeed."""

    code = 1
    kind = "error"
    retryable = False


class ConfigError(FetchError):
    """The configuration cannot work."""

    code, kind = 2, "configuration"


class AccessError(FetchError):
    """The hub or S3 refuses us."""

    code, kind = 3, "access"


class NotFoundError(FetchError):
    """No such repository, revision or file."""

    code, kind = 4, "not_found"


class CorruptError(FetchError):
    """The content is not what the source says it is."""

    code, kind = 5, "corrupt"


class IncompleteError(FetchError):
    """``check``: the mount does not show what the ledger lists."""

    code, kind, retryable = 6, "incomplete", True


class TemporaryError(FetchError):
    """Network, limits and server errors that outlasted our patience. ``wait``: seconds the server asked for."""

    code, kind, retryable = 75, "temporary", True

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class ChangedError(FetchError):
    """What is read has been replaced since it was listed: another run lists it anew."""

    code, kind, retryable = 75, "temporary", True


class StoppedError(FetchError):
    """SIGTERM or SIGINT."""

    code, kind, retryable = 143, "stopped", True
