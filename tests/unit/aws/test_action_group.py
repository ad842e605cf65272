# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action group: `module_defaults: group/llmfleet.eks.aws` reaches every module that speaks to AWS.

That defaults do reach them is seen in tests/unit/playbooks/test_module_cycles.py, which gives the region that way.
"""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]


def test_every_module_of_aws_is_in_the_group() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    group = [entry for entry in runtime["action_groups"]["aws"] if isinstance(entry, str)]
    modules = (ROOT / "plugins" / "modules").glob("*.py")
    assert group == sorted(path.stem for path in modules if "AnsibleAWSModule(" in path.read_text(encoding="utf-8"))
