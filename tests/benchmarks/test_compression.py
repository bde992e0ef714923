from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks import compression_runs
from benchmarks.compression import app, compare, draw, render, run
from benchmarks.compression_runs import (
    CUTS,
    Measured,
    Setup,
    Shape,
    fewer_layers,
    measure_cuts,
    measure_whole,
    prepare,
    read_shape,
)
from finsent.data.splits import Splits
from finsent.errors import FinsentError
from finsent.onnx_files import FP32, QUANTIZED
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Recipe
from finsent.scoring import Floats
from inference.classifier import Classifier
from tests import tiny
from tests.finsent.encoder.samples import change

MINILM = Shape(pieces=30522, rows=31036, hidden=384, layers=list(range(6)), inner=1536)


@pytest.fixture
def setup(tiny_recipe: Recipe) -> Setup:
    return prepare(tiny_recipe, 24, 0.5)


def test_every_cut_saves_what_is_asked() -> None:
    saved = 4_000_000
    each = 4 * 384**2 + 2 * 384 * 1536
    kept = {name: cut(MINILM, saved) for name, cut in CUTS.items()}
    assert kept["layers"] == {"layers": [0, 2, 5]} and 3 * each >= saved
    assert 2 * 384 * 6 * (1536 - kept["inner neurons"]["intermediate_size"]) == pytest.approx(saved, abs=4608)
    assert 384 * (30522 - kept["pieces"]["vocabulary"]) == pytest.approx(saved, abs=384)
    rank = kept["numbers a piece (rank)"]["embedding_rank"]
    assert 31036 * (384 - rank) - 384 * rank == pytest.approx(saved, rel=0.01)


def test_layers_are_those_of_the_recipe() -> None:
    shape = Shape(pieces=9, rows=9, hidden=384, layers=[1, 3, 5], inner=1536)
    assert fewer_layers(shape, 1_000_000) == {"layers": [1, 5]}


def test_rows_are_disjoint_and_no_more_than_asked(tiny_recipe: Recipe, setup: Setup) -> None:
    whole = prepare(tiny_recipe, None, None)
    assert len(setup.splits.train) == 24 < len(whole.splits.train)
    assert setup.recipe.training.epochs == 0.5
    parts = [
        {row.text for row in rows} for rows in (whole.splits.train, whole.splits.validation, whole.scored)
    ]
    assert all(parts) and not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
    assert setup.splits.test == []


