# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``lab up`` does with what a killed lab left: mend it, or start anew when the emulated AWS forgot its part."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from llmfleet_lab import cloud, control_plane, lifecycle, network, ownership, prerequisites
from llmfleet_lab.paths import Paths
from llmfleet_lab.processes import Daemon, Processes
from llmfleet_lab.progress import Progress

NAMES = ("aws", "etcd", "kubelet", "kube-apiserver", "versitygw", "hub", "csi")


class Reached(Exception):
    """The lab would be built and started now."""


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """Folders of a lab of its own, with nothing of this machine within reach, and nothing built or started."""

    def reached(*_arguments: object) -> None:
        raise Reached

    @contextlib.contextmanager
    def no_lock(_paths: Paths) -> Iterator[None]:
        yield

    monkeypatch.setattr(network, "take_down", lambda _paths: None)
    monkeypatch.setattr(network, "remove_cgroups", lambda: None)
    monkeypatch.setattr(ownership, "locked", no_lock)
    monkeypatch.setattr(prerequisites, "check", lambda *_arguments, **_more: None)
    monkeypatch.setattr(lifecycle, "build_all", reached)
    return Paths(cache=tmp_path / "cache", state=tmp_path / "state")


@pytest.fixture
def lab(paths: Paths) -> Iterator[Processes]:
    """Processes under the names of a lab's, and what etcd and the S3 server keep."""
    processes = Processes(paths)
    for name in NAMES:
        processes.ensure(Daemon(name=name, command=["/bin/sleep", "60"], ready=lambda: None))
    for kept in (control_plane.etcd_data(paths), cloud.buckets(paths)):
        kept.mkdir(parents=True)
        (kept / "kept").touch()
    yield processes
    for name in processes.names():
        processes.stop(name, within=1)


def kill(processes: Processes, *names: str) -> None:
    """Kill -9, and wait for it."""
    for name in names:
        pid = processes.pid(name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def up(paths: Paths) -> None:
    """``lab up`` until it would build and start."""
    with pytest.raises(Reached):
        lifecycle.up(paths, Progress())


def test_the_loss_of_anything_but_aws_keeps_cluster_and_bucket(paths: Paths, lab: Processes) -> None:
    aws = lab.pid("aws")
    kill(lab, *(name for name in NAMES if name != "aws"))
    up(paths)
    assert lab.pid("aws") == aws
    assert (control_plane.etcd_data(paths) / "kept").exists() and (cloud.buckets(paths) / "kept").exists()


def test_the_loss_of_aws_starts_anew_and_says_so(
    paths: Paths, lab: Processes, capsys: pytest.CaptureFixture[str]
) -> None:
    kill(lab, "aws")
    up(paths)
    assert "the lab starts anew" in capsys.readouterr().err
    assert lab.names() == []
    assert not control_plane.etcd_data(paths).exists() and not cloud.buckets(paths).exists()
    assert ownership.owner(paths) is None and (paths.state / "owner.json").exists()


@pytest.mark.parametrize("left", ["etcd", "s3"])
def test_remains_of_a_removal_that_was_cut_short_are_removed(paths: Paths, lab: Processes, left: str) -> None:
    kill(lab, *NAMES)
    gone = cloud.buckets(paths) if left == "etcd" else control_plane.etcd_data(paths)
    (gone / "kept").unlink()
    gone.rmdir()
    up(paths)
    assert not control_plane.etcd_data(paths).exists() and not cloud.buckets(paths).exists()


def test_a_first_start_removes_nothing_and_says_nothing(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    up(paths)
    assert capsys.readouterr().err == ""
