from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas
import pytest
import torch
from safetensors.torch import load_file
from scipy.stats import binom

from benchmarks import contenders, pretraining
from benchmarks.cross_validate import tabulate
from benchmarks.pretraining import BARE, COUNTS, HEAD, MINILM, WORDS, Result, list_pairs, render, tell_pairs
from benchmarks.slim_attention import compare, random_t5
from finsent.data.rows import Row
from finsent.licences import recipe_licence
from finsent.pretraining.model import prepare_model
from finsent.pretraining.report import (
    FitFigures,
    LossPoint,
    PackingFigures,
    PretrainingReport,
    TextFigures,
)
from finsent.pretraining.tokens import prepare_reader
from finsent.recipe.file import load_recipe
from finsent.release import METRICS, WEIGHTS, EncoderRun
from model_card.measure.metrics_file import read_metrics
from tests.finsent.pretraining import samples

RECIPE = load_recipe(contenders.RECIPES / "t5-market-news-mini.yaml")
ROWS = [
    Row(text=f"{source} {number}", label=RECIPE.labels[number % 3], source=source, split="test")
    for source, count in (("fpb", 30), ("tfns", 60))
    for number in range(count)
]
FIT = FitFigures(
    steps=20,
    head_steps=0,
    resumed_at=0,
    tokens=8000,
    seconds=90,
    tokens_a_second=88.9,
    loss_before=9.0,
    loss_after=5.0,
    perplexity_before=8103.08,
    perplexity_after=148.41,
    curve=[LossPoint(step=10, training_loss=6.5, held_out_loss=6.0)],
    precision="fp32",
    threads=1,
    parameters=7_000_000,
    peak_memory_bytes=10**9,
)
REPORT = PretrainingReport(
    name="x",
    objective="span",
    hub="x/x",
    base=None,
    licence="mit",
    recipe="",
    weights="",
    tokenizer="",
    vocabulary=8103,
    texts=TextFigures(
        sources={},
        copies=0,
        near_copies=0,
        protection=None,
        emptied=0,
        learnt=40,
        held_out=1,
        fingerprint="",
    ),
    packing=PackingFigures(
        length=256, sequences=16, tokens=4000, left_over=7, held_out_sequences=2, padding_unpacked=0.25
    ),
    fit=FIT,
    versions={},
    created="",
)


def answers(wrong: set[int]) -> pandas.DataFrame:
    """Return predictions that are right but for these rows."""
    told = [(RECIPE.labels.index(row.label) + (at in wrong)) % 3 for at, row in enumerate(ROWS)]
    return tabulate(RECIPE, ROWS, np.eye(3)[told])


def test_every_contender_has_the_same_rows_and_passes_and_a_name_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretraining, "with_random_weights", lambda recipe, _: contenders.with_minilm(recipe))
    found = pretraining.list_contenders(tmp_path, [2_000_000])
    assert list(found) == [
        HEAD, WORDS, f"{HEAD}{BARE}", f"{WORDS}{BARE}", f"{HEAD}, 2,000,000 tokens", MINILM
    ]  # fmt: skip
    assert all(
        one.data == RECIPE.data and one.training.epochs == RECIPE.training.epochs for one in found.values()
    )
    fewer = contenders.encoder_of(found[f"{HEAD}, 2,000,000 tokens"])
    assert fewer.training.tokens == 2_000_000
    assert fewer.name != contenders.encoder_of(found[HEAD]).name
    assert {name for pair in list_pairs(list(found)) for name in pair} <= {*found, COUNTS}


def test_minilm_may_be_made_with_the_licence_that_its_card_names() -> None:
    recipe = contenders.with_minilm(RECIPE)
    assert recipe_licence(recipe).id == recipe.card.licence != RECIPE.card.licence


def test_random_weights_are_those_that_the_pretraining_begins_with(tmp_path: Path, tiny_base: Path) -> None:
    made = samples.load(tmp_path, tiny_base, **samples.T5)
    encoder = EncoderRun(tmp_path / "runs" / made.name).encoder
    encoder.mkdir(parents=True)
    texts = (tmp_path / "news.txt").read_text(encoding="utf-8").splitlines()
    begun = prepare_model(made, prepare_reader(made, texts, None, encoder), None).model
    trained = {name: weight + 1 for name, weight in begun.state_dict().items()}
    begun.save_pretrained(encoder, state_dict=trained)
    recipe = RECIPE.model_copy(update={"base": RECIPE.base.model_copy(update={"recipe": made})})
    bare = contenders.with_random_weights(recipe, tmp_path / "runs")
    folder = Path(str(bare.base.path))
    assert bare.base.recipe is None and bare.name != recipe.name
    found = load_file(folder / WEIGHTS)
    assert all(torch.equal(weight, begun.state_dict()[name]) for name, weight in found.items())
    assert (folder / "tokenizer.json").read_bytes() == (encoder / "tokenizer.json").read_bytes()
    assert bare.making_fingerprint() != recipe.making_fingerprint()


def test_pairs_are_counted_row_by_row_with_an_interval() -> None:
    names = (HEAD, WORDS, f"{HEAD}{BARE}", f"{WORDS}{BARE}", MINILM)
    results = {name: Result(answers(set())) for name in names}
    results[f"{HEAD}{BARE}"] = Result(answers(set(range(30, 45))))  # 15 of the 60 rows of tfns
    results[COUNTS] = Result(answers({0}))
    lines = list(tell_pairs(results))
    [row] = [line for line in lines if line.startswith(f"| {HEAD} | {HEAD}{BARE} | tfns |")]
    assert "| 15 | 0 | +0.250 (" in row and row.endswith(") | 6.1e-05 |")
    interval = [float(one) for one in row.partition("(")[2].partition(")")[0].split(" to ")]
    assert interval == pytest.approx(binom.ppf([0.025, 0.975], 60, 0.25) / 60, abs=1 / 60 + 1e-3)
    assert f"| {HEAD} | {WORDS} | fpb | 0 | 0 | +0.000 (+0.000 to +0.000) | 1 |" in lines
    assert len(lines) == 2 + 2 * 5


def test_the_page_says_what_was_measured(tiny_release: Path) -> None:
    metrics = read_metrics(tiny_release / METRICS)
    names = (HEAD, WORDS, f"{HEAD}{BARE}", f"{WORDS}{BARE}", MINILM)
    results = {name: Result(answers({0, 31}), metrics) for name in names} | {COUNTS: Result(answers({1}))}
    cache = compare(random_t5(d_model=32, d_kv=16, num_heads=2, num_layers=1, vocab_size=60), steps=3)
    page = render(results, REPORT, cache, RECIPE)
    assert "Test rows: fpb 30, tfns 60." in page
    assert f"| {HEAD} | {metrics.parameters / 1e6:.2f} M |" in page
    assert f"| {COUNTS} |  |  |  | 0.967 (" in page and "| 1.000 (1.000 to 1.000) |" in page
    assert "25.0 % if every text had sequences of its own of 256 tokens, 0 % as they are packed" in page
    assert "2.00 passes over the texts" in page and "| 10 | 4,000 | 6.500 | 6.000 |" in page
    assert f"{cache.plain_bytes / 1e6:.2f} MB kept, {cache.slim_bytes / 1e6:.2f} MB" in page
    assert "nan" not in page
