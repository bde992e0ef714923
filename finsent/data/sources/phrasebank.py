"""Financial PhraseBank: a zip with a file of `sentence@label` lines for every level of agreement, nested."""

from __future__ import annotations

import codecs
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from finsent.data.rows import LeftOut, Row
from finsent.data.sources.checks import check_text, map_label
from finsent.errors import DataError
from finsent.recipe.data import AgreementLevel, PhrasebankSource, SplitName

FOLDER = "FinancialPhraseBank-v1.0"
LEVELS: tuple[AgreementLevel, ...] = get_args(AgreementLevel)  # loosest first


def read_phrasebank(source: PhrasebankSource, path: Path, split: SplitName) -> Iterator[Row | LeftOut]:
    """Yield the sentences of one agreement level; `slice` is the strictest file that still holds them."""
    levels = LEVELS[LEVELS.index(source.agreement) :]
    try:
        with zipfile.ZipFile(path) as archive:
            files = {level: _read_lines(archive, level) for level in levels}
    except (zipfile.BadZipFile, KeyError) as error:
        raise DataError(f"{path.name}: is not the phrasebank's zip: {error}") from error
    strictest = {line: level for level in levels for line in files[level]}
    for number, line in enumerate(files[levels[0]], 1):
        text, separator, label = line.rpartition("@")
        if not separator:
            raise DataError(f"{path.name}, row {number}: no '@label' at the end of {line[-40:]!r}")
        where = f"{path.name}, row {number}"
        target = map_label(source, where, label.strip())
        if target is None:
            yield LeftOut(f"label {label.strip()!r} is mapped to null", text)
            continue
        yield Row(
            text=check_text(where, mend_letters(text.strip())),
            label=target,
            source=source.name,
            split=split,
            slice=f"agreement_{strictest[line].lower()}",
            label_probability=source.label_probabilities.get(strictest[line], 1.0),
        )


def _read_lines(archive: zipfile.ZipFile, level: AgreementLevel) -> list[str]:
    data = archive.read(f"{FOLDER}/Sentences_{level}Agree.txt")
    text = data.removeprefix(codecs.BOM_UTF8).decode("latin-1")
    return [line for line in text.split("\r\n") if line]


def mend_letters(text: str) -> str:
    """Give back letters that were UTF-8, read as code page 850 and flattened: `Sepp+ñl+ñ` is Seppälä.

    `+X` stands for byte C3 and `-X` for byte C2, each followed by X in that code page. What does not decode
    stays.
    """
    return re.sub(r"([+-])([^\x00-\x7f])", _mend_letter, text)


def _mend_letter(match: re.Match[str]) -> str:
    lead = b"\xc3" if match[1] == "+" else b"\xc2"
    try:
        return (lead + match[2].encode("cp850")).decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return match[0]
