"""Ways to classify headlines, for benchmarks: ours, word counts, rules, and the shape of BERT-base."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from optimum.onnxruntime import ORTModelForSequenceClassification
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from tokenizers import Tokenizer
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, pipeline
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from export.to_onnx import export_onnx
from finsent.data.rows import Row
from finsent.onnx_files import FOLDER, FP32, QUANTIZED
from finsent.release import TOKENIZER, WEIGHTS
from inference.classifier import Classifier, softmax

VADER_NEUTRAL = 0.05  # its authors' bound of the compound score

Predict = Callable[[list[str]], Any]  # one batch, as it is given


@dataclass(frozen=True)
class Way:
    """Something that classifies a batch. `build` makes it for a number of threads; `bytes` are on disk."""

    name: str
    bytes: int
    build: Callable[[int], Predict]
    quality: str = ""  # whose predictions these are; empty where the weights are random
    scores: bool = False  # whether it gives probabilities, and not classes alone


def word_counts(rows: list[Row], labels: list[str]) -> tuple[Way, Predict]:
    """Return TF-IDF of words and word pairs with a linear SVM, fitted to rows; and how to score with it."""
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2), LinearSVC())
    model.fit([row.text for row in rows], [labels.index(row.label) for row in rows])
    name = "TF-IDF, linear SVM"
    return Way(name, len(pickle.dumps(model)), lambda threads: model.predict, name), model.predict


def vader(labels: list[str]) -> tuple[Way, Predict]:
    """Return the rules of VADER, https://github.com/cjhutto/vaderSentiment."""
    analyzer = SentimentIntensityAnalyzer()

    def predict(texts: list[str]) -> list[int]:
        """Return a class number a text, by the sign of the compound score."""
        found = [analyzer.polarity_scores(text)["compound"] for text in texts]
        names = [
            "neutral" if abs(value) < VADER_NEUTRAL else "positive" if value > 0 else "negative"
            for value in found
        ]
        return [labels.index(name) for name in names]

    name = "vaderSentiment"
    lexicons = Path(inspect.getfile(SentimentIntensityAnalyzer)).parent.glob("*lexicon.txt")
    size = sum(file.stat().st_size for file in lexicons)
    return Way(name, size, lambda threads: predict, name), predict


def bare(release: Path, threads: int, file: str = QUANTIZED.path) -> Predict:
    """Return the least code that turns texts into probabilities with an ONNX file."""
    tokenizer = Tokenizer.from_file(str(release / TOKENIZER))
    tokenizer.enable_padding(pad_id=tokenizer.token_to_id("[PAD]"), pad_token="[PAD]")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(release / file), options)
    names = {entry.name for entry in session.get_inputs()}

    def predict(texts: list[str]) -> Any:  # noqa: ANN401
        """Return the probabilities `(n, n_labels)` of one padded batch."""
        encodings = tokenizer.encode_batch_fast(texts)
        feed = {
            "input_ids": np.array([encoding.ids for encoding in encodings]),
            "attention_mask": np.array([encoding.attention_mask for encoding in encodings]),
            "token_type_ids": np.array([encoding.type_ids for encoding in encodings]),
        }
        return softmax(session.run(["logits"], {name: feed[name] for name in names})[0])

    return predict


def through_pipeline(release: Path, threads: int) -> Predict:
    """Return `pipeline()` on PyTorch files, which is what a card tells people to run."""
    torch.set_num_threads(threads)
    classify = pipeline("text-classification", model=str(release))
    return lambda texts: classify(texts, batch_size=len(texts))


def through_optimum(release: Path, threads: int) -> Predict:
    """Return `pipeline()` on the quantized file, by way of ORTModelForSequenceClassification."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    model = ORTModelForSequenceClassification.from_pretrained(
        release, subfolder=FOLDER, file_name=QUANTIZED.file_name, session_options=options
    )
    classify = pipeline("text-classification", model=model, tokenizer=AutoTokenizer.from_pretrained(release))
    return lambda texts: classify(texts, batch_size=len(texts))


def save_bert_base(folder: Path, tokenizer_of: Path) -> Path:
    """Save BERT-base's shape with random weights, in PyTorch and ONNX, and another model's tokenizer."""
    torch.manual_seed(0)
    BertForSequenceClassification(BertConfig(num_labels=3)).save_pretrained(folder)
    for file in tokenizer_of.glob("tokenizer*.json"):
        (folder / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "onnx").mkdir()
    export_onnx(folder, 17)
    return folder


def neural_ways(releases: list[Path], base: Path) -> list[Way]:
    """Return the members of the family, and what their quantized files stand beside."""
    first, quantized = releases[0], QUANTIZED.path
    of = {release: release.parent.name for release in releases}
    ways = [
        Way(
            f"{of[first]}, pipeline() on PyTorch files",
            (first / WEIGHTS).stat().st_size,
            lambda threads: through_pipeline(first, threads),
            f"{of[first]} fp32",
            scores=True,
        )
    ]
    for release in releases:
        size = (release / quantized).stat().st_size

        def optimum(threads: int, release: Path = release) -> Predict:
            return through_optimum(release, threads)

        def session(threads: int, release: Path = release) -> Predict:
            return bare(release, threads)

        def classifier(threads: int, release: Path = release) -> Predict:
            return Classifier(release, threads=threads).predict

        ways += [
            Way(f"{of[release]}, quantized, ORTModel pipeline", size, optimum, of[release], True),
            Way(f"{of[release]}, quantized, bare onnxruntime", size, session, of[release], True),
            Way(f"{of[release]}, quantized, inference/classifier.py", size, classifier, of[release], True),
        ]
    bytes_of = {file: (base / file).stat().st_size for file in (WEIGHTS, FP32.path)}
    return [
        *ways,
        Way("BERT-base's shape, PyTorch", bytes_of[WEIGHTS], lambda threads: through_pipeline(base, threads)),
        Way(
            "BERT-base's shape, onnxruntime",
            bytes_of[FP32.path],
            lambda threads: bare(base, threads, FP32.path),
        ),
    ]
