"""The two forms of the Space as folders to upload: a Gradio app, or a static page that needs no server.

The publisher calls this; it is not uploaded.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

Form = Literal["gradio", "static"]

HERE = Path(__file__).parent
HUB = "https://huggingface.co"
PYTHON = "3.11"
GRADIO_MODULES = (
    *("app", "classifier", "model", "explain", "tables", "results", "markup"),
    *("one", "many", "compare", "about", "endpoints", "snippets", "newest", "look"),
)
GRADIO_FILES = (
    *(f"{name}.py" for name in GRADIO_MODULES),
    "gradio.css",
    "requirements.txt",
    "static/style.css",
)
STATIC_FILES = ("index.html", "app.js", "style.css")
_SETTINGS = re.compile(r'(<script type="application/json" id="settings">)(.*?)(</script>)', re.DOTALL)


@dataclass(frozen=True)
class Subject:
    """What the Space is about. `revision` is the commit of the model, `dtype` what its default file is.

    `host` is where browsers find the model; `extra` goes into the front matter as it is.
    """

    model: str
    revision: str
    title: str
    summary: str
    licence: str
    dtype: Literal["q8", "fp32"] = "q8"
    host: str = HUB
    extra: Mapping[str, Any] | None = None


def write_form(
    form: Form, subject: Subject, target: Path, page: Mapping[str, str] | None = None
) -> list[str]:
    """Fill `target` with one form of the Space; return the names of its files, sorted.

    `page` changes settings of the static page: `library` and `wasm` for a local copy of transformers.js.
    Raises FileExistsError when `target` is not empty, so that nothing strange is uploaded with it.
    """
    if target.exists() and any(target.iterdir()):
        raise FileExistsError(f"{target} is not empty; give a new folder")
    files = GRADIO_FILES if form == "gradio" else STATIC_FILES
    origin = HERE if form == "gradio" else HERE / "static"
    for name in files:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(origin / name, target / name)
    (target / "README.md").write_text(readme(form, subject), encoding="utf-8")
    if form == "gradio":
        _write_defaults(target / "app.py", subject)
    else:
        index = target / "index.html"
        index.write_text(
            _with_settings(index.read_text(encoding="utf-8"), subject, page or {}), encoding="utf-8"
        )
    return sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())


def readme(form: Form, subject: Subject) -> str:
    """Return the README of a form, with its front matter."""
    environment = Environment(
        loader=FileSystemLoader(HERE),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown; the words are the recipe's own
    )
    words = {
        name: getattr(subject, name) for name in ("model", "revision", "title", "summary", "dtype", "host")
    }
    matter = yaml.safe_dump(front_matter(form, subject), sort_keys=False, allow_unicode=True, width=1000)
    template = environment.get_template("README.md.jinja")
    return template.render(**words, sdk=form, front_matter=f"---\n{matter}---")


def front_matter(form: Form, subject: Subject) -> dict[str, Any]:
    """Return the metadata of the Space; the version of gradio is that of requirements.txt."""
    matter: dict[str, Any] = {
        "title": subject.title[:60],
        "emoji": "📰",
        "colorFrom": "blue",
        "colorTo": "green",
    }
    matter["sdk"] = form
    if form == "gradio":
        matter |= {"sdk_version": pinned("gradio"), "python_version": PYTHON, "app_file": "app.py"}
    else:
        matter |= {"app_file": "index.html"}
    matter |= {
        "license": subject.licence,
        "models": [subject.model],
        "short_description": "Sentiment of financial headlines, one or many",
        "tags": ["finance", "sentiment-analysis", *(["mcp-server"] if form == "gradio" else [])],
    }
    return matter | dict(subject.extra or {})


def pinned(package: str) -> str:
    """Return the version of a package in requirements.txt; KeyError when it is not there."""
    lines = (HERE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    return pins[package]


def _with_settings(html: str, subject: Subject, page: Mapping[str, str]) -> str:
    """Return the page with its settings changed; `<` is escaped, so no value can end the script element."""
    found = _SETTINGS.search(html)
    assert found, "index.html has lost its settings"
    settings = json.loads(found[2])
    settings |= {name: getattr(subject, name) for name in ("model", "revision", "title", "dtype", "host")}
    settings |= {"pinned": None, **page}
    text = json.dumps(settings, indent=2, ensure_ascii=False).replace("<", "\\u003c")
    return html[: found.start(2)] + "\n" + text + "\n" + html[found.end(2) :]


def _write_defaults(app: Path, subject: Subject) -> None:
    """Write model and commit into the app, so that it runs the very release even without variables."""
    code = app.read_text(encoding="utf-8")
    for name, value in (("DEFAULT_MODEL", subject.model), ("DEFAULT_REVISION", subject.revision)):
        found = re.search(rf"^{name} = .*$", code, re.MULTILINE)
        assert found, f"app.py has lost {name}"
        code = f"{code[: found.start()]}{name} = {value!r}{code[found.end() :]}"
    app.write_text(code, encoding="utf-8")
