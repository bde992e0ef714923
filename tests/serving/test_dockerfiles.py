"""What the two Dockerfiles copy is there, and the image of the demo has what a push sends to a Space."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from finsent import REPOSITORY
from publishing.space.forms import DemoFiles

FILES = ("serving/Dockerfile", "space/Dockerfile")


def copied(dockerfile: str) -> list[tuple[list[str], str]]:
    """Return sources and target of what is copied from the repository, line by line."""
    text = (REPOSITORY / dockerfile).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split() for line in re.findall(r"(?m)^COPY (.+)$", text)]
    return [(words[:-1], words[-1]) for words in lines if "$" not in words[0] and "--from" not in words[0]]


@pytest.mark.parametrize("dockerfile", FILES)
def test_what_is_copied_is_there(dockerfile: str) -> None:
    sources = [source for some, _ in copied(dockerfile) for source in some]
    assert len(sources) > 2
    assert [source for source in sources if not list(REPOSITORY.glob(source))] == []


def test_the_demo_is_what_a_space_is_sent() -> None:
    files = set()
    for sources, target in copied("space/Dockerfile"):
        for path in (found for source in sources for found in REPOSITORY.glob(source)):
            inner = path.rglob("*.py") if path.is_dir() else [path]
            base = path if path.is_dir() else path.parent
            files |= {str(Path(target) / one.relative_to(base)) for one in inner}
    sent = {f"/app/{name}" for name in DemoFiles().paths("gradio") if name != "requirements.txt"}
    assert {name for name in files if name.startswith("/app/")} == sent


@pytest.mark.parametrize("dockerfile", FILES)
def test_packages_are_installed_by_hash_as_wheels(dockerfile: str) -> None:
    text = (REPOSITORY / dockerfile).read_text(encoding="utf-8").replace("\\\n", " ")
    (install,) = re.findall(r"pip [^&]*install [^&]*", text)
    assert {"--require-hashes", "--no-deps", "--only-binary", "/requirements.lock"} <= set(install.split())
    assert install.split()[-2:] == ["-r", "/requirements.lock"]


@pytest.mark.parametrize("dockerfile", FILES)
def test_an_image_ends_as_a_user_without_rights(dockerfile: str) -> None:
    text = (REPOSITORY / dockerfile).read_text(encoding="utf-8")
    assert re.findall(r"(?m)^USER (.+)$", text) == ["10001:10001"]  # by number: Kubernetes checks no name
    assert "curl" not in text and re.search(r"(?m)^HEALTHCHECK .*CMD \[", text)
    assert re.search(r"(?m)^ENTRYPOINT \[", text)  # a shell would not pass SIGTERM on
