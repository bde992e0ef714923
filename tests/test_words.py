"""The code works for any labelled text; what is said of our own stands in recipes/ and data/."""

from __future__ import annotations

import re
import subprocess

from finsent import REPOSITORY

OURS = re.compile(r"\b(?:headlines?|financ(?:e|ial)|negatives?|neutral|positives?)\b", re.IGNORECASE)
CODE = ("*.py", "*.js", "*.html", "*.css", "*.json", "*.jinja", "*.csv")
# recipes/ and data/ hold those texts, and benchmarks/ measures with them; tests may use what they like.
MAY_SAY = (
    *("recipes/", "data/", "benchmarks/", "tests/"),
    *("finsent/recipe/data.py", "finsent/data/sources/"),  # a kind of source is called what its data set is
    # names that columns and labels have in people's files
    *("space/table.py", "finsent/data/tables/columns.py", "finsent/recipe/new/labels.py"),
)
OUR_FOLDERS = re.compile(r"\b\w+/headlines\b")  # where to find them may be said


def test_no_code_speaks_of_our_own_texts() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *CODE],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    looked_at = [name for name in listed if not name.startswith(MAY_SAY) and (REPOSITORY / name).is_file()]
    assert len(looked_at) > 200
    said = [
        f"{name}:{number}: {line.strip()}"
        for name in looked_at
        for number, line in enumerate((REPOSITORY / name).read_text(encoding="utf-8").splitlines(), 1)
        if OURS.search(OUR_FOLDERS.sub("", line))
    ]
    assert said == [], "\n".join(said)


def test_what_is_allowed_is_needed() -> None:
    for name in MAY_SAY:
        path = REPOSITORY / name
        files = [path] if path.is_file() else [*path.rglob("*.py"), *path.rglob("*.yaml")]
        assert any(OURS.search(file.read_text(encoding="utf-8")) for file in files), name
