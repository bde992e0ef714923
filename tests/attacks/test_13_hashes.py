"""Item 13: what is installed, and what a visitor's browser runs, is what was tested, by its hash."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from finsent import REPOSITORY
from publishing.space.forms import pinned
from tests.tiny import ROOT

PAGE = REPOSITORY / "space" / "static"
IMAGES, LOCKS = ("serving", "space"), ("requirements.txt", "requirements.lock")
INSTALL = "pip install --quiet --disable-pip-version-check"


def pins() -> dict[str, str]:
    lines = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def locked(name: str = "requirements.lock") -> dict[tuple[str, str], list[str]]:
    """Return name and version -> hashes of the lock; every line must be one of the two kinds."""
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    found: dict[tuple[str, str], list[str]] = {}
    for line in text.replace(" \\\n", "\n").splitlines():
        if line.startswith("#"):
            continue
        if pin := re.fullmatch(r"([\w.-]+)==([\w.]+)", line):
            found[pin[1], pin[2]] = hashes = []
        else:
            hashes.append(re.fullmatch(r"    --hash=sha256:([0-9a-f]{64})", line)[1])  # type: ignore[index]
    return found


def plain_name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_package_but_torch_has_hashes() -> None:
    assert {(plain_name(name), version) for name, version in locked()} == {
        (plain_name(name), version) for name, version in pins().items() if name != "torch"
    }
    assert all(locked().values())


@pytest.mark.parametrize("room", IMAGES)
def test_an_image_installs_what_its_requirements_name_by_the_hashes_of_the_project(room: str) -> None:
    lock, ours = locked(f"{room}/requirements.lock"), locked()
    lines = (REPOSITORY / room / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert {(plain_name(name), version) for name, version in lock} == {
        (plain_name(name), version)
        for name, version in (line.split("==") for line in lines if not line.startswith("#"))
    }
    assert {pin: hashes for pin, hashes in lock.items() if hashes != ours[pin]} == {}


def test_a_lock_names_no_address_and_no_option() -> None:
    for name in (
        "requirements.lock",
        "requirements.txt",
        *(f"{room}/{name}" for room in IMAGES for name in LOCKS),
    ):
        text = (REPOSITORY / name).read_text(encoding="utf-8")
        assert not re.search(r"://|^-|@", text, re.MULTILINE), name


def test_make_installs_by_hash_before_anything_else() -> None:
    recipe = (REPOSITORY / "Makefile").read_text(encoding="utf-8").partition(".venv/.installed:")[2]
    commands = [line.split(" -r ") for line in recipe.partition("\n\n")[0].splitlines() if "-r" in line]
    assert commands[0][0].endswith(f"{INSTALL} --no-deps --require-hashes")
    assert commands[0][1] == "requirements.lock"


def test_the_space_is_pinned_by_version() -> None:
    assert re.fullmatch(r"[\d.]+", pinned("gradio"))


def integrity() -> dict[str, str]:
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    found = re.search(r'id="settings">(.*?)</script>', html, re.DOTALL)
    assert found
    settings = json.loads(found[1])
    assert settings["library"].rpartition("/")[2] in settings["integrity"]
    hashes: dict[str, str] = settings["integrity"]
    return hashes


def test_the_page_runs_nothing_of_another_host_without_a_hash() -> None:
    endings = {name.rpartition(".")[2] for name in integrity()}
    assert endings == {"js", "mjs", "wasm"}
    assert all(re.fullmatch(r"sha384-[\w+/]{64}", value) for value in integrity().values())
    for path in PAGE.glob("*.js"):
        code = path.read_text(encoding="utf-8")
        assert set(re.findall(r"\bimport\(([^)]*)", code)) <= {"await fetchChecked(settings.library"}, path
        if "https://" in code:
            assert path.name == "model.js" and code.count("https://") == 1
    checked = (PAGE / "model.js").read_text(encoding="utf-8")
    assert re.findall(r"(?<!function )\bfetch\(([^)]*)", checked) == ["url, { integrity }"]
    assert "(await hash(found.clone())) === integrity" in checked  # what was kept is checked again
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script[^>]+src=\"([^\"]*)", html) == ["app.js", "early.js"]


def test_the_hashes_are_those_of_the_packages_that_are_tested() -> None:
    files = {
        name: list((ROOT / ".envs").glob(f"node-space-*/node_modules/*/**/dist/{name}"))
        for name in integrity()
    }
    if not all(files.values()):
        pytest.skip("the page's packages are not installed: make test-slow SLOW=tests/space installs them")
    for name, value in integrity().items():
        own = [path for path in files[name] if path.parts[-3] in ("transformers", "onnxruntime-web")]
        digests = {hash_of(path) for path in own}
        assert value in digests, name


def hash_of(path: Path) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()
