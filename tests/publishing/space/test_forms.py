from __future__ import annotations

import ast
import dataclasses
import json
import re
import subprocess
from pathlib import Path

import app
import pytest
import yaml
from huggingface_hub import SpaceCardData

from finsent import REPOSITORY
from publishing.package.manifest import read_folder
from publishing.space.forms import (
    INFERENCE,
    PIN,
    SHARED,
    SPACE,
    DemoFiles,
    SpaceForm,
    front_matter,
    pinned,
    python_version,
    readme,
    write_form,
)
from publishing.space.subject import describe_shortly, describe_subject
from tests.model_card.samples import make_metrics, make_recipe
from tests.space.conftest import SUBJECT

STAYS_BEHIND = {"README.md.jinja", "ruff.toml", "Dockerfile", "requirements.lock"}


@pytest.mark.parametrize("form", ["gradio", "static"])
def test_a_form_has_its_files_and_no_other(form: SpaceForm, tmp_path: Path) -> None:
    names = write_form(form, SUBJECT, tmp_path / "x")
    assert names == sorted([*DemoFiles().paths(form), "README.md", PIN])
    assert read_folder(tmp_path / "x", "space").left_out == ()  # a push sends them all
    with pytest.raises(FileExistsError, match="is not empty; give a new folder"):
        write_form(form, SUBJECT, tmp_path / "x")


