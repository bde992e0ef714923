"""Reading a data source: files from this repository, the Hub, an address or a local mirror, into plain rows.

Every error names the file, the row (counted from 1, header not counted) and the value that was found there.
"""

from __future__ import annotations

import ast
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pandas
from datasets import DownloadManager
from huggingface_hub import hf_hub_download

from finsent import REPOSITORY
from finsent.errors import DataError
from finsent.recipe.recipe import Agreement, EntitySource, PhrasebankSource, Source, SplitName, TableSource

PHRASEBANK_FOLDER = "FinancialPhraseBank-v1.0"
AGREEMENTS = ("50", "66", "75", "All")  # nested files, loosest first


@dataclass(frozen=True)
class Row:
    """One labelled text. `split` is the file's; `group` and `slice` are empty where the source has none.

    `share` is that of the annotators behind the label, 0..1.
    """

    text: str
    label: str
    source: str
    split: SplitName
    group: str = ""
    slice: str = ""
    share: float = 1.0


@dataclass(frozen=True)
class SourceRows:
    """The rows of one source in file order, and what was left out on the way, by reason."""

    rows: list[Row]
    left_out: dict[str, int]


def read_source(source: Source, mirror: Path | None) -> SourceRows:
    """Read every file of a source. `mirror` stands before the Hub; None means that there is none.

    Raises DataError: a file or column is missing, bytes do not decode, a text is empty or a label unknown.
    """
    rows: list[Row] = []
    left_out: dict[str, int] = {}
    for split, names in source.files.items():
        for name in names:
            path = _locate(source, name, mirror)
            for row in _read_file(source, path, split, left_out):
                rows.append(row)
    if not rows:
        raise DataError(f"{source.name}: no row was read from {source.files}")
    return SourceRows(rows, left_out)


def mirror_from_environment() -> Path | None:
    """Return the folder named by FINSENT_MIRROR, None without it; DataError when it does not exist."""
    value = os.environ.get("FINSENT_MIRROR")
    if not value:
        return None
    if not Path(value).is_dir():
        raise DataError(
            f"FINSENT_MIRROR: {value!r} is not a folder; it should hold datasets/<namespace>/<name>/"
        )
    return Path(value)


def _locate(source: Source, name: str, mirror: Path | None) -> Path:
    if source.path is not None:
        path = REPOSITORY / source.path / name
        if not path.is_file():
            raise DataError(f"{source.name}: {path} does not exist")
        return path
    assert source.hub is not None  # the recipe's validator holds this
    if mirror is not None and (mirror / "datasets" / source.hub / name).is_file():
        return mirror / "datasets" / source.hub / name
    try:
        if source.url is not None:
            return Path(DownloadManager().download(f"{source.url.rstrip('/')}/{name}"))
        return Path(hf_hub_download(source.hub, name, repo_type="dataset", revision=source.revision))
    except Exception as error:  # the clients raise a dozen unrelated types for "not reachable"
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(
            f"{source.name}: cannot fetch {name} of {source.url or source.hub} ({reason}); "
            "go online, log in, or set FINSENT_MIRROR to a folder with datasets/<namespace>/<name>/"
        ) from error


def _read_file(source: Source, path: Path, split: SplitName, left_out: dict[str, int]) -> Iterator[Row]:
    if isinstance(source, PhrasebankSource):
        return _read_phrasebank(source, path, split)
    if isinstance(source, EntitySource):
        return _read_entities(source, path, split, left_out)
    return _read_labelled_table(source, path, split)


def _map_label(source: Source, path: Path, number: int, label: str) -> str:
    if label not in source.labels:
        raise DataError(
            f"{path.name}, row {number}: unknown label {label!r}; {source.name} maps {list(source.labels)}"
        )
    return source.labels[label]


def _check_text(path: Path, number: int, text: str) -> str:
    if not text.strip():
        raise DataError(f"{path.name}, row {number}: the text is empty; fill it in or remove the row")
    return text


def _read_labelled_table(source: TableSource, path: Path, split: SplitName) -> Iterator[Row]:
    wanted = [name for name in (source.text, source.label, source.group, source.slice) if name]
    table = _read_table(path, wanted)
    for number, record in enumerate(table.to_dict("records"), 1):
        yield Row(
            text=_check_text(path, number, str(record[source.text])),
            label=_map_label(source, path, number, str(record[source.label])),
            source=source.name,
            split=split,
            group=str(record[source.group]) if source.group else "",
            slice=str(record[source.slice]) if source.slice else "",
        )


