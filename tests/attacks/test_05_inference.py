"""What a pushed model can make the inference service do."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pickle
import shutil
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from huggingface_hub import CommitOperationAdd, HfApi

from local_hub import HubSettings, RunningHub, running_hub
from local_hub.errors import HubError
from local_hub.model_files import export_model
from tests.attacks.served import running_below
from tests.local_hub.accounts import GRANTS, WRITE
from tests.local_hub.tiny_classifier import card, write_tiny_classifier

SECONDS = 12.0


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    root = tmp_path_factory.mktemp("hub")
    settings = HubSettings(root, tokens=GRANTS, xet=False, inference_seconds=SECONDS)
    with running_hub(settings) as running, pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.ENDPOINT", running.endpoint)
        yield running
        assert running_below(root)
    assert running_below(root) == []


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("honest")
    write_tiny_classifier(folder)
    (folder / "README.md").write_text(card(), encoding="utf-8")
    return folder


@pytest.fixture
def classifier(honest: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(honest, tmp_path / "classifier"))


def push(hub: RunningHub, folder: Path, name: str) -> str:
    api = HfApi(endpoint=hub.endpoint, token=WRITE)
    api.create_repo(f"ann/{name}")
    files = [CommitOperationAdd(path.name, path) for path in folder.iterdir()]
    api.create_commit(f"ann/{name}", files, commit_message="model")
    return f"ann/{name}"


def ask(hub: RunningHub, model: str, text: str = "profit") -> requests.Response:
    url = f"{hub.endpoint}/hf-inference/models/{model}"
    for _ in range(4):
        answer = requests.post(url, json={"inputs": text}, timeout=120)
        if answer.status_code != 503:  # 503: it is still loading
            break
    return answer


def change(folder: Path, name: str, edit: Callable[[dict[str, Any]], object]) -> None:
    value = json.loads((folder / name).read_text(encoding="utf-8"))
    edit(value)
    (folder / name).write_text(json.dumps(value), encoding="utf-8")


def refused(hub: RunningHub, model: str, text: str = "profit") -> str:
    answer = ask(hub, model, text)
    assert answer.status_code == 400, answer.text
    told: str = answer.json()["error"]
    assert str(hub.hub.settings.root) not in told
    return told


class _Payload:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize(
    "name",
    ["weights.bin", "weights.txt", "../escaped.safetensors", "sub/x.safetensors", "/etc/passwd", 7, None],
)
def test_an_index_names_only_safetensors_beside_it(
    hub: RunningHub, classifier: Path, tmp_path: Path, name: object
) -> None:
    (classifier / "model.safetensors").rename(classifier / "other.safetensors")
    (classifier / "weights.bin").write_bytes(pickle.dumps(_Payload(tmp_path / "ran")))
    shutil.copyfile(classifier / "weights.bin", classifier / "weights.txt")
    index = {"metadata": {}, "weight_map": {"classifier.bias": name}}
    (classifier / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    told = refused(hub, push(hub, classifier, f"index-{abs(hash(str(name))) % 10**8}"))
    assert "only .safetensors files beside it are loaded" in told
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("text", ["[]", "{}", '{"weight_map": []}', "{", "[" * 100_000])
def test_an_index_that_is_none_is_refused(hub: RunningHub, classifier: Path, text: str) -> None:
    (classifier / "model.safetensors.index.json").write_text(text, encoding="utf-8")
    refused(hub, push(hub, classifier, f"no-index-{len(text)}-{abs(hash(text)) % 10**6}"))


def test_nothing_but_configuration_vocabulary_and_safetensors_is_within_reach(
    hub: RunningHub, classifier: Path, tmp_path: Path
) -> None:
    for name in ("pytorch_model.bin", "model.pt", "model.py", "flax_model.msgpack", "adapter_config.json"):
        (classifier / name).write_bytes(b"x\0")
    (classifier / "pytorch_model.bin.index.json").write_text("{}", encoding="utf-8")
    shelf = hub.hub.catalogue.get(_id(push(hub, classifier, "reach")))
    assert shelf is not None
    export_model(shelf, shelf.repository.resolve("main"), tmp_path / "export")
    found = {path.name for path in (tmp_path / "export").iterdir()}
    expected = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert found == expected | {"special_tokens_map.json"}


def _id(name: str) -> Any:
    from local_hub.names import RepoId

    return RepoId("models", *name.split("/"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("num_hidden_layers", 10**7),
        ("n_layer", 10**9),
        ("encoder_layers", 5000),
        ("num_labels", 10**9),
        ("depths", [10**8]),
        ("transformers_weights", "weights.bin"),
    ],
)
def test_what_would_be_counted_up_to_is_refused_before_loading(
    hub: RunningHub, classifier: Path, tmp_path: Path, key: str, value: object
) -> None:
    change(classifier, "config.json", lambda config: config.update({key: value}))
    shelf = hub.hub.catalogue.get(_id(push(hub, classifier, f"count-{key.replace('_', '-')}")))
    assert shelf is not None
    with pytest.raises(HubError, match=r"config\.json"):
        export_model(shelf, shelf.repository.resolve("main"), tmp_path / "export")


@pytest.mark.parametrize(
    ("key", "value"), [("hidden_size", 1 << 24), ("vocab_size", 10**12), ("max_position_embeddings", 10**10)]
)
def test_sizes_that_the_weights_do_not_hold_are_refused_before_allocation(
    hub: RunningHub, classifier: Path, key: str, value: int
) -> None:
    change(classifier, "config.json", lambda config: config.update({key: value}))
    told = refused(hub, push(hub, classifier, f"size-{key.replace('_', '-')}"))
    assert "the safetensors files contain" in told


def test_a_panic_is_a_sentence_and_the_model_goes_on(hub: RunningHub, classifier: Path) -> None:
    charsmap = struct.pack("<III", 8, 0x400, 0) + b"x"  # a trie that leads outside of itself
    normalizer = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap).decode()}
    change(classifier, "tokenizer.json", lambda config: config.update({"normalizer": normalizer}))
    model = push(hub, classifier, "panic")
    assert "index out of bounds" in refused(hub, model, "hello é")
    assert "index out of bounds" in refused(hub, model, "hello é")  # loaded anew


def slow(folder: Path) -> None:
    """A tokenizer that doubles every text thirty times."""
    doubling = [{"type": "Replace", "pattern": {"String": "zq"}, "content": "zqzq"}] * 30
    normalizer = {"type": "Sequence", "normalizers": doubling}
    change(folder, "tokenizer.json", lambda config: config.update({"normalizer": normalizer}))


def test_an_answer_that_takes_too_long_is_ended_and_stops_nobody_else(
    hub: RunningHub, classifier: Path, honest: Path
) -> None:
    """44 anonymous requests to a slow model: the pages and the other models answer meanwhile."""
    slow(classifier)
    bad, good = push(hub, classifier, "slow"), push(hub, honest, "good")
    assert ask(hub, bad).ok
    assert ask(hub, good).ok
    url = f"{hub.endpoint}/hf-inference/models/{bad}"
    codes: list[int] = []

    def attack() -> None:
        with contextlib.suppress(requests.ConnectionError):  # the Hub closes before all have their turn
            codes.append(requests.post(url, json={"inputs": "zq"}, timeout=120).status_code)

    threads = [threading.Thread(target=attack, daemon=True) for _ in range(44)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    for path in ("/login", "/", f"/{good}", "/api/models"):
        started = time.monotonic()
        assert requests.get(hub.endpoint + path, timeout=20).ok
        assert time.monotonic() - started < SECONDS / 2, path  # behind a slow answer it would be nearly all
    started = time.monotonic()
    assert ask(hub, good).ok
    assert time.monotonic() - started < SECONDS
    deadline = time.monotonic() + 60
    while not codes and time.monotonic() < deadline:
        time.sleep(0.1)
    assert set(codes) <= {400, 503}
    assert codes
