from __future__ import annotations

import json
import shutil
from pathlib import Path

import onnx
import pytest

from publishing.errors import PublishError
from publishing.proof.harmless import copy_harmless, refuse_code


@pytest.fixture
def theirs(tiny_release: Path, tmp_path: Path) -> Path:
    """A release that somebody else published, with programs beside it."""
    folder = Path(shutil.copytree(tiny_release, tmp_path / "theirs"))
    for name in ("handler.py", "modeling.py"):
        (folder / name).write_text("raise SystemExit\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
@pytest.mark.parametrize("key", ["auto_map", "custom_pipelines"])
def test_settings_that_name_code_are_refused(theirs: Path, name: str, key: str) -> None:
    path = theirs / name
    tree = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(tree | {key: {"AutoModel": "modeling.X"}}), encoding="utf-8")
    with pytest.raises(PublishError, match=rf"{name}: refers to its own code \({key}\)"):
        refuse_code(theirs, [])


@pytest.mark.parametrize("location", ["../../../etc/passwd", "/etc/passwd", "other.bin"])
@pytest.mark.parametrize("nested", [False, True])
def test_an_onnx_file_that_reads_another_is_refused(tmp_path: Path, location: str, nested: bool) -> None:
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[1], data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    graph = onnx.GraphProto(name="g", initializer=[tensor])
    if nested:
        inner = onnx.AttributeProto(name="then_branch", type=onnx.AttributeProto.GRAPH, g=graph)
        graph = onnx.GraphProto(name="outer", node=[onnx.NodeProto(op_type="If", attribute=[inner])])
    (tmp_path / "x.onnx").write_bytes(onnx.ModelProto(ir_version=8, graph=graph).SerializeToString())
    for name in ("config.json", "tokenizer_config.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    with pytest.raises(PublishError, match=r"x\.onnx: takes its weights from another file"):
        refuse_code(tmp_path, ["x.onnx"])


def test_no_pickle_and_no_script_is_within_reach(theirs: Path, tmp_path: Path) -> None:
    (theirs / "pytorch_model.bin").write_bytes(b"cposix\nsystem\n(S'id'\ntR.")
    (theirs / "adapter_config.json").write_text('{"base_model_name_or_path": "a/b"}', encoding="utf-8")
    folder = copy_harmless(theirs, ["onnx/model.onnx"], tmp_path / "model")
    assert {path.name for path in folder.rglob("*") if path.is_file()} <= {
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
        "special_tokens_map.json", "model.onnx",
    }  # fmt: skip


@pytest.mark.parametrize("said", ["where it is kept", "another key"])
def test_a_tensor_that_is_kept_elsewhere_is_refused_whatever_it_says_of_the_place(
    tmp_path: Path, said: str
) -> None:
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[1])
    if said == "where it is kept":
        tensor.data_location = onnx.TensorProto.EXTERNAL
    else:
        tensor.external_data.add(key="offset", value="0")
    graph = onnx.GraphProto(name="g", initializer=[tensor])
    (tmp_path / "x.onnx").write_bytes(onnx.ModelProto(ir_version=8, graph=graph).SerializeToString())
    for name in ("config.json", "tokenizer_config.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    with pytest.raises(PublishError, match=r"x\.onnx: takes its weights from another file"):
        refuse_code(tmp_path, ["x.onnx"])


@pytest.mark.parametrize("content", ["{", "[]"])
def test_settings_that_cannot_be_read_are_not_loaded(theirs: Path, content: str) -> None:
    (theirs / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(PublishError, match=r"config\.json: .*; not loaded"):
        refuse_code(theirs, [])


def test_an_honest_release_is_loaded(theirs: Path) -> None:
    refuse_code(theirs, ["onnx/model.onnx", "onnx/model_quantized.onnx"])
