# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A random Llama of 460 thousand parameters with a tokenizer, a LoRA adapter for it, and the hub's repositories of it.

Made by numpy, safetensors and tokenizers alone, in seconds, the same bytes every time (one fixed seed):

    python -m llmfleet_lab.tinymodel --out DIR     the model's files
    python -m llmfleet_lab.tinymodel --hub ROOT    the repositories of REVISIONS, for llmfleet_lab.hub;
                                                   the token for the gated one is read from LLMFLEET_LAB_HUB_TOKEN
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from llmfleet_lab.errors import LabError
from llmfleet_lab.hub_store import grant

OPEN = "llmfleet/tiny-llama"
GATED = "llmfleet/tiny-llama-gated"
CORRUPT = "llmfleet/tiny-llama-corrupt"
LIMITED = "llmfleet/tiny-llama-limited"
LORA = "llmfleet/tiny-llama-lora"
# A revision is derived from the repository's name, not from content, so that an inventory can name it literally.
REVISIONS: dict[str, str] = {
    name: hashlib.sha1(name.encode()).hexdigest() for name in (OPEN, GATED, CORRUPT, LIMITED, LORA)
}
_OPTIONS: dict[str, dict[str, Any]] = {
    GATED: {"gated": True},
    CORRUPT: {"corrupt": {"model.safetensors": None}},
    LIMITED: {"rate_limit": {"first": 3, "window_seconds": 30, "retry_after": 1}},
}

TOKEN_VARIABLE = "LLMFLEET_LAB_HUB_TOKEN"
SEED = 20260101
VOCABULARY = 512
HIDDEN = 128
INTERMEDIATE = 300
LAYERS = 2
HEADS = 2
KV_HEADS = 1
HEAD = HIDDEN // HEADS
LORA_RANK = 8
_SPECIAL = {"<s>": 0, "</s>": 1, "<pad>": 2}
_TEXT = """A fleet of models serves many readers. Each model is fetched once, checked by its hash, and kept in a bucket.
The gateway sends a question to the model that knows the answer; the scaler adds a replica when the queue grows.
Readers ask, models answer, tokens flow. When nobody asks, the fleet sleeps, and no machine is left running.
The quick brown fox jumps over the lazy dog, and 0123456789 are the digits that count it.
Storage holds weights; nodes hold accelerators; controllers watch objects and bring them to their desired state.
A request waits, runs and finishes. Latency is measured from the first byte asked to the last byte answered.
When a machine disappears, another takes its place; whatever was half written is written again, and then published."""
_CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)


def shapes() -> dict[str, tuple[int, ...]]:
    """Name -> shape of every tensor of the model, as transformers' LlamaForCausalLM names them."""
    tensors: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (VOCABULARY, HIDDEN)}
    for layer in range(LAYERS):
        base = f"model.layers.{layer}."
        tensors |= {
            base + "input_layernorm.weight": (HIDDEN,),
            base + "self_attn.q_proj.weight": (HEADS * HEAD, HIDDEN),
            base + "self_attn.k_proj.weight": (KV_HEADS * HEAD, HIDDEN),
            base + "self_attn.v_proj.weight": (KV_HEADS * HEAD, HIDDEN),
            base + "self_attn.o_proj.weight": (HIDDEN, HEADS * HEAD),
            base + "post_attention_layernorm.weight": (HIDDEN,),
            base + "mlp.gate_proj.weight": (INTERMEDIATE, HIDDEN),
            base + "mlp.up_proj.weight": (INTERMEDIATE, HIDDEN),
            base + "mlp.down_proj.weight": (HIDDEN, INTERMEDIATE),
        }
    return tensors | {"model.norm.weight": (HIDDEN,), "lm_head.weight": (VOCABULARY, HIDDEN)}


def _config() -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": VOCABULARY,
        "hidden_size": HIDDEN,
        "intermediate_size": INTERMEDIATE,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "head_dim": HEAD,
        "hidden_act": "silu",
        "max_position_embeddings": 8192,
        "initializer_range": 0.02,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": False,
        "bos_token_id": _SPECIAL["<s>"],
        "eos_token_id": _SPECIAL["</s>"],
        "pad_token_id": _SPECIAL["<pad>"],
        "torch_dtype": "float32",
        "use_cache": True,
    }


def _write_json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=2) + "\n")


