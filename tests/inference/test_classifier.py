from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inference.classifier import Classifier, softmax
from tests import tiny

STRANGE = [
    "",
    " ",
    "🙂🙃",
    "x" * 100_000,
    "한" * 400,
    "\ud800 lone",
    "\x00\x01",
    "中文 headline",
    "a\nb\tc",
    "$AAPL",
]


@pytest.fixture(scope="module")
def classifier(tiny_release: Path) -> Classifier:
    return Classifier(tiny_release)


def test_one_text_and_many_give_the_same(classifier: Classifier) -> None:
    texts = [row["text"] for row in tiny.make_rows()]
    many = classifier.classify(texts)
    assert classifier(texts[0]) == many[0]
    assert {one.label for one in many} == set(tiny.LABELS)
    assert all(sum(one.scores.values()) == pytest.approx(1) for one in many)
    assert all(one.score == max(one.scores.values()) for one in many)


def test_rows_come_back_in_their_order(classifier: Classifier) -> None:
    texts = ["long " * 20, "short", "a text of middling length", ""] * 40
    whole = classifier.predict(texts, batch_size=7)
    alone = np.concatenate([classifier.predict([text]) for text in texts])
    assert whole.shape == (160, 3)
    assert np.array_equal(whole, alone)


@pytest.mark.parametrize("text", STRANGE, ids=range(len(STRANGE)))
def test_every_string_has_an_answer(classifier: Classifier, text: str) -> None:
    assert classifier(text).label in tiny.LABELS


def test_no_texts_are_no_rows(classifier: Classifier) -> None:
    assert classifier.predict([]).shape == (0, 3)
    assert classifier.classify([]) == []


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["up", None], "text 1: got NoneType, expected str; drop it or write ''"),
        ([3.5], "text 0: got float"),
        ("up", r"got a string, expected a list of texts; write \[text\]"),
    ],
)
def test_what_is_no_text_is_named(classifier: Classifier, texts: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        classifier.predict(texts)  # type: ignore[arg-type]


def test_a_long_list_is_done_in_blocks(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"profit rose {number}" for number in range(100)]
    expected = classifier.predict(texts)
    monkeypatch.setattr("inference.classifier.BLOCK", 7)
    monkeypatch.setattr("inference.classifier.TOKENS_A_BATCH", 20)
    assert np.array_equal(classifier.predict(texts), expected)


def test_a_release_that_lacks_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"config.json, tokenizer.json.* missing; is it a finsent release"
    ):
        Classifier(tmp_path)
    with pytest.raises(FileNotFoundError, match="neither a folder nor a Hub id"):
        Classifier(str(tmp_path / "typo"))


def test_softmax_is_safe_for_large_logits() -> None:
    found = softmax(np.array([[1000.0, 0.0], [-1000.0, -1000.0]], dtype=np.float32))
    assert np.allclose(found, [[1, 0], [0.5, 0.5]])


def test_the_module_stands_alone_and_imports_no_torch() -> None:
    code = (
        "import sys, inference.classifier; "
        "print([m for m in ('torch', 'transformers', 'finsent', 'huggingface_hub') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tiny.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
