# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tiny model: small, the same every time, and readable by the libraries that serve it."""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from llmfleet_lab import tinymodel
from llmfleet_lab.hub_store import HubStore, Options
from safetensors import safe_open
from tokenizers import Tokenizer


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's files."""
    folder = tmp_path_factory.mktemp("model")
    tinymodel.write_model(folder)
    return folder


def _digests(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_is_small_and_complete(model: Path) -> None:
    assert _digests(model).keys() == {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "chat_template.jinja",
    }
    assert sum(file.stat().st_size for file in model.iterdir()) < 2_000_000


def test_tensors_are_those_of_the_configuration(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    with safe_open(model / "model.safetensors", "numpy") as file:
        found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    assert found == tinymodel.shapes()
    assert sum(math.prod(shape) for shape in found.values()) == 460_416
    assert found["lm_head.weight"] == (config["vocab_size"], config["hidden_size"])
    assert config["head_dim"] * config["num_attention_heads"] == config["hidden_size"]


def test_tokenizer_writes_any_text_and_names_every_token(model: Path) -> None:
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    config = json.loads((model / "config.json").read_text())
    text = "Grüße, 世界! <fleet> 0123"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text
    assert tokenizer.get_vocab_size() == config["vocab_size"]
    assert tokenizer.token_to_id("</s>") == config["eos_token_id"]
    assert tokenizer.encode("a</s>").ids[-1] == config["eos_token_id"]


def test_same_bytes_in_another_process(model: Path, tmp_path: Path) -> None:
    lab = str(Path(__file__).resolve().parents[3] / "lab")
    code = f"import sys; sys.path.insert(0, {lab!r}); from llmfleet_lab.tinymodel import main; sys.exit(main())"
    subprocess.run([sys.executable, "-c", code, "--out", str(tmp_path / "again")], check=True)
    assert _digests(tmp_path / "again") == _digests(model)


def test_the_adapter_fits_the_model_and_changes_it(model: Path, tmp_path: Path) -> None:
    tinymodel.write_lora(tmp_path)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == tinymodel.OPEN and config["r"] == 8
    changed = set()
    with (
        safe_open(tmp_path / "adapter_model.safetensors", "numpy") as adapter,
        safe_open(model / "model.safetensors", "numpy") as base,
    ):
        for name in adapter.keys():  # noqa: SIM118
            if name.endswith("lora_A.weight"):
                weight = base.get_tensor(name.removeprefix("base_model.model.").replace("lora_A.", ""))
                low, high = adapter.get_tensor(name), adapter.get_tensor(name.replace("lora_A", "lora_B"))
                change = high @ low * config["lora_alpha"] / config["r"]
                assert low.shape[0] == high.shape[1] == 8 and change.shape == weight.shape
                # What it adds outweighs what is there: no answer stays the same by chance.
                assert (change**2).sum() > (weight**2).sum()
                changed.add(name.split(".self_attn.")[1].split(".")[0])
    assert changed == set(config["target_modules"])


def test_repositories_of_the_hub(tmp_path: Path) -> None:
    tinymodel.lay_out_hub(tmp_path, token="hf_lab")
    before = _digests(tmp_path)
    tinymodel.lay_out_hub(tmp_path, token="hf_lab")
    assert _digests(tmp_path) == before, "laid out anew, not heaped up"
    store = HubStore(tmp_path)
    for name, commit in tinymodel.REVISIONS.items():
        repository = store.repository(name)
        assert repository is not None and repository.commit("main") == commit == repository.commit(commit)
        assert any(blob.path.endswith(".safetensors") for blob in repository.blobs(commit))
    assert store.granted("hf_lab") == frozenset({tinymodel.GATED})

    def options(name: str) -> Options:
        return Options.read(tmp_path / name / "options.json")

    assert options(tinymodel.OPEN) == Options()
    assert options(tinymodel.GATED).gated
    assert options(tinymodel.CORRUPT).corrupt == {"model.safetensors": None}
    assert options(tinymodel.LIMITED).rate_limit is not None


def test_revisions_are_those_that_inventories_name() -> None:
    assert tinymodel.REVISIONS[tinymodel.OPEN] == "66110e9db3866633cf2d66addbea3eb4266060f9"
    for name, revision in tinymodel.REVISIONS.items():
        assert revision == hashlib.sha1(name.encode()).hexdigest()
