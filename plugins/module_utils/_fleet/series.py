# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The series that scaling and alerts are made of: what an engine says of itself, and what Kubernetes says of it.

vLLM 0.32 labels its series with model_name, the first served name, and engine: requests for adapters count under their
base model. The scraper adds namespace and pod. Series that begin with kube_ come from kube-state-metrics, which
may be absent: every query says what it gives then.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model

# How long a replica has been ready before its engine counts as lost when nothing is heard of it.
SETTLED = "2m"


def quoted(text: str) -> str:
    """Return a text as a string of PromQL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


@dataclass(frozen=True)
class Series:
    """Selectors of a model's series. namespace: that of models. several_nodes: whether a replica has more than one."""

    namespace: str
    model: str
    several_nodes: bool = False

    @classmethod
    def of(cls, build: Builder, model: Model) -> Series:
        """The series of a model of a fleet."""
        return cls(build.fleet.names.models_namespace, model.name, model.get("gpu.nodes") > 1)

    def engine(self, metric: str, more: str = "") -> str:
        """A series of the model's engines; more: further matchers, each after a comma."""
        return f"{metric}{{namespace={quoted(self.namespace)},model_name={quoted(self.model)}{more}}}"

    @property
    def wanted(self) -> str:
        """Replicas that are wanted."""
        return self._workload("kube_statefulset_replicas" if self.several_nodes else "kube_deployment_spec_replicas")

    @property
    def ready(self) -> str:
        """Replicas that are ready; 0 as long as there is none."""
        kind = "statefulset" if self.several_nodes else "deployment"
        return self._workload(f"kube_{kind}_status_replicas_ready")

    def pods(self, metric: str, more: str = "") -> str:
        """A series of the model's pods, by the names that their controllers give."""
        form = "[0-9]+(-[0-9]+)?" if self.several_nodes else "[a-z0-9]+-[a-z0-9]{5}"
        return f"{metric}{{namespace={quoted(self.namespace)},pod=~{quoted(f'{self.model}-{form}')}{more}}}"

    def load(self, metric: str, start: int) -> str:
        """The sum of a gauge over the replicas, for a scaler that takes nothing for an error.

        Nothing as long as an engine that has been ready for a while is not heard of: half of the load would read as
        half of the replicas. 0 where Kubernetes says that no replica is wanted, or that none has been ready for as long
        as a start may take: in the time between, those that serve are only being replaced. Without kube-state-metrics
        it is the sum of what is heard, and nothing where nothing is heard. start: seconds.
        """
        heard = self.engine(metric)
        lost = f"max(min_over_time({self.ready}[{SETTLED}])) > count({heard})"
        asleep, starting = f"max({self.wanted}) == 0", f"max(max_over_time({self.ready}[{start}s])) == 0"
        return f"(sum({heard}) unless on() ({lost})) or on() ({asleep}) or on() ({starting})"

    def _workload(self, metric: str) -> str:
        # A LeaderWorkerSet keeps its leaders in a StatefulSet of its own name.
        kind = "statefulset" if self.several_nodes else "deployment"
        return f"{metric}{{namespace={quoted(self.namespace)},{kind}={quoted(self.model)}}}"
