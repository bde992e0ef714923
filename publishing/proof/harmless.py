"""What must not lie in a stranger's model when it is loaded: code, pickles, paths of other files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from finsent.release import CONFIG, TOKENIZER_CONFIG, TRANSFORMERS_FILES
from publishing.errors import PublishError

CODE_KEYS = ("auto_map", "custom_pipelines")  # by these transformers finds code in a repository


def copy_harmless(snapshot: Path, onnx_files: Iterable[str], target: Path) -> Path:
    """Link what a model is loaded from into `target`, by a list: no script, no pickle lies within reach."""
    for name in (*TRANSFORMERS_FILES, *onnx_files):
        if (snapshot / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            os.link((snapshot / name).resolve(), target / name)
    return target


def refuse_code(folder: Path, onnx_files: Iterable[str]) -> None:
    """Raise PublishError for settings that name code, and for ONNX files that read other files."""
    for name in (CONFIG, TOKENIZER_CONFIG):
        for key in CODE_KEYS:
            if key in _read_settings(folder / name):
                raise PublishError(f"{name}: refers to its own code ({key}), which is never run; not loaded")
    for name in onnx_files:
        if other := next(_external_files(folder / name), None):
            raise PublishError(f"{name}: takes its weights from another file, {other[:80]!r}; not loaded")


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        tree = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise PublishError(f"{path.name}: cannot be read ({type(error).__name__}); not loaded") from None
    if not isinstance(tree, dict):
        raise PublishError(f"{path.name}: must be a mapping, got {type(tree).__name__}; not loaded")
    return tree


def _external_files(path: Path) -> Iterator[str]:
    """Yield the locations of weights outside an ONNX file, those of nested graphs and functions, too."""
    import onnx  # slow to import, and only needed in the process that loads
    from google.protobuf.message import DecodeError, Message

    def walk(message: Message) -> Iterator[str]:
        if isinstance(message, onnx.TensorProto):
            if message.external_data or message.data_location == onnx.TensorProto.EXTERNAL:
                yield next((one.value for one in message.external_data if one.key == "location"), "")
            return
        for field, value in message.ListFields():
            if field.type == field.TYPE_MESSAGE:
                for one in value if field.is_repeated else [value]:
                    yield from walk(one)

    try:
        model = onnx.load(path, load_external_data=False)
    except (DecodeError, OSError, ValueError) as error:
        raise PublishError(f"{path.name}: is not an ONNX file ({type(error).__name__}); not loaded") from None
    yield from (location or "unnamed" for location in walk(model))
