"""Recipes of the kind that others publish, on generated files in the format of the real ones, end to end."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas
import pytest
import torch
import yaml
from transformers import BertConfig, BertForPreTraining, DistilBertConfig, DistilBertForMaskedLM

from finsent import REPOSITORY
from inference.classifier import Classifier
from tests import tiny
from tests.runtimes.answers import FP32

pytestmark = pytest.mark.slow

QUICK = {"epochs": 1, "batch_size": 16, "learning_rate": 1.0e-4, "evaluations": 1, "bf16": "off"}
WORDS = {"negative": "dull weak sad", "neutral": "plain flat same", "positive": "fine strong glad"}
NAMES = [
    f"{first}{last}"
    for first in ("Ar", "Bel", "Can", "Dor", "El")
    for last in ("vo", "mi", "sk", "bin", "to")
]


def sentences(label: str) -> list[str]:
    """Twenty-five texts of a label, all different."""
    return [f"{name} is {' and '.join(WORDS[label].split())} in week {n}" for n, name in enumerate(NAMES)]


def write_imdb(mirror: Path, _: Path) -> None:
    folder = mirror / "datasets" / "stanfordnlp" / "imdb" / "plain_text"
    folder.mkdir(parents=True)
    rows = [
        {"text": f"{text}<br /><br />" * 40, "label": number}
        for number, label in enumerate(("negative", "positive"))
        for text in sentences(label)
    ]
    for split, part in (("train", rows[:20] + rows[25:45]), ("test", rows[20:25] + rows[45:])):
        pandas.DataFrame(part).to_parquet(folder / f"{split}-00000-of-00001.parquet")


def write_sentiment140(mirror: Path, _: Path) -> None:
    folder = mirror / "datasets" / "stanfordnlp" / "sentiment140"
    folder.mkdir(parents=True)
    path = folder / "training.1600000.processed.noemoticon.csv"
    with path.open("w", encoding="latin-1", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        for target, label in ((0, "negative"), (4, "positive")):
            for text in sentences(label):
                writer.writerow([target, "", "", "NO_QUERY", "", f"@é {text} &amp; www.a.b"])


def write_kaggle(mirror: Path, folder: Path) -> None:
    (folder / "kaggle").mkdir()
    with (folder / "kaggle" / "all-data.csv").open("w", encoding="latin-1", newline="") as file:
        writer = csv.writer(file)
        for label in WORDS:
            writer.writerows([label, f"{text}, says Ö"] for text in sentences(label))
    encoder = mirror / "models" / "distilbert" / "distilbert-base-uncased"
    tiny.save_encoder(encoder, "distilbert")
    size = tiny.make_tokenizer().get_vocab_size()
    config = DistilBertConfig(vocab_size=size, dim=96, hidden_dim=192, n_heads=4)  # as deep as the real one
    DistilBertForMaskedLM(config).save_pretrained(encoder)


def write_tinybert(mirror: Path, folder: Path) -> None:
    """The encoder as its repository has it: no tokenizer.json, and pickled weights."""
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text", "label"], *((t, one) for one in WORDS for t in sentences(one))])
    encoder = mirror / "models" / "huawei-noah" / "TinyBERT_General_4L_312D"
    encoder.mkdir(parents=True)
    vocabulary = json.loads(tiny.make_tokenizer().to_str())["model"]["vocab"]
    (encoder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=312,
        num_hidden_layers=4,
        num_attention_heads=12,
        intermediate_size=1200,
    )
    config.save_pretrained(encoder)
    torch.save(BertForPreTraining(config).state_dict(), encoder / "pytorch_model.bin")


def write_hub(mirror: Path, folder: Path) -> None:
    """The files that the Hub makes of data sets: sentences with labels, and articles."""
    rows = [
        {"text": text, "label": number}
        for number, label in enumerate(("positive", "neutral", "negative"))
        for text in sentences(label)
    ]
    articles = [{"Headline": f"{one} meets", "Article": f"{one} bought a mill. " * 20} for one in NAMES]
    for name, table in (
        ("ugursa/Yahoo-Finance-News-Sentences", rows),
        ("genloop/bloomberg_financial_news_120k", articles),
    ):
        place = mirror / "datasets" / name / "default" / "train"
        place.mkdir(parents=True)
        pandas.DataFrame(table).to_parquet(place / "0000.parquet")
    write_small_encoders(folder)


def from_small(encoder: str, words: bool = False) -> dict[str, Any]:
    """Return the keys of a recipe that starts from a small encoder, whose labels are whole pieces."""
    base: dict[str, Any] = {"recipe": f"small-{encoder}.yaml"}
    return {
        "replace": ["base.recipe"],
        "base": base | ({"text_to_text": {"prefix": "say: "}} if words else {}),
    }


def write_small_encoders(folder: Path) -> None:
    """The pretrainings of all T5s, with little of everything."""
    for path in (folder / "encoders").glob("t5-*-encoder.yaml"):
        small = {
            "extends": f"encoders/{path.name}",
            "name": f"small-{path.stem}",
            "data": {"near_duplicates": 1.0, "held_out": 0.1},
            "model": {"hidden_size": 32, "heads": 2, "intermediate_size": 64},
            "tokenizer": {"pieces": 300},
            "training": {"tokens": 2000, "length": 64, "batch_size": 8, "evaluations": 1, "bf16": "off"},
        }
        (folder / f"small-{path.name}").write_text(yaml.safe_dump(small), encoding="utf-8")


def write_market_news(mirror: Path, folder: Path) -> None:
    """Labelled rows as the mirror has them, and articles and speeches that are not near to them."""
    data = mirror / "datasets"
    places = ("zeroshot/twitter-financial-news-sentiment", "takala/financial_phrasebank/data")
    texts = {
        "FelixDrinkall/financial-news-dataset": "articles.parquet",
        "gtfintechlab/fomc_communication": "documents.parquet",
    }
    for place in (*places, *texts):
        (data / place).mkdir(parents=True)
    rows = [
        (text, number)
        for number, one in enumerate(("negative", "positive", "neutral"))
        for text in sentences(one)
    ]
    for name, part in (("sent_train.csv", rows[1::2]), ("sent_valid.csv", rows[::2])):
        pandas.DataFrame(part, columns=["text", "label"]).to_csv(data / places[0] / name, index=False)
    lines = "\n".join(f"{text}, she said@{label}" for label in WORDS for text in sentences(label))
    with zipfile.ZipFile(data / places[1] / "FinancialPhraseBank-v1.0.zip", "w") as archive:
        for agreement in ("50", "66", "75", "All"):
            archive.writestr(f"FinancialPhraseBank-v1.0/Sentences_{agreement}Agree.txt", lines)
    for number, (place, name) in enumerate(texts.items()):
        articles = [f"The board of {one} met {number}. " + f"{one} bought a mill. " * 20 for one in NAMES]
        pandas.DataFrame({"text": articles}).to_parquet(data / place / name)
    write_small_encoders(folder)


ROWS = {
    "kind": "table",
    "name": "rows",
    "title": "rows",
    "licence": "cc-by-nc-sa-3.0",
    "path": ".",
    "files": {"train": ["rows.csv"]},
    "labels": {label: label for label in WORDS},
}


@pytest.mark.parametrize(
    ("name", "write", "changes"),
    [
        ("reviews", write_imdb, {"replace": ["base"], "data": {"validation": 0.2}}),
        ("tweets", write_sentiment140, {"replace": ["base"], "data": {"validation": 0.2, "test": 0.2}}),
        ("distilbert-headlines", write_kaggle, {}),
        ("t5-market-news", write_market_news, from_small("t5-market-news-encoder")),
        ("t5-market-news-words", write_market_news, from_small("t5-market-news-encoder", words=True)),
        ("t5-market-news-mini", write_market_news, from_small("t5-market-news-mini-encoder")),
        (
            "t5-market-news-mini-words",
            write_market_news,
            from_small("t5-market-news-mini-encoder", words=True),
        ),
        ("t5-market-news-hub", write_hub, from_small("t5-market-news-hub-encoder")),
        ("tinybert-headlines", write_tinybert, {"data": {"sources": [ROWS], "validation": 0.2, "test": 0.2}}),
    ],
)
def test_a_recipe_goes_from_the_format_of_its_files_to_a_release(
    name: str,
    write: Callable[[Path, Path], None],
    changes: dict[str, Any],
    tmp_path: Path,
    tiny_base: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for recipe in (REPOSITORY / "recipes").glob("*.yaml"):
        shutil.copy(recipe, tmp_path)
    shutil.copytree(REPOSITORY / "recipes" / "encoders", tmp_path / "encoders")
    mirror = tmp_path / "mirror"
    write(mirror, tmp_path)
    tree: dict[str, Any] = {"extends": f"{name}.yaml", "name": "tried", "training": QUICK} | changes
    tree["allow_weak"] = True
    tree["data"] = tree.get("data", {}) | {"near_duplicates": 1.0}
    tree["evaluation"] = {"bootstrap": 100, "latency_texts": 10, "suites": []}
    tree["export"] = {"variants": [{"name": "fp32"}]}
    if "base" in changes.get("replace", []):
        tree["base"] = {"path": str(tiny_base), "hub": "tests/tiny-bert", "licence": "apache-2.0"}
        tree["base"]["positions"] = 2012
    (tmp_path / "tried.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    monkeypatch.setenv("FINSENT_MIRROR", str(mirror))
    done = tiny.run_train(tmp_path / "tried.yaml", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    classifier = Classifier(tmp_path / "runs" / "tried" / "release", f"onnx/{FP32}")
    assert classifier.predict(["Arvo is fine", "x" * 10_000]).shape == (2, len(classifier.labels))