def test_a_recipe_with_a_rank_and_other_families_are_refused(tiny_recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(FinsentError, match=r"base\.embedding_rank: the recipe has one already"):
        prepare(change(tiny_recipe, embedding_rank=8), None, None)
    encoder = tiny.save_encoder(tmp_path / "distil", "distilbert")
    other = load_recipe(tiny.write_recipe(tmp_path, encoder))
    with pytest.raises(FinsentError, match="got a 'distilbert'; only a BERT can be cut"):
        read_shape(prepare(other, 24, 0.5))
    with pytest.raises(FinsentError, match="a hidden size of 16 is no multiple of 32, so the table cannot"):
        read_shape(prepare(change(tiny_recipe, hidden_size=16), 24, 0.5))


def test_a_way_that_cannot_reach_the_target_is_told(setup: Setup, tmp_path: Path) -> None:
    whole = Measured(
        name="int8", folder=tmp_path, file="x", bytes=90_000, parameters=1, stays="all", probabilities=[]
    )
    found, reasons = measure_cuts(setup, read_shape(setup), whole, 10, tmp_path)
    assert found == []
    assert [reason.partition(":")[0] for reason in reasons] == [f"fewer {name}" for name in CUTS]
    assert all("out of reach" in reason for reason in reasons)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The recipes that were trained; their files are empty, and answer by the length of a text."""
    names: list[str] = []

    def make(recipe: Recipe, _: Splits, folder: Path, __: list[str]) -> int:
        names.append(recipe.name)
        (folder / FP32.path).parent.mkdir(parents=True)
        (folder / FP32.path).touch()
        return 20_000

    class Lengths:
        def __init__(self, *_: object) -> None: ...

        def predict(self, texts: list[str]) -> Floats:
            return np.array([[len(text), 0.0, 0.0] for text in texts])

    monkeypatch.setattr(compression_runs, "_make", make)
    monkeypatch.setattr(compression_runs, "Classifier", Lengths)
    return names


def test_probabilities_stand_in_the_order_of_the_rows(setup: Setup, tmp_path: Path, made: list[str]) -> None:
    (first,) = compression_runs._measure(setup, {}, "all", {"fp32": FP32.path}, tmp_path)
    turned = replace(setup, scored=setup.scored[::-1])
    (again,) = compression_runs._measure(turned, {}, "all", {"fp32": FP32.path}, tmp_path)
    assert again.probabilities == first.probabilities[::-1] != first.probabilities and len(made) == 2


def test_what_was_measured_may_be_moved(setup: Setup, tmp_path: Path, made: list[str]) -> None:
    compression_runs._measure(setup, {}, "all", {"fp32": FP32.path}, tmp_path / "runs")
    (tmp_path / "runs").rename(tmp_path / "moved")
    (found,) = compression_runs._measure(setup, {}, "all", {"fp32": FP32.path}, tmp_path / "moved")
    assert (found.folder / found.file).is_file() and len(made) == 1


def test_another_family_is_refused_before_anything_is_trained(tmp_path: Path, made: list[str]) -> None:
    encoder = tiny.save_encoder(tmp_path / "distil", "distilbert")
    other = prepare(load_recipe(tiny.write_recipe(tmp_path, encoder)), 24, 0.5)
    with pytest.raises(FinsentError, match="got a 'distilbert'; only a BERT can be cut"):
        run(other, None, tmp_path / "runs", tmp_path / "page.md")
    assert made == []


@pytest.mark.parametrize(
    ("divided", "purpose"),
    [(([], ["a row"]), "to choose the checkpoint by"), ((["a row"], []), "to train on")],
)
def test_too_few_rows_are_told(
    divided: object, purpose: str, tiny_recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression_runs, "_divide", lambda *_: divided)
    with pytest.raises(FinsentError, match=f"tiny has too few rows: none {purpose}"):
        prepare(tiny_recipe, None, None)


@pytest.mark.parametrize(
    "options", [["--rows", "0"], ["--epochs", "0"], ["--epochs", "101"], ["--bytes", "0"]]
)
def test_numbers_that_are_none_are_refused(options: list[str]) -> None:
    done = CliRunner().invoke(app, ["recipes/quickstart.yaml", *options])
    assert done.exit_code == 2 and f"Invalid value for '{options[0]}'" in done.stderr


@pytest.mark.slow
def test_it_measures_every_way_and_goes_on_where_it_was_stopped(
    setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, runs = tmp_path / "page.md", tmp_path / "runs"
    made: list[str] = []
    make = compression_runs._make

    def count(recipe: Recipe, *arguments: object) -> int:
        made.append(recipe.name)
        if len(made) == 3:
            raise KeyboardInterrupt
        return make(recipe, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(compression_runs, "_make", count)
    sizes = {one.name: one.bytes for one in measure_whole(setup, runs)}
    target = sizes["int8"] - 7_000
    with pytest.raises(KeyboardInterrupt):
        run(setup, target, runs, page)
    assert not page.exists()
    run(setup, target, runs, page)
    assert len(made) == 5  # the whole one, and three cuts of which the second was stopped
    run(setup, target, runs, page)
    assert len(made) == 5
    text = page.read_text(encoding="utf-8")
    for name in ("fp32", "int8", "int8, table of 4 bits", "q4", "fewer layers", "fewer inner neurons"):
        assert f"\n| {name} | " in text
    assert "- Not possible: fewer pieces: base.vocabulary would have to be" in text
    assert page.with_suffix(".svg").read_text(encoding="utf-8").count("<svg") == 1
    with pytest.raises(FinsentError, match="--bytes: got 1,000,000, but the whole int8 file has"):
        run(setup, 1_000_000, runs, page)


@pytest.fixture
def measured(tiny_release: Path, setup: Setup) -> list[Measured]:
    texts = [row.text for row in setup.scored]
    return [
        Measured(
            name=name,
            folder=tiny_release,
            file=file,
            bytes=(tiny_release / file).stat().st_size,
            parameters=20_000,
            stays="all",
            probabilities=[[1.0, 0, 0]] * len(texts) if name == "bad" else probabilities(tiny_release, texts),
        )
        for name, file in (("fp32", FP32.path), ("bad", QUANTIZED.path))
    ]


def probabilities(release: Path, texts: list[str]) -> list[list[float]]:
    found: list[list[float]] = Classifier(release, FP32.path).predict(texts).tolist()
    return found


def test_the_page_says_what_was_measured(setup: Setup, measured: list[Measured]) -> None:
    first, bad = compare(setup, measured)
    negative = sum(row.label == "negative" for row in setup.scored) / len(setup.scored)
    assert (first.better, first.worse, first.p) == (0, 0, 1.0)
    assert bad.scores.accuracy == pytest.approx(negative)
    right = round(first.scores.accuracy * len(setup.scored)) - round(negative * len(setup.scored))
    assert bad.worse - bad.better == right and first.milliseconds > 0
    page = render(setup, [first, bad], 50_000, ["fewer layers: too few"], ["- on a machine"])
    assert f"| bad | all | {measured[1].bytes / 1e6:.3f} | 0.0 | {negative:.3f} | " in page
    assert page.endswith("- Not possible: fewer layers: too few\n- on a machine\n")
    rows = [text.get_text() for text in draw([first, bad]).axes[0].get_yticklabels()]
    assert [row.partition(",")[0] for row in rows] == ["fp32", "bad"] and rows[0].endswith(" MB")
