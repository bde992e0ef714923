from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from filelock import FileLock

from finsent import optional_packages
from finsent.data.splits import Splits, load_splits
from finsent.encoder.load import load_base
from finsent.errors import FinsentError, RecipeError
from finsent.optional_packages import check_packages
from finsent.recipe.adapter import Adapter
from finsent.recipe.file import load_recipe, load_search
from finsent.recipe.recipe import Distillation, Recipe
from finsent.scoring import Floats
from finsent.training import teachers
from finsent.training.answers import LOCK, digest_answers, find_answers, read_answers, write_answers
from finsent.training.fit import fit
from finsent.training.report import AnswersReport
from finsent.training.targets import asked_texts, training_rows
from finsent.training.teachers import ask_teachers, remember_logits, run_model
from tests import tiny
from tests.tuning.samples import write_search
from tuning.setup import Setup

OTHER = "written by another recipe than tiny is today"


def write_student(folder: Path, base: Path, **plan: object) -> Recipe:
    tiny.write_recipe(folder, base)
    plan = {"teachers": ["tiny.yaml"], "answers": "said", "weight": 0.5} | plan
    tree = {"extends": "tiny.yaml", "name": "student", "distillation": plan}
    (folder / "student.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    return load_recipe(folder / "student.yaml")


@dataclass(frozen=True)
class Taught:
    """A student with the rows of its recipe, and the release of its teacher."""

    student: Recipe
    splits: Splits
    release: Path

    @property
    def teacher(self) -> Recipe:
        return self.student.teachers[0]

    @property
    def texts(self) -> list[str]:
        return [row.text for row in self.splits.train]

    def write(self, answers: dict[str, Floats]) -> Path:
        return write_answers(self.student, self.teacher, self.release, self.splits, answers)

    def ask(self, texts: list[str]) -> dict[str, Floats]:
        return dict(zip(texts, run_model(self.release, texts), strict=True))

    def find(self) -> Path:
        return find_answers(self.student, self.teacher, self.splits)


@pytest.fixture
def taught(tmp_path: Path, tiny_base: Path, teacher_release: Path) -> Taught:
    student = write_student(tmp_path, tiny_base)
    return Taught(student, load_splits(student), teacher_release)


def test_what_is_written_is_read(taught: Taught, tmp_path: Path) -> None:
    texts = taught.texts
    table = taught.write(taught.ask(texts))
    assert table == tmp_path / "said" / "tiny.csv" == taught.find()
    read = read_answers(table, [*reversed(texts), "never asked"])
    assert read[:-1] == pytest.approx(run_model(taught.release, texts)[::-1], abs=6e-4)
    assert np.isnan(read[-1]).all()
    both = ask_teachers([table, taught.release], texts, tiny.LABELS, 2.0)
    assert both == pytest.approx(ask_teachers([taught.release], texts, tiny.LABELS, 2.0), abs=1e-3)


def test_a_written_table_has_no_text_and_the_same_bytes_in_any_order(taught: Taught) -> None:
    answers = taught.ask(taught.texts)
    first = taught.write(answers).read_bytes()
    assert not any(text.encode() in first for text in answers)
    assert taught.write(dict(reversed(answers.items()))).read_bytes() == first


def test_answers_of_another_teacher_or_beside_other_rows_are_refused(taught: Taught) -> None:
    with pytest.raises(FinsentError, match=r"tiny has no answers there that can be read; write them with"):
        taught.find()
    table = taught.write(taught.ask(["Arvo profit rose"]))
    other = taught.teacher.with_seed(3).model_copy(update={"name": "tiny"})
    with pytest.raises(FinsentError, match=OTHER):
        find_answers(taught.student, other, taught.splits)
    report = taught.splits.report
    moved = replace(report, fingerprints=report.fingerprints | {"test": "0"})
    with pytest.raises(FinsentError, match="other validation and test rows, which the teacher may have"):
        find_answers(taught.student, taught.teacher, replace(taught.splits, report=moved))
    table.with_suffix(".json").write_text("{}", encoding="utf-8")
    with pytest.raises(FinsentError, match="tiny has no answers there that can be read"):
        taught.find()


@pytest.mark.parametrize("damage", ["shorter", "a value", "both"])
def test_a_damaged_table_is_refused(damage: str, taught: Taught) -> None:
    table = taught.write(taught.ask(taught.texts))
    content = table.read_text(encoding="utf-8")
    damaged = {"shorter": content[:-9], "a value": content[:-2] + "9\n", "both": content + content}[damage]
    table.write_text(damaged, encoding="utf-8")
    with pytest.raises(FinsentError, match=r"tiny\.csv: is not what was written; write them with"):
        taught.find()


def test_answers_of_the_same_weights_are_added_and_of_others_replaced(taught: Taught) -> None:
    asked = ["Arvo profit rose", "Belmi profit rose"]
    taught.write(taught.ask(asked[:1]))
    table = taught.write(taught.ask(asked[1:]))
    assert np.isfinite(read_answers(table, asked)).all()
    weights = taught.release / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")  # another digest
    taught.write({asked[1]: np.zeros(3)})
    assert np.isnan(read_answers(table, asked)).tolist() == [[True] * 3, [False] * 3]
    taught.find()


def test_a_process_that_is_killed_while_it_writes_loses_no_answer(
    taught: Taught, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["Arvo profit rose", "Belmi profit rose"]
    table = taught.write(taught.ask(asked[:1]))
    more, replace_file = taught.ask(asked[1:]), Path.replace
    for last in (".json.partial", ".csv.partial"):  # what is not put in its place any more

        def stop(partial: Path, target: Path, last: str = last) -> Path:
            if partial.name.endswith(last):
                raise KeyboardInterrupt
            return replace_file(partial, target)

        monkeypatch.setattr(Path, "replace", stop)
        with pytest.raises(KeyboardInterrupt):
            taught.write(more)
        monkeypatch.undo()
        assert taught.find() == table
        known = np.isfinite(read_answers(table, asked)[:, 0]).tolist()
        assert known == [True, last == ".csv.partial"]
    taught.write(more)
    assert sorted(file.name for file in table.parent.iterdir()) == ["tiny.csv", "tiny.json"]


def test_two_that_write_at_the_same_time_wait_for_each_other(taught: Taught) -> None:
    answers = taught.ask(["Arvo profit rose"])
    with ThreadPoolExecutor() as pool:
        with FileLock(taught.release.parent / LOCK):
            writing = pool.submit(taught.write, answers)
            with pytest.raises(TimeoutError):
                writing.result(timeout=0.3)
        assert writing.result(timeout=30) == taught.find()


def test_answers_that_are_not_finite_are_refused(taught: Taught, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_: Path, texts: list[str], bf16: bool = False) -> Floats:
        return np.full((len(texts), 3), np.inf)

    monkeypatch.setattr(teachers, "run_model", answer)
    with pytest.raises(FinsentError, match="the teacher's answers are not all finite numbers"):
        remember_logits(taught.release, taught.texts)  # as --write-answers does
    with pytest.raises(FinsentError, match="the teacher's answers are not all finite numbers"):
        ask_teachers([taught.release], taught.texts, tiny.LABELS, 1.0)


def test_a_training_that_goes_on_notices_other_answers(
    taught: Taught, tmp_path: Path, tiny_base: Path
) -> None:
    student, splits, texts = taught.student, taught.splits, taught.texts
    table = taught.write(taught.ask(texts))
    search = load_search(write_search(tmp_path, tiny_base, recipe="student.yaml"))
    before = digest_answers([table, taught.release]), Setup(search, student, splits, [table], None).owner()
    fit(student, splits, load_base(student, texts), tmp_path / "checkpoints", teachers=[table])
    fit(student, splits, load_base(student, texts), tmp_path / "checkpoints", True, teachers=[table])
    taught.write({texts[0]: np.zeros(3)})
    after = digest_answers([table, taught.release]), Setup(search, student, splits, [table], None).owner()
    assert len(before[0]) == 64 and before[0] != after[0] and before[1] != after[1]
    with pytest.raises(FinsentError, match="belong to another recipe or other rows"):
        fit(student, splits, load_base(student, texts), tmp_path / "checkpoints", True, teachers=[table])
    moved = write_student(tmp_path, tiny_base, answers="elsewhere")
    assert moved.making_fingerprint() == student.making_fingerprint()
    asked = write_student(tmp_path, tiny_base, answers=None)
    assert asked.making_fingerprint() != student.making_fingerprint()


def test_copies_are_those_that_have_answers_whatever_the_seed_of_a_training(
    tmp_path: Path, tiny_base: Path
) -> None:
    student = write_student(tmp_path, tiny_base, augmentations=1, splices=1)
    rows = load_splits(student).train
    assert asked_texts(student.with_seed(5), rows) == asked_texts(student, rows)
    alone = write_student(tmp_path, tiny_base, augmentations=1, answers=None)
    assert asked_texts(alone.with_seed(5), rows) != asked_texts(alone, rows)


def test_neither_encoder_nor_packages_of_a_teacher_are_needed(tmp_path: Path, tiny_base: Path) -> None:
    student = write_student(tmp_path, tiny_base)
    assert [one.name for one in student.teachers] == ["tiny"] and student.built_teachers == []
    teacher = student.teachers[0].model_copy(update={"adapter": Adapter(kind="qlora")})
    assert student.distillation is not None
    plan = student.distillation.model_copy(update={"teachers": [teacher]})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optional_packages, "find_spec", lambda name: None)
        check_packages(student.model_copy(update={"distillation": plan}))
        asked = student.model_copy(update={"distillation": plan.model_copy(update={"answers": None})})
        above = Distillation(teachers=[asked.model_copy(update={"name": "middle"})])
        for one in (asked, student.model_copy(update={"distillation": above})):
            with pytest.raises(FinsentError, match="adapter: tiny has one of kind qlora"):
                check_packages(one)


def test_a_row_without_an_answer_keeps_its_label_and_a_copy_without_one_is_left_out(
    tmp_path: Path, tiny_base: Path, teacher_release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    student = write_student(tmp_path, tiny_base, augmentations=1)
    splits = load_splits(student)
    rows = splits.train[:4]
    copies = asked_texts(student, rows)
    taught = Taught(student, splits, teacher_release)
    table = taught.write(taught.ask([row.text for row in rows[1:]] + copies[:2]))
    made, report = training_rows(student, rows, [table])
    assert made["text"][:] == [*(row.text for row in rows), *copies[:2]]
    assert made["label"][0] == np.eye(3)[tiny.LABELS.index(rows[0].label)].tolist()
    assert made["label"][1] != np.eye(3)[tiny.LABELS.index(rows[1].label)].tolist()
    assert report == AnswersReport(rows=3, copies=2, rows_without=1, copies_without=2)
    assert "1 of 4 training rows and 2 of 4 copies have no written answer" in capsys.readouterr().err
    with pytest.raises(FinsentError, match="1 of 1 training rows and 0 of 1 copies have no written answer; "):
        training_rows(student, rows[:1], [table])


def test_answers_have_no_weights_to_start_from(tmp_path: Path, tiny_base: Path) -> None:
    with pytest.raises(RecipeError, match="got teacher with answers, which hold no weights; use base"):
        write_student(tmp_path, tiny_base, initialize_from="teacher")
