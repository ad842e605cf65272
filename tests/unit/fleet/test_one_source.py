# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of fields, argument specs, documentation and inventories say the same."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.files import files
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.model_fields import MODEL_FIELDS
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.platform_fields import known_variables

from tests.unit.fleet.boundaries import ROOT, all_of_them, every_model_value, inventory

ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())
TYPES = {"int": int, "str": str, "bool": bool, "list": list, "dict": dict, "float": float}
PLUGINS = "ansible_collections.llmfleet.eks.plugins"
# Actions of the collection; their modules hold the documentation only.
ACTIONS = sorted(path.stem for path in (ROOT / "plugins" / "action").glob("*.py"))


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_options_of_a_role_are_its_defaults_and_are_used(role: Path) -> None:
    specs = _yaml(role / "meta" / "argument_specs.yml")["argument_specs"]
    assert "main" in specs and specs["main"]["short_description"]
    options = {name: option for spec in specs.values() for name, option in spec["options"].items()}
    defaults = _yaml(role / "defaults" / "main.yml") or {}
    assert {name: option["default"] for name, option in options.items() if "default" in option} == defaults
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("tasks", "templates", "vars")
        for path in (role / folder).rglob("*")
        if path.is_file()
    )
    for name, option in options.items():
        assert name.startswith(f"{role.name}_") and option["description"]
        if "default" in option:
            assert type(option["default"]) is TYPES[option["type"]], name
        assert re.search(rf"\b{name}\b", text), f"{name} is used nowhere"


def _documented_options(name: str) -> dict[str, Any]:
    documentation = yaml.safe_load(importlib.import_module(f"{PLUGINS}.modules.{name}").DOCUMENTATION)
    options = dict(documentation.get("options") or {})
    for fragment in documentation.get("extends_documentation_fragment") or []:
        namespace, _, kind = fragment.rpartition(".")
        if namespace == "llmfleet.eks":
            shared = importlib.import_module(f"{PLUGINS}.doc_fragments.{kind}").ModuleDocFragment.DOCUMENTATION
            options |= yaml.safe_load(shared).get("options") or {}
    return options


def _arguments(name: str) -> dict[str, Any]:
    """The argument spec of an action: an attribute, or the one that run() is written with."""
    action: Any = importlib.import_module(f"{PLUGINS}.action.{name}").ActionModule
    if hasattr(action, "ARGUMENTS"):
        return dict(action.ARGUMENTS)
    seen: dict[str, Any] = {}

    class Stop(Exception):
        pass

    def validate(self: Any, spec: dict[str, Any], **_rules: Any) -> Any:
        seen.update(spec)
        raise Stop

    module = type("Asked", (action,), {"__init__": lambda self: None, "validate_argument_spec": validate})()
    with pytest.raises(Stop):
        module.run(None, {})
    return seen


@pytest.mark.parametrize("name", ACTIONS)
def test_documentation_of_an_action_is_its_argument_spec(name: str) -> None:
    options, arguments = _documented_options(name), _arguments(name)
    assert sorted(options) == sorted(arguments)
    for option, said in options.items():
        spec = arguments[option]
        assert said.get("type", "str") == spec.get("type", "str"), option
        assert said.get("required", False) == spec.get("required", False), option
        assert said.get("choices") == spec.get("choices"), option
        assert said.get("default") == spec.get("default"), option
        assert said.get("elements") == spec.get("elements"), option


def test_only_a_playbook_that_applies_charts_recovers_releases() -> None:
    recovers = {}
    for path in (ROOT / "playbooks").glob("*.yml"):
        roles = {role["role"]: role.get("vars", {}) for play in _yaml(path) for role in play.get("roles", [])}
        if "llmfleet.eks.preflight" in roles:
            recovers[path.stem] = roles["llmfleet.eks.preflight"].get("preflight_recover", True)
    # The one chart that preload applies recovers its own release; those of the gateway are none of its business.
    assert recovers == {"site": True, "models": False, "verify": False, "preload": False}


@pytest.mark.parametrize("name", ACTIONS)
def test_examples_of_an_action_use_options_that_there_are(name: str) -> None:
    tasks = yaml.safe_load(importlib.import_module(f"{PLUGINS}.modules.{name}").EXAMPLES)
    used = [
        (key.rpartition(".")[2], given or {})
        for task in tasks
        for key, given in task.items()
        if key.startswith("llmfleet.eks.")
    ]
    assert name in [action for action, _given in used]
    for action, given in used:
        options = _documented_options(action)
        assert set(given) <= set(options), action
        assert {option for option, said in options.items() if said.get("required")} <= set(given), action
        for option, said in options.items():
            assert option not in given or "choices" not in said or given[option] in said["choices"], option


@pytest.mark.parametrize("name", ["example", "lab"])
def test_an_inventory_is_described_and_rendered(name: str) -> None:
    fleet = describe(inventory(name))
    assert fleet.models and files(desired(fleet, {}))


@pytest.mark.parametrize("name", all_of_them())
def test_every_description_that_goes_to_a_server_renders(name: str) -> None:
    assert files(desired(describe(all_of_them()[name]), {}))


def test_every_built_field_of_a_model_has_values_that_go_to_a_server() -> None:
    models = every_model_value()["llmfleet_models"]
    assert len(models) > 70
    for field in MODEL_FIELDS:
        # Needs weights.load stream, and a picker.
        if field.built and field.path not in ("weights.stream_concurrency", "scaling.saturation_target"):
            top, _, rest = field.path.partition(".")
            assert any(top in model and (not rest or rest in model[top]) for model in models), field.path


SOURCES = [
    path
    for pattern in (
        "README.md",
        "docs/*.md",
        "inventories/**/*.yml",
        "playbooks/*.yml",
        "roles/*/*/*.yml",
        "molecule/**/*.yml",
    )
    for path in sorted(ROOT.glob(pattern))
]


def test_pages_playbooks_and_roles_name_variables_that_there_are() -> None:
    assert len(SOURCES) > 40
    named = {
        (name, str(path.relative_to(ROOT)))
        for path in SOURCES
        for name in re.findall(r"(?<![\w/.-])llmfleet_[a-z_]+(?![\w/])", path.read_text(encoding="utf-8"))
    }
    # The lab's own program.
    unknown = {(name, path) for name, path in named if name not in known_variables() and name != "llmfleet_lab"}
    assert not unknown
    assert len({name for name, _path in named}) > 20