def _read_table(path: Path, wanted: list[str]) -> pandas.DataFrame:
    """Read CSV, JSONL or Parquet with every cell as text; nothing is taken for a missing value."""
    try:
        if path.suffix == ".csv":
            table = pandas.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
        elif path.suffix in (".jsonl", ".json"):
            table = pandas.read_json(path, lines=True, dtype=False)
        elif path.suffix == ".parquet":
            table = pandas.read_parquet(path)
        else:
            raise DataError(f"{path.name}: got {path.suffix!r}; allowed are .csv, .jsonl and .parquet")
    except UnicodeDecodeError:
        raise DataError(_undecodable(path)) from None
    except (ValueError, OSError) as error:
        raise DataError(f"{path.name}: cannot be read: {' '.join(str(error).split())[:200]}") from error
    if missing := [name for name in wanted if name not in table.columns]:
        raise DataError(f"{path.name}: no column {missing[0]!r}; it has {list(table.columns)}")
    for name in wanted:
        if (empty := table[name].isna()).any():
            raise DataError(f"{path.name}, row {int(empty.to_numpy().argmax()) + 1}: {name!r} has no value")
    return table[wanted]


def _undecodable(path: Path) -> str:
    for number, line in enumerate(path.read_bytes().split(b"\n"), 0):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            value = line[error.start : error.start + 4]
            return f"{path.name}, row {number}: bytes {value!r} are not UTF-8; save the file as UTF-8"
    return f"{path.name}: is not UTF-8"


def _read_phrasebank(source: PhrasebankSource, path: Path, split: SplitName) -> Iterator[Row]:
    """Yield the sentences of one agreement level; `slice` is the strictest file that still holds them."""
    levels = AGREEMENTS[AGREEMENTS.index(source.agreement) :]
    try:
        with zipfile.ZipFile(path) as archive:
            files = {level: _phrasebank_lines(archive, level) for level in levels}
    except (zipfile.BadZipFile, KeyError) as error:
        raise DataError(f"{path.name}: is not the phrasebank's zip: {error}") from error
    strictest = {line: level for level in levels for line in files[level]}
    for number, line in enumerate(files[levels[0]], 1):
        text, separator, label = line.rpartition("@")
        if not separator:
            raise DataError(f"{path.name}, row {number}: no '@label' at the end of {line[-40:]!r}")
        yield Row(
            text=_check_text(path, number, mend_phrasebank(text.strip())),
            label=_map_label(source, path, number, label.strip()),
            source=source.name,
            split=split,
            slice=f"agreement_{strictest[line].lower()}",
            share=source.shares.get(cast("Agreement", strictest[line]), 1.0),
        )


def _phrasebank_lines(archive: zipfile.ZipFile, level: str) -> list[str]:
    data = archive.read(f"{PHRASEBANK_FOLDER}/Sentences_{level}Agree.txt")
    return [line for line in data.decode("latin-1").split("\r\n") if line]


def mend_phrasebank(text: str) -> str:
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


def _read_entities(
    source: EntitySource, path: Path, split: SplitName, left_out: dict[str, int]
) -> Iterator[Row]:
    table = _read_table(path, [source.text, source.entities])
    for number, (text, cell) in enumerate(table.itertuples(index=False, name=None), 1):
        decisions = _parse_entities(cell)
        if decisions is None:
            left_out["entity dict does not parse"] = left_out.get("entity dict does not parse", 0) + 1
        elif len(set(decisions.values())) > 1:
            left_out["entities disagree"] = left_out.get("entities disagree", 0) + 1
        else:
            label = _map_label(source, path, number, next(iter(decisions.values())))
            yield Row(_check_text(path, number, text), label, source.name, split)


def _parse_entities(cell: str) -> dict[str, str] | None:
    """Return entity -> label; None for what is no dict, such as one with an unescaped apostrophe."""
    try:
        value = ast.literal_eval(cell)
    except (ValueError, SyntaxError):
        return None
    return (
        {str(entity): str(label) for entity, label in value.items()}
        if isinstance(value, dict) and value
        else None
    )
