"""Small files that stand for far more than a machine holds, written by hand: no library would write them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PARTS = {
    "[Content_Types].xml": f"""<Types xmlns="{PACKAGE}/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{KIND}.worksheet+xml"/>
<Override PartName="/xl/sharedStrings.xml" ContentType="{KIND}.sharedStrings+xml"/></Types>""",
    "_rels/.rels": f"""<Relationships xmlns="{PACKAGE}/relationships">
<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>""",
    "xl/workbook.xml": f"""<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>
<sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>""",
    "xl/_rels/workbook.xml.rels": f"""<Relationships xmlns="{PACKAGE}/relationships">
<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>""",
}
MILLION = 1_000_000


def write_xlsx(path: Path, rows: str, strings: str = "", repeated: str = "", times: int = 0) -> None:
    """Write a workbook of one sheet; `repeated` stands so many times behind the shared strings."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name, content in PARTS.items():
            packed.writestr(name, content)
        packed.writestr(
            "xl/worksheets/sheet1.xml",
            f'<worksheet xmlns="{MAIN}"><dimension ref="A1:B2"/><sheetData>{rows}</sheetData></worksheet>',
        )
        with packed.open("xl/sharedStrings.xml", "w") as file:
            file.write(f'<sst xmlns="{MAIN}">{strings}'.encode())
            for _ in range(times // 10_000):
                file.write(repeated.encode() * 10_000)
            file.write(b"</sst>")


def write_parquet(path: Path, value: str, rows: int) -> None:
    """Write one text in so many rows, as one entry of a dictionary."""
    indices = pa.array([0] * rows, pa.int32())
    column = pa.DictionaryArray.from_arrays(indices, pa.array([value]))
    pq.write_table(pa.table({"text": column}), path, compression="zstd", store_schema=False)


def _wide_csv(columns: int) -> Callable[[Path], object]:
    return lambda path: path.write_text(",".join(["a"] * columns) + "\n" + ",".join(["b"] * columns) + "\n")


def _other_keys(path: Path) -> None:
    path.write_text("\n".join(json.dumps({f"key {number}": "up"}) for number in range(100_000)))


def _every_row(cells: str, rows: int) -> Callable[[Path], object]:
    return lambda path: write_xlsx(
        path, "".join(f'<row r="{row}">{cells.format(row=row)}</row>' for row in range(1, rows + 1))
    )


def _shared_text(path: Path) -> None:
    """One text of 35,000 characters, which 100,000 cells name."""
    rows = "".join(f'<row r="{row}"><c t="s"><v>0</v></c></row>' for row in range(1, 99_999))
    write_xlsx(path, rows, f"<si><t>{'x' * 35_000}</t></si>")


# what the file is -> how it is written, and what is said of it
REFUSED_WHILE_READ: dict[str, tuple[Callable[[Path], object], str]] = {
    "wide.csv": (_wide_csv(30_001), "30,001 columns, at most 200"),
    "wider.csv": (_wide_csv(MILLION), "1,000,000 columns, at most 200"),
    "long-rows.csv": (
        lambda path: path.write_text("a,b\n" + ("x," * 100_000 + "\n") * 60),
        "more than the 5,000,000 cells",
    ),
    "other-keys.jsonl": (_other_keys, "201 columns, at most 200"),
    "one-object.jsonl": (
        lambda path: path.write_text(json.dumps({str(number): 1 for number in range(300_000)})),
        "300,000 columns, at most 200",
    ),
    "dictionary.parquet": (lambda path: write_parquet(path, "x" * 35_000, 100_000), "Unpacked, the file has"),
    "columns.parquet": (
        lambda path: pq.write_table(pa.table({f"c{number}": [1] for number in range(2_000)}), path),
        "2,000 columns, at most 200",
    ),
    "last-column.xlsx": (_every_row('<c r="XFD{row}"><v>1</v></c>', 100_000), "16,384 columns, at most 200"),
    "last-style.xlsx": (
        _every_row('<c r="A{row}"><v>1</v></c><c r="XFD{row}"/>', 50_000),
        "more than the 5,000,000 cells",
    ),
    "row-number.xlsx": (
        lambda path: write_xlsx(
            path, '<row r="1"><c><v>1</v></c></row><row r="999999999"><c><v>1</v></c></row>'
        ),
        "At most 100,000 rows",
    ),
    "shared-text.xlsx": (_shared_text, "Unpacked, the file has"),
    "zip-bomb.xlsx": (
        lambda path: write_xlsx(path, "", repeated=f"<si><t>{'a' * 20}</t></si>", times=9 * MILLION),
        "Unpacked, the file has 324 MB or more; at most 300 MB",
    ),
}


def write_slow(path: Path) -> Path:
    """Write a sheet whose one row has three million cells: refused in the end, but only when it was read."""
    write_xlsx(path, '<row r="1">' + "<c><v>1</v></c>" * 3 * MILLION + "</row>")
    return path


def write_large(path: Path) -> Path:
    """Write a Parquet file of some kB with a text of 100 million characters, ten times."""
    write_parquet(path, "x" * (100 * MILLION), 10)
    return path
