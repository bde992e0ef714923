from __future__ import annotations

from pathlib import Path

from publishing.proof.read_dataset import count_files


def write_card(folder: Path, *files: tuple[str, str]) -> None:
    entries = "".join(f"  - split: {split}\n    path: {path}\n" for split, path in files)
    front = f"license: mit\nconfigs:\n- config_name: default\n  data_files:\n{entries}"
    (folder / "README.md").write_text(f"\ufeff---\n{front}---\n\n# rows\n", encoding="utf-8")


def test_rows_are_counted_as_a_reader_of_csv_counts_them(tmp_path: Path) -> None:
    write_card(tmp_path, ("train", "train.csv"), ("test", "test.csv"))
    (tmp_path / "train.csv").write_text('text,label\n"two\nlines",up\nLoss,down\n', encoding="utf-8-sig")
    (tmp_path / "test.csv").write_text("text,label\n", encoding="utf-8")
    assert count_files(tmp_path) == {"train": 2, "test": 0}


def test_a_card_that_somebody_edited_leads_to_no_other_file(tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text("a\nb\n", encoding="utf-8")
    write_card(folder, ("up", "../secret.csv"), ("root", "/etc/passwd"), ("code", "check.py"))
    assert count_files(folder) == {}
