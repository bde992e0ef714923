"""The two forms of the Space as folders to upload: a Gradio app, or a static page that needs no server.

The push tool and the tests call this, so what is tested is what is sent. It is not uploaded itself.
"""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from finsent import REPOSITORY
from finsent.onnx_files import QUANTIZED
from finsent.yaml_dialects import dump_yaml

SpaceForm = Literal["gradio", "static"]

SPACE = REPOSITORY / "space"
INFERENCE = REPOSITORY / "inference"
HUB = "https://huggingface.co"
EMOJI = "💬"
ENTRY: dict[SpaceForm, str] = {"gradio": "app.py", "static": "index.html"}
PIN = "model.json"  # names the model and its commit in both forms; what changes when it is pointed elsewhere
SHARED = ("style.css", "words.json")  # of static/: the Gradio form has the same look and words
_SETTINGS = re.compile(r'(<script type="application/json" id="settings">)(.*?)(</script>)', re.DOTALL)


@dataclass(frozen=True)
class Subject:
    """What the Space is about. `revision` is the commit of the model, None while there is none yet.

    `dtype` is what the default file is, `host` where browsers find the model, `unit` what one text is
    called, and several; a licence of None is not named. `forms` are those that can show the model.
    """

    model: str
    title: str
    summary: str
    licence: str | None
    revision: str | None = None
    dtype: str = QUANTIZED.dtype
    host: str = HUB
    unit: tuple[str, str] = ("text", "texts")
    tags: tuple[str, ...] = ()
    notice: str | None = None
    emoji: str = EMOJI
    description: str = "A text classifier, one text or many"
    forms: tuple[SpaceForm, ...] = ("gradio", "static")


@dataclass(frozen=True)
class DemoFiles:
    """Where the files of both forms lie: the Gradio app's in `folder`, the page's in its folder static/.

    `inference` is the folder of the modules that the Gradio app is sent with; None for an app that has none.
    """

    folder: Path = SPACE
    inference: Path | None = INFERENCE

    def paths(self, form: SpaceForm) -> dict[str, Path]:
        """Return every file of a form: its name in the Space, and where it lies here."""
        if form == "static":
            return {path.name: path for path in sorted((self.folder / "static").glob("*.*"))}
        own = [*self.folder.glob("*.py"), *self.folder.glob("*.css"), self.folder / "requirements.txt"]
        shared = [self.folder / "static" / name for name in SHARED]
        found = {path.relative_to(self.folder).as_posix(): path for path in [*own, *shared] if path.is_file()}
        modules = self.inference.glob("*.py") if self.inference else ()
        found |= {f"inference/{path.name}": path for path in modules}
        return dict(sorted(found.items()))

    def has(self, form: SpaceForm) -> bool:
        """Tell whether there is such a form."""
        return ENTRY[form] in self.paths(form)


def write_form(
    form: SpaceForm,
    subject: Subject,
    target: Path,
    page: Mapping[str, str] | None = None,
    files: DemoFiles | None = None,
) -> list[str]:
    """Fill `target` with one form of the Space; return the names of its files, sorted.

    `page` changes settings of the static page: `library` and `wasm` for a local copy of transformers.js.
    Raises FileExistsError when `target` is not empty, so that nothing strange is uploaded with it, and
    FileNotFoundError when there is no such form.
    """
    if target.exists() and any(target.iterdir()):
        raise FileExistsError(f"{target} is not empty; give a new folder")
    paths = (files or DemoFiles()).paths(form)
    if ENTRY[form] not in paths:
        raise FileNotFoundError(f"there is no {ENTRY[form]}, so there is no {form} form")
    for name, path in paths.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / name)
    _write(target / "README.md", readme(form, subject))
    _write(target / PIN, pin(subject))
    if form == "static":
        index = target / ENTRY[form]
        _write(index, _with_settings(index.read_text(encoding="utf-8"), subject, page or {}))
    return sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())


def pin(subject: Subject) -> str:
    """Return the content of the file that names the model and its commit."""
    return json.dumps({"id": subject.model, "revision": subject.revision}) + "\n"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def readme(form: SpaceForm, subject: Subject) -> str:
    """Return the README of a form, with its front matter."""
    environment = Environment(
        loader=FileSystemLoader(SPACE),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown; the words are the recipe's own
    )
    words: dict[str, Any] = {
        name: getattr(subject, name) for name in ("model", "title", "summary", "dtype", "notice")
    }
    words["one"], words["many"] = subject.unit
    # another Hub may be on this machine, at another port tomorrow
    words["link"] = f"{HUB}/{subject.model}" if subject.host == HUB else None
    matter = dump_yaml(front_matter(form, subject), width=1000)
    template = environment.get_template("README.md.jinja")
    return template.render(**words, sdk=form, front_matter=f"---\n{matter}---")


def front_matter(form: SpaceForm, subject: Subject) -> dict[str, Any]:
    """Return the metadata of the Space; the version of gradio is that of requirements.txt."""
    matter: dict[str, Any] = {
        "title": subject.title[:60],
        "emoji": subject.emoji,
        "colorFrom": "blue",
        "colorTo": "green",
    }
    matter |= {"sdk": form, "app_file": ENTRY[form]}
    if form == "gradio":
        matter |= {"sdk_version": pinned("gradio"), "python_version": python_version()}
    if subject.licence:
        matter["license"] = subject.licence
    return matter | {
        "models": [subject.model],
        "short_description": subject.description,
        "tags": [*subject.tags, *(["mcp-server"] if form == "gradio" else [])],
    }


def pinned(package: str) -> str:
    """Return the version of a package in requirements.txt; KeyError if it is not there."""
    lines = (SPACE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    return pins[package]


def python_version() -> str:
    """Return the Python that the Space runs: the oldest that the project supports, as mypy checks it."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    oldest, _ = str(project["project"]["requires-python"]).split(",")
    return oldest.removeprefix(">=")


def _with_settings(html: str, subject: Subject, page: Mapping[str, str]) -> str:
    """Return the page with its settings changed; `<` is escaped, so no value can end the script element."""
    found = _SETTINGS.search(html)
    assert found, "index.html has lost its settings"
    settings = json.loads(found[2])
    settings |= {name: getattr(subject, name) for name in ("model", "title", "dtype", "host")}
    settings["unit"] = dict(zip(("one", "many"), subject.unit, strict=True))
    settings |= page
    text = json.dumps(settings, indent=2, ensure_ascii=False).replace("<", "\\u003c")
    return html[: found.start(2)] + "\n" + text + "\n" + html[found.end(2) :]
