"""Every command on our pages has options that exist, and a test runs it or a mark says why not."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from docs.links import own_pages
from finsent import REPOSITORY
from tests.docs.commands import GROUPS, help_of

NOT_RUN = re.compile(r"<!-- not executed: \S.* -->\s*\Z")
UNTRIED = "not tried"  # in a heading: said to the reader, too
# Which test runs the blocks below a heading, or all of a page.
RUN_BY = {
    ("README.md", "Use it"): "tests/serving/test_documents.py",
    ("README.md", "Serve it"): "tests/serving/test_documents.py",
    ("README.md", "Score millions of rows"): "tests/serving/test_documents.py",
    ("docs/bulk.md", ""): "tests/serving/bulk/test_document.py",
    ("docs/endpoints.md", None): "tests/serving/test_handler.py",
    ("docs/serving.md", "REST"): "tests/serving/test_documents.py",
    ("docs/serving.md", "Bulk"): "tests/serving/test_documents.py",
    ("docs/serving.md", "Container"): "tests/serving/test_container.py",
    ("docs/serving.md", "Registry"): "tests/serving/test_container.py",
    ("docs/tutorial.md", None): "tests/docs/test_tutorial.py",
}


@dataclass(frozen=True)
class Block:
    page: str
    heading: str
    before: str
    language: str
    code: str

    @property
    def is_accounted_for(self) -> bool:
        return (
            bool(NOT_RUN.search(self.before))
            or UNTRIED in self.heading
            or (self.page, self.heading) in RUN_BY
            or (self.page, None) in RUN_BY
        )


def blocks_of(page: str, text: str) -> Iterator[Block]:
    heading, end = "", 0
    for found in re.finditer(r"(?ms)^```(bash|python)\n(.*?)^```", text):
        before = text[end : found.start()]
        heading = (re.findall(r"(?m)^##+ (.+)$", before) or [heading])[-1]
        yield Block(page, heading, before, found[1], found[2])
        end = found.end()


# Cards have a runner of their own.
PAGES = [page for page in own_pages() if page.parent.name != "headlines"]
BLOCKS = [
    block
    for page in PAGES
    for block in blocks_of(str(page.relative_to(REPOSITORY)), page.read_text(encoding="utf-8"))
]
COMMANDS = {
    re.sub(r"\s+#.*", "", line)
    for block in BLOCKS
    if block.language == "bash"
    for line in block.code.replace("\\\n", " ").splitlines()
}
OURS = sorted({line for line in COMMANDS if re.match(r"(\w+=\S+ )?python -?\w", line)})


def test_every_block_is_run_by_a_test_or_says_why_not() -> None:
    assert len(BLOCKS) > 30
    assert [(block.page, block.code) for block in BLOCKS if not block.is_accounted_for] == []


@pytest.mark.parametrize(("place", "test"), RUN_BY.items())
def test_who_is_said_to_run_blocks_reads_that_page(place: tuple[str, str | None], test: str) -> None:
    page, heading = place
    assert [block for block in BLOCKS if block.page == page and heading in (None, block.heading)]
    room = (REPOSITORY / test).parent
    sources = [REPOSITORY / test, *room.glob("documents.py")]
    source = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    assert Path(page).name in source and (not heading or f'"{heading}"' in source)


@pytest.mark.parametrize("command", OURS)
def test_a_command_is_one_of_ours_and_has_these_options(command: str) -> None:
    words = shlex.split(command.partition(" > ")[0])
    words = words[words.index("python") + 1 :]
    program, *arguments = words[1:] if words[0] == "-m" else words
    groups = GROUPS.get(program, ())
    chosen = arguments[:1] if arguments and arguments[0] in groups else groups[:1]
    options = set(re.findall(r"--[a-z][\w-]*", help_of(program, *chosen)))
    named = {word.partition("=")[0] for word in arguments if word.startswith("--")}
    assert named - options == set(), command


@pytest.mark.parametrize("target", sorted({line.split()[1] for line in COMMANDS if line.startswith("make ")}))
def test_a_target_is_in_the_makefile(target: str) -> None:
    assert re.search(rf"(?m)^{target}:", (REPOSITORY / "Makefile").read_text(encoding="utf-8"))


def test_a_block_without_a_mark_is_found() -> None:
    block = "```bash\nls\n```\n"
    text = (
        f"## A\n{block}<!-- not executed: needs a token -->\n\n{block}## B, not tried\n{block}<!-- not "
        "executed: -->\n"
    )
    found = list(blocks_of("docs/x.md", f"{text}## C\n{block}"))
    assert [one.is_accounted_for for one in found] == [False, True, True, False]