def test_every_file_of_the_demo_is_sent() -> None:
    """What git knows of the folder is in a form, or stays behind by name: nothing is forgotten or strange."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=SPACE, capture_output=True, text=True, check=True,
    )  # fmt: skip
    gradio, static = (set(DemoFiles().paths(form)) for form in ("gradio", "static"))
    sent = {name for name in gradio if not name.startswith("inference/")} | {
        f"static/{name}" for name in static
    }
    assert sent == set(listed.stdout.split()) - STAYS_BEHIND
    assert {f"static/{name}" for name in SHARED} <= gradio
    assert {f"inference/{path.name}" for path in INFERENCE.glob("*.py")} <= gradio


def test_the_gradio_form_needs_nothing_that_stays_behind() -> None:
    paths = {name: path for name, path in DemoFiles().paths("gradio").items() if name.endswith(".py")}
    rooms = {path.name for path in REPOSITORY.iterdir()} - {"inference"}
    for path in paths.values():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        froms = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
        names = [
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        ]
        assert not {one.partition(".")[0] for one in froms + names} & rooms, path
        modules = {f"{one.replace('.', '/')}.py" for one in froms if one.startswith("inference")}
        assert modules <= set(paths), path


def test_the_page_loads_nothing_that_stays_behind() -> None:
    paths = DemoFiles().paths("static")
    code = "\n".join(path.read_text(encoding="utf-8") for path in paths.values())
    loaded = re.findall(r"""(?:from "\./|fetch\("|href="|src=")([\w.]+)\"""", code)
    assert len(set(loaded)) > 8 and set(loaded) <= set(paths)


@pytest.mark.parametrize("form", ["gradio", "static"])
def test_the_readme_starts_with_its_front_matter(form: SpaceForm) -> None:
    text = readme(form, SUBJECT)
    found = re.match(r"---\n(.*?)\n---\n\n# finsent demo\n", text, re.DOTALL)
    assert found
    matter = yaml.safe_load(found[1])
    assert matter == front_matter(form, SUBJECT)
    assert SpaceCardData(**matter).sdk == form
    assert len(matter["short_description"]) <= 60
    assert matter["models"] == [SUBJECT.model]
    assert "{{" not in text and f"[{SUBJECT.model}](https://huggingface.co/{SUBJECT.model})" in text


def test_a_readme_names_no_port_and_no_commit_that_would_go_stale() -> None:
    local = dataclasses.replace(SUBJECT, host="http://127.0.0.1:8123", licence=None)
    for form in ("gradio", "static"):
        text = readme(form, local)
        assert "127.0.0.1" not in text and str(SUBJECT.revision) not in text and "license" not in text
        assert f"The model, `{SUBJECT.model}`, runs" in text


def test_a_space_speaks_of_what_its_release_holds() -> None:
    named = {"unit": {"one": "review", "many": "reviews"}, "tags": ["films"], "notice": "No film is bad."}
    card = make_recipe().card.model_dump() | named | {"emoji": "🎬", "short_description": "Films, judged"}
    subject = describe_subject(make_recipe(card=card), make_metrics(), "ann/films")
    text = readme("gradio", subject)
    assert "classify one review and see which words decided" in text and text.endswith(
        "analytics. No film is bad.\n"
    )
    matter = front_matter("gradio", subject)
    assert (matter["emoji"], matter["short_description"]) == ("🎬", "Films, judged")
    assert matter["tags"] == ["films", "mcp-server"] and front_matter("static", subject)["tags"] == ["films"]


@pytest.mark.parametrize(
    ("many", "told"),
    [
        ("reviews", "Classifies reviews, one or many at a time"),
        ("questions to the customer service desk", "Classifies texts, one or many at a time"),
    ],
)
def test_a_space_without_a_description_gets_one_that_the_hub_takes(many: str, told: str) -> None:
    card = make_recipe().card.model_dump() | {"unit": {"one": "one", "many": many}}
    assert describe_shortly(make_recipe(card=card).card) == told and len(told) <= 60


def test_the_sdk_is_the_pinned_gradio() -> None:
    matter = front_matter("gradio", SUBJECT)
    assert matter["sdk_version"] == pinned("gradio")
    assert matter["python_version"] == python_version() == "3.11"
    assert "sdk_version" not in front_matter("static", SUBJECT)


@pytest.mark.parametrize("form", ["gradio", "static"])
def test_a_file_names_model_and_commit(form: SpaceForm, tmp_path: Path) -> None:
    write_form(form, SUBJECT, tmp_path)
    named = json.loads((tmp_path / PIN).read_text(encoding="utf-8"))
    assert named == {"id": SUBJECT.model, "revision": SUBJECT.revision}


def test_the_app_takes_what_that_file_names_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MODEL_ID", raising=False)
    monkeypatch.delenv("MODEL_REVISION", raising=False)
    monkeypatch.setattr(app, "PIN", tmp_path / PIN)
    assert app.chosen_model() == (app.DEFAULT_MODEL, None)
    write_form("gradio", SUBJECT, tmp_path)
    assert app.chosen_model() == (SUBJECT.model, SUBJECT.revision)
    monkeypatch.setenv("MODEL_REVISION", "v2")
    assert app.chosen_model() == (SUBJECT.model, "v2")
    monkeypatch.setenv("MODEL_ID", "ann/other")
    assert app.chosen_model() == ("ann/other", "v2")
    monkeypatch.delenv("MODEL_REVISION")
    assert app.chosen_model() == ("ann/other", None)  # another model has other commits


def test_a_form_with_a_file_missing_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("print()", encoding="utf-8")
    files = DemoFiles(tmp_path, inference=None)
    assert files.has("gradio") and not files.has("static")
    with pytest.raises(FileNotFoundError, match=r"there is no index\.html, so there is no static form"):
        write_form("static", SUBJECT, tmp_path / "x", files=files)
    assert set(write_form("gradio", SUBJECT, tmp_path / "x", files=files)) == {"README.md", "app.py", PIN}


def test_the_page_knows_its_model_and_no_title_ends_its_script(tmp_path: Path) -> None:
    title = "</script><b>&amp;"
    write_form("static", dataclasses.replace(SUBJECT, title=title, dtype="fp32"), tmp_path, {"wasm": "./w/"})
    html = (tmp_path / "index.html").read_text(encoding="utf-8")
    found = re.search(r'id="settings">(.*?)</script>', html, re.DOTALL)
    assert found
    settings = json.loads(found[1])
    assert settings["pinned"] == PIN
    assert (settings["title"], settings["dtype"], settings["wasm"]) == (title, "fp32", "./w/")
    assert (settings["model"], settings["host"]) == (SUBJECT.model, SUBJECT.host)
    assert settings["unit"] == {"one": "text", "many": "texts"}


def test_the_library_is_pinned_to_what_is_tested() -> None:
    wanted = json.loads((REPOSITORY / "benchmarks" / "browser" / "package.json").read_text(encoding="utf-8"))
    version = wanted["dependencies"]["@huggingface/transformers"]
    html = (SPACE / "static" / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"https://cdn[^\"]+", html) == [
        f"https://cdn.jsdelivr.net/npm/@huggingface/transformers@{version}/dist/transformers.min.js"
    ]


def test_nothing_is_ever_set_as_html() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (SPACE / "static").glob("*.js"))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", code)
