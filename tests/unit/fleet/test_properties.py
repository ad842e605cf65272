# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every description: a valid one renders, an invalid one is refused with its path, and nothing else."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import DescriptionErrors
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.files import files
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import LAYERS, ownership_labels
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.unit.fleet.drawing import descriptions

KNOWN = {"weights/fetcher/__main__.py": "a = 1\n"}
# Drawn the same way each time: what fails here fails everywhere. Not shrunk, which can take minutes: a failure prints
# the description as it was drawn.
BOUNDED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
SERVICE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
KEY = re.compile(rf"({SUBDOMAIN.pattern}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?")
# Their names become labels of pods, or names in DNS.
SHORT = {"Namespace": LABEL, "Service": SERVICE, "Job": LABEL, "Deployment": LABEL, "StatefulSet": LABEL}
# Wrong wherever a description can have a value.
WRONG: list[Any] = [3.5, [["x"]], {"nosuch!": {"a": 1}}]


def _maps(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from _maps(item)


@BOUNDED
@given(descriptions())
def test_a_valid_description_renders_objects_that_a_server_can_take(description: dict[str, Any]) -> None:
    fleet = describe(description)
    wanted = desired(fleet, KNOWN)
    assert json.loads(json.dumps(wanted.as_dict())) == wanted.as_dict()
    json.dumps(fleet.as_dict())
    seen = set()
    for entry in wanted.objects:
        manifest = entry["object"]
        kind, metadata = manifest["kind"], manifest["metadata"]
        assert entry["layer"] in LAYERS
        assert ownership_labels(fleet.names.cluster, entry["layer"]).items() <= metadata["labels"].items()
        assert SHORT.get(kind, SUBDOMAIN).fullmatch(metadata["name"]) and len(metadata["name"]) <= 253, metadata
        assert LABEL.fullmatch(metadata.get("namespace", "x")), metadata
        for place in _maps(manifest):
            for key, value in [*(place.get("labels") or {}).items(), *(place.get("matchLabels") or {}).items()]:
                assert KEY.fullmatch(key) and VALUE.fullmatch(value), (kind, metadata["name"], key, value)
        identity = (manifest["apiVersion"], kind, metadata.get("namespace"), metadata["name"])
        assert identity not in seen
        seen.add(identity)
    for model in fleet.models:
        assert any(identity[3] == model.name for identity in seen)


def _shuffled(value: Any, order: Any) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        order.shuffle(keys)
        return {key: _shuffled(value[key], order) for key in keys}
    return [_shuffled(item, order) for item in value] if isinstance(value, list) else value


# YAML is slow to write.
@settings(BOUNDED, max_examples=12)
@given(descriptions(), st.randoms(use_true_random=False))
def test_the_same_description_renders_the_same_bytes_however_its_keys_are_ordered(
    description: dict[str, Any], order: Any
) -> None:
    before = copy.deepcopy(description)
    once = files(desired(describe(description), KNOWN))
    assert description == before
    assert files(desired(describe(description), KNOWN)) == once
    assert files(desired(describe(_shuffled(description, order)), KNOWN)) == once


Path = tuple[str | int, ...]


def _paths(value: Any, below: Path = ()) -> Iterator[Path]:
    """Every place of a description, outermost first."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*below, key)
        yield from _paths(item, (*below, key))


def _at(description: Any, path: Path) -> Any:
    for key in path:
        description = description[key]
    return description


def _told(description: dict[str, Any], path: Path) -> str:
    """A path as a line names it."""
    variable, *rest = path
    text = str(variable)
    item = description[variable]
    if variable in ("llmfleet_models", "llmfleet_gpu_pools") and rest:
        index = rest.pop(0)
        text, item = f"{text}[{index}]", item[index]
    if variable in ("llmfleet_models", "llmfleet_gpu_pools", "llmfleet_cluster") and (
        rest or item is not description[variable]
    ):
        name = item.get("name") if isinstance(item, dict) else None
        text += f" ({name if isinstance(name, str) and name else '?'})"
    return text + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in rest)


def _refused(description: dict[str, Any], path: Path) -> list[str]:
    """The lines that a description is refused with, one of which is about a path or what it is in."""
    with pytest.raises(DescriptionErrors) as caught:
        describe(description)
    lines, told = caught.value.lines, _told(description, path)
    places = [line.split(": got ")[0] for line in lines]
    item = _told(description, path[:2])
    assert any(
        place == told
        or place.startswith((f"{told}.", f"{told}[", f"{told} ("))
        or (told.startswith(place) and len(place) >= len(item))
        for place in places
    ), (told, lines)
    return lines


@BOUNDED
@given(descriptions(), st.data())
def test_a_value_of_a_wrong_type_is_refused_with_its_path(description: dict[str, Any], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(_paths(description), key=str)))
    _at(description, path[:-1])[path[-1]] = data.draw(st.sampled_from(WRONG))
    _refused(description, path)


@BOUNDED
@given(descriptions(), st.data())
def test_an_unknown_key_is_refused_with_its_path(description: dict[str, Any], data: st.DataObject) -> None:
    maps = [path for path in _paths(description) if isinstance(_at(description, path), dict)]
    path = data.draw(st.sampled_from(sorted(maps, key=str)))
    _at(description, path)["no such"] = "x"
    _refused(description, (*path, "no such"))


@BOUNDED
@given(descriptions(), st.data())
def test_a_number_out_of_range_is_refused_with_its_path(description: dict[str, Any], data: st.DataObject) -> None:
    numbers = [
        path for path in _paths(description) if type(_at(description, path)) in (int, float) and path[-1] != "replicas"
    ]
    path = data.draw(st.sampled_from(sorted(numbers, key=str)))
    _at(description, path[:-1])[path[-1]] = -1 if isinstance(_at(description, path), int) else 7.5
    _refused(description, path)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below, max_size=3),
    max_leaves=6,
)


@BOUNDED
@given(descriptions(), st.data())
def test_whatever_is_written_is_rendered_or_refused(description: dict[str, Any], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(_paths(description), key=str)))
    _at(description, path[:-1])[path[-1]] = data.draw(ANYTHING)
    try:
        fleet = describe(description)
    except DescriptionErrors as errors:
        assert errors.lines and all(
            "\n" not in line and ": got " in line and "accepted: " in line for line in errors.lines
        )
        return
    for text in files(desired(fleet, KNOWN)).values():
        text.encode()
