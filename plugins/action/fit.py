# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of llmfleet.eks.fit: see plugins/modules/fit.py for its documentation."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.bucket import read_object
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import DENIED_CODES, AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import client as aws_client
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import session
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import DescriptionErrors, Errors
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit import Checkpoint, Fit, fit, read_checkpoint, told
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_ledger import ledger_files, ledger_key
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_refusals import refuse
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Fleet, Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.from_tasks import describe_host
from ansible_collections.llmfleet.eks.plugins.plugin_utils.cluster_action import ClusterAction

# boto3's own pool of connections has ten.
_AT_ONCE = 8


class ActionModule(ClusterAction):
    """Reads the bucket, and neither writes anything nor speaks to the cluster."""

    ARGUMENTS = {"refuse": {"type": "bool", "default": True}}

    def work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read what is known of every chosen model, tell its figures, refuse what cannot start."""
        try:
            fleet = describe_host(task_vars, self._templar.template)
        except DescriptionErrors as error:
            raise ClusterError(str(error)) from None
        try:
            aws_session = session(fleet.aws, fleet.names.region)
            s3 = aws_client(aws_session, "s3")
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                found = list(pool.map(lambda model: _checkpoint(s3, fleet, model), fleet.chosen))
        except AwsError as error:
            raise ClusterError(str(error)) from None
        fits: list[Fit] = []
        not_known: dict[str, str] = {}
        errors, lines = Errors(), []
        for model, checkpoint in zip(fleet.chosen, found, strict=True):
            if isinstance(checkpoint, str):
                not_known[model.name] = checkpoint
                lines.append(f"{model.name}: {checkpoint}")
                continue
            pool_of = fleet.pool(model.get("gpu.pool"))
            fits.append(one := fit(model, pool_of, checkpoint))
            lines += told(one)
            refuse(one, pool_of.name, pool_of.gpus, model.get("weights.repository"), fleet.place(model, errors))
        show = self.progress(task_vars)
        for line in lines:
            show(line)
        result: dict[str, Any] = {"changed": False, "not_known": not_known, "errors": errors.lines}
        if errors.lines and arguments["refuse"]:
            # The figures have been shown: a failure is to be read, and stays short.
            return {**result, "failed": True, "msg": "\n".join(errors.lines)}
        for line in errors.lines:
            self._display.warning(line)
        return {**result, "models": [one.as_dict() for one in fits], "lines": lines}


def _checkpoint(s3: Any, fleet: Fleet, model: Model) -> Checkpoint | str:
    """What the bucket has of a model, or why that is not known. Raises AwsError."""
    bucket = fleet.names.bucket
    try:
        ledger = read_object(s3, bucket, ledger_key(model))
        config = None if ledger is None else read_object(s3, bucket, f"{model.prefix}/config.json")
    except AwsError as error:
        if error.code in DENIED_CODES:
            # Who may run the platform need not be allowed to read weights: no reason to stop.
            return f"not known: {error}"
        raise
    if ledger is None:
        return "not known yet: its weights are not in the bucket"
    if config is None:
        return "not known: the weights have no config.json"
    try:
        parsed = json.loads(config)
        if not isinstance(parsed, dict):
            raise ValueError("config.json is no map")
        return read_checkpoint(parsed, ledger_files(model, ledger))
    except ValueError as error:
        return f"not known: {error}"
