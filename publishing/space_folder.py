"""The folder of a Space, made from space/: one of its two forms, with a README that pins sdk and model."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any, Literal

import yaml

from finsent.release import CARD
from model_card.document import split_card
from publishing.errors import LintError
from publishing.manifest import is_allowed

Sdk = Literal["gradio", "static"]
Form = Literal["auto", "gradio", "static", "zerogpu", "none"]
MODEL_FILE = "model.json"  # what a static page reads: it has no environment
ENTRY = {"gradio": "app.py", "static": "index.html"}
PYTHON = "3.11"


def has_form(folder: Path, sdk: Sdk) -> bool:
    """Tell whether a folder holds this form of the demo."""
    return (_root(folder, sdk) / ENTRY[sdk]).is_file()


def _root(folder: Path, sdk: Sdk) -> Path:
    return folder if sdk == "gradio" else folder / "static"


def render_space(
    folder: Path,
    sdk: Sdk,
    model: str,
    revision: str | None,
    licence: str | None,
    outbox: Path,
    host: str | None = None,
) -> Path:
    """Write one form of the demo into `outbox` and return that; `host` is None for the public Hub.

    LintError when there is no such form.
    """
    root = _root(folder, sdk)
    if not has_form(folder, sdk):
        raise LintError(f"{folder}: has no {ENTRY[sdk]} for the {sdk} form; publish with --space none")
    shutil.rmtree(outbox, ignore_errors=True)
    outbox.mkdir(parents=True)
    for path in sorted(root.rglob("*")):  # the Gradio form shares static/style.css with the other
        name = path.relative_to(root).as_posix()
        if path.is_file() and is_allowed("space", name) and name != CARD:
            (outbox / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, outbox / name)
    if sdk == "static":
        (outbox / MODEL_FILE).write_bytes(pinned_model(model, revision, host))
    card = render_card(folder, sdk, model, licence)
    (outbox / CARD).write_text(card, encoding="utf-8", newline="\n")
    return outbox


def pinned_model(model: str, revision: str | None, host: str | None = None) -> bytes:
    """Return the content of the file that tells a static page which model it shows, and of which Hub."""
    return (
        json.dumps({"id": model, "revision": revision} | ({"host": host} if host else {})) + "\n"
    ).encode()


def render_card(folder: Path, sdk: Sdk, model: str, licence: str | None) -> str:
    """Return the Space's README: its own words where it has some, and the keys that must be true."""
    path = folder / CARD
    document = split_card(path.read_text(encoding="utf-8") if path.is_file() else "")
    name = model.rpartition("/")[2]
    tree: dict[str, Any] = {
        "title": f"{name} demo",
        "emoji": "📈",
        "colorFrom": "blue",
        "colorTo": "gray",
        "short_description": f"Sentiment of financial headlines, {name}"[:60],
    }
    if licence:
        tree["license"] = licence
    tree |= yaml.safe_load(document.front or "") or {}
    for key in ("sdk_version", "python_version"):
        tree.pop(key, None)
    tree |= {"sdk": sdk, "app_file": ENTRY[sdk], "models": [model]}
    version = gradio_version(folder) if sdk == "gradio" else None
    if version:
        tree |= {"sdk_version": version, "python_version": PYTHON}
    body = document.body.strip("\n") or f"The demo of [{model}](https://huggingface.co/{model})."
    front = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
    return f"---\n{front}---\n\n{body}\n"


def gradio_version(folder: Path) -> str | None:
    """Return the version of gradio that the Space's requirements pin, None where they pin none."""
    path = folder / "requirements.txt"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    match = re.search(r"^gradio(?:\[[\w,]+\])?==([\w.]+)", text, re.MULTILINE)
    return match[1] if match else None
