"""The files by which Inference Endpoints serve a release: handler, the code behind it, a requirement."""

from __future__ import annotations

import re
from pathlib import Path

from finsent import REPOSITORY
from finsent.release import ENDPOINT_FILES, HANDLER, REQUIREMENTS

SOURCES = {HANDLER: REPOSITORY / "serving" / HANDLER}  # the others stand here as in a release
# The image has torch, transformers, tokenizers and numpy in versions that fit each other, so none is named.
_REQUIREMENTS = """\
# What handler.py needs beside the image of Inference Endpoints, which has transformers, tokenizers and numpy.
{pin}
"""


def write_endpoint_files(folder: Path) -> None:
    """Write handler.py, requirements.txt and inference/ into a release."""
    for name, content in _own_files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def find_foreign_files(folder: Path) -> list[str]:
    """Return the names of the endpoint files that are missing in a folder, or not as finsent writes them."""
    return [
        name
        for name, content in _own_files().items()
        if not (folder / name).is_file() or (folder / name).read_bytes() != content
    ]


def _own_files() -> dict[str, bytes]:
    code = {name: SOURCES.get(name, REPOSITORY / name) for name in ENDPOINT_FILES if name != REQUIREMENTS}
    requirements = _REQUIREMENTS.format(pin=_pin_of("onnxruntime"))
    return {name: path.read_bytes() for name, path in code.items()} | {REQUIREMENTS: requirements.encode()}


def _pin_of(package: str) -> str:
    """Return the line of the project's requirements that pins a package."""
    text = (REPOSITORY / REQUIREMENTS).read_text(encoding="utf-8")
    pins = re.findall(rf"(?m)^{re.escape(package)}==\S+$", text)
    assert pins, f"{REQUIREMENTS} has lost {package}"
    return str(pins[0])
