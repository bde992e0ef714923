from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from docs.links import REPOSITORY, anchors, find_broken

PAGE = """---
tags: [a]
---
# A page's `code` & more
## Twice
## Twice

[there](other.md) [its heading](other.md#one) [own](#twice-1) [web](https://example.org/x) [folder](sub)
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "other.md").write_text("# One\n", encoding="utf-8")
    (tmp_path / "page.md").write_text(PAGE, encoding="utf-8")
    return tmp_path / "page.md"


def test_links_that_lead_somewhere_are_left_alone(page: Path) -> None:
    assert list(find_broken(page)) == []
    assert anchors(page) == {"a-pages-code--more", "twice", "twice-1"}


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("[x](nowhere.md)", "nowhere.md: there is no such file"),
        ('[<img src="shot.png" width="9">](sub)', "shot.png: there is no such file"),
        ("![x](picture.png)", "picture.png: there is no such file"),
        ("[x](other.md#two)", "other.md#two: other.md has no such heading"),
        ("[x](#thrice)", "#thrice: page.md has no such heading"),
        ("| a |\n| --- |\n| [x](gone.md) |", "gone.md: there is no such file"),
    ],
)
def test_a_link_that_leads_nowhere_is_named_with_its_line(page: Path, link: str, said: str) -> None:
    page.write_text(f"{PAGE}\n{link}\n", encoding="utf-8")
    (sentence,) = find_broken(page)
    assert sentence.endswith(said)
    assert int(sentence.split(":")[1]) in {10, 12}


def test_our_own_pages_have_no_broken_link() -> None:
    done = subprocess.run(
        [sys.executable, "docs/links.py"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (0, "")
