# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The S3 client, and its failures as ours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from .failures import AccessError, ChangedError, ConfigError, FetchError, TemporaryError
from .settings import Config


@contextlib.contextmanager
def s3_errors(what: str) -> Iterator[None]:
    """Turn botocore's failures into ours, naming what was tried."""
    import botocore.exceptions

    try:
        yield
    except botocore.exceptions.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        said = f"S3 refuses to {what}: {code}"
        if code in ("NoSuchBucket", "InvalidBucketName"):
            raise ConfigError(said) from None
        if code == "PreconditionFailed":
            raise ChangedError(f"{said}: it changed while it was read; another run reads what is there now") from None
        if code in ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AllAccessDisabled", "403"):
            message = error.response.get("Error", {}).get("Message", "")
            raise AccessError(f"{said}{': ' + message if message else ''}") from None
        if status in (400, 405, 501) and code not in ("ExpiredToken", "RequestTimeout", "InvalidPart", "BadDigest"):
            raise FetchError(f"{said} (HTTP {status})") from None
        raise TemporaryError(said) from None
    except (botocore.exceptions.NoCredentialsError, botocore.exceptions.PartialCredentialsError):
        raise ConfigError(f"cannot {what}: no AWS credentials (pod identity or environment)") from None
    except botocore.exceptions.ParamValidationError as error:
        raise ConfigError(f"cannot {what}: {error}") from None
    except botocore.exceptions.BotoCoreError as error:
        raise TemporaryError(f"cannot {what}: {type(error).__name__}: {error}") from None


def s3_client(config: Config, environ: Mapping[str, str]) -> Any:
    """An S3 client with patience and enough connections; an own endpoint (AWS_ENDPOINT_URL…) gets path-style keys."""
    import boto3
    import botocore.config

    own = any(environ.get(name) for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"))
    with s3_errors("make an S3 client"):
        return boto3.client(
            "s3",
            config=botocore.config.Config(
                retries={"mode": "standard", "total_max_attempts": 8},
                connect_timeout=10,
                read_timeout=60,
                max_pool_connections=config.connections + 4,
                s3={"addressing_style": "path" if own else "auto"},
                user_agent_extra="llmfleet-weights/1",
            ),
        )