def _write_tensors(path: Path, tensors: dict[str, tuple[int, ...]], scale: float, seed: int) -> None:
    """Random tensors (normal, of standard deviation ``scale``; norms are ones) as float32 in a safetensors file."""
    import numpy
    from safetensors.numpy import save_file

    # RandomState is frozen by numpy: the same numbers in every release, which Generator does not promise.
    random = numpy.random.RandomState(seed)
    values = {
        name: numpy.ones(shape, numpy.float32)
        if name.endswith("norm.weight")
        else (random.standard_normal(shape) * scale).astype(numpy.float32)
        for name, shape in tensors.items()
    }
    save_file(values, path, metadata={"format": "pt"})
    path.chmod(0o644)  # safetensors makes it 0600; a serving pod has another user


def _write_tokenizer(folder: Path) -> None:
    """A byte-level BPE tokenizer (any text can be written in it) with its configuration and chat template."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in _SPECIAL],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_TEXT.splitlines(), trainer)
    if tokenizer.get_vocab_size() != VOCABULARY:  # else the model could sample a token that has no text
        raise LabError(f"the tokenizer has {tokenizer.get_vocab_size()} tokens, the model {VOCABULARY}")
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": "<s>",
            "eos_token": "</s>",
            "pad_token": "<pad>",
            "model_max_length": 8192,
            "clean_up_tokenization_spaces": False,
        },
    )
    _write_json(folder / "special_tokens_map.json", {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"})
    (folder / "chat_template.jinja").write_text(_CHAT_TEMPLATE)


def write_model(folder: Path) -> None:
    """Write the model's files (under 2 MB) into ``folder``, which is made. LabError when a library is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _write_tensors(folder / "model.safetensors", shapes(), 0.02, SEED)
        _write_tokenizer(folder)
    except ModuleNotFoundError as error:
        raise LabError(f"{error.name} is missing in {sys.executable}: install requirements-dev.txt there") from None
    _write_json(folder / "config.json", _config())
    _write_json(
        folder / "generation_config.json",
        {"bos_token_id": _SPECIAL["<s>"], "eos_token_id": _SPECIAL["</s>"], "pad_token_id": _SPECIAL["<pad>"]},
    )


def write_lora(folder: Path) -> None:
    """Write a LoRA adapter of the model (rank 8, query and value projections) into ``folder``, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, tuple[int, ...]] = {}
    for layer in range(LAYERS):
        for projection, heads in (("q_proj", HEADS), ("v_proj", KV_HEADS)):
            base = f"base_model.model.model.layers.{layer}.self_attn.{projection}"
            tensors[f"{base}.lora_A.weight"] = (LORA_RANK, HIDDEN)
            tensors[f"{base}.lora_B.weight"] = (heads * HEAD, LORA_RANK)
    _write_tensors(folder / "adapter_model.safetensors", tensors, 0.2, SEED + 1)
    _write_json(
        folder / "adapter_config.json",
        {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": OPEN,
            "r": LORA_RANK,
            "lora_alpha": 2 * LORA_RANK,
            "lora_dropout": 0.0,
            "bias": "none",
            "target_modules": ["q_proj", "v_proj"],
            "inference_mode": True,
        },
    )


def lay_out_hub(root: Path, token: str | None = None) -> None:
    """Make every repository of REVISIONS below ``root`` (each with a branch main), anew where one is there.

    ``token`` may read the gated repository; only its hash is kept. Without it nobody may.
    """
    for name, commit in REVISIONS.items():
        repository = root / name
        shutil.rmtree(repository, ignore_errors=True)
        files = repository / commit
        if name == LORA:
            write_lora(files)
        elif name == OPEN:
            write_model(files)
            # What a real repository has too and the fetcher must leave where it is.
            (files / "README.md").write_text("# tiny-llama\n\nRandom weights for the lab.\n")
            (files / "pytorch_model.bin").write_bytes(b"\x80\x02not a pickle that anybody should load")
        else:
            shutil.copytree(root / OPEN / REVISIONS[OPEN], files)
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text(commit + "\n")
        if name in _OPTIONS:
            _write_json(repository / "options.json", _OPTIONS[name])
    if token:
        grant(root, token, [GATED])


def main(arguments: list[str] | None = None) -> int:
    """Write the model or the hub's repositories; 1 when it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m llmfleet_lab.tinymodel")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=Path, help="folder to write the model's files to")
    what.add_argument("--hub", type=Path, help="folder to lay the hub's repositories out in")
    options = parser.parse_args(arguments)
    try:
        if options.out:
            write_model(options.out)
        else:
            lay_out_hub(options.hub, os.environ.get(TOKEN_VARIABLE))
    except LabError as error:
        print(f"tinymodel: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
