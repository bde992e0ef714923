from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import T5Config, T5ForSequenceClassification

from inference.classifier import Classifier
from model_card.explanations.gradients import MOST_STEPS, STEPS, TOLERANCE, Gradients, Pieces, cut_pieces
from model_card.explanations.measure import explain_text

TEXT = "Arvo profit rose to EUR 5 million, https://a.example $AAPL déjà vu"


@pytest.fixture(scope="module")
def gradients(tiny_release: Path) -> Gradients:
    return Gradients(tiny_release)


@pytest.fixture(scope="module")
def classifier(tiny_release: Path) -> Classifier:
    return Classifier(tiny_release, "onnx/model.onnx")


def test_every_piece_belongs_to_the_word_it_stands_in(classifier: Classifier) -> None:
    pieces = cut_pieces(classifier, TEXT)
    words = TEXT.split()
    assert pieces.words[0] is None and pieces.words[-1] is None and pieces.added.tolist()[:2] == [True, False]
    spelt = ["" for _ in words]
    for word, token in zip(pieces.words, pieces.tokens, strict=True):
        if word is not None:
            spelt[word] += token.removeprefix("##")
    assert spelt[:7] == ["arvo", "profit", "rose", "to", "eur", "5", "million,"]
    assert spelt[8:] == ["aapl", "deja", "vu"]  # what the text rules take away is in no piece
    assert pieces.by_word(np.ones(len(pieces.words)))[1] == sum(word == 1 for word in pieces.words)


def test_effects_add_up_to_what_the_text_is_more_than_nothing(
    classifier: Classifier, gradients: Gradients
) -> None:
    for text in (TEXT, "profit fell", "x " * 90):
        answer = classifier(text)
        found = explain_text(classifier, gradients, text, answer.label)
        assert found.whole == pytest.approx(answer.score, abs=1e-4)
        assert found.error < 0.02
        assert sum(found.effects) == pytest.approx(found.whole - found.empty, abs=0.02)
        assert len(found.effects) == len(text.split())


def test_gradient_times_input_is_the_slope_of_each_piece(
    classifier: Classifier, gradients: Gradients
) -> None:
    """A piece whose embedding grows by a thousandth changes the probability by a thousandth of its effect."""
    pieces = cut_pieces(classifier, "profit rose")
    table = gradients._model.get_input_embeddings().weight
    effects = gradients.multiply(pieces, 2)
    number = int(pieces.ids[1])
    before = gradients.measure_at(pieces, 2, 1)[0]
    with torch.no_grad():
        kept = table[number].clone()
        table[number] *= 1.001
        after = gradients.measure_at(pieces, 2, 1)[0]
        table[number] = kept
    assert effects[1] == pytest.approx((after - before) / 0.001, rel=0.05, abs=1e-4)


def test_a_part_of_the_path_where_the_probability_jumps_is_halved(
    classifier: Classifier, gradients: Gradients, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float, float]] = []

    def jump(pieces: Pieces, label: int, start: float, stop: float) -> Any:
        asked.append((start, stop))
        return np.zeros(len(pieces.ids))  # no step is near enough to see it

    monkeypatch.setattr(gradients, "integrate_part", jump)
    monkeypatch.setattr(gradients, "measure_at", lambda *given: [float(share > 0.3) for share in given[2:]])
    gradients.integrate(cut_pieces(classifier, TEXT), 0)
    assert asked[:4] == [(0.5, 1.0), (0.0, 0.5), (0.25, 0.5), (0.375, 0.5)]
    finest = min(asked, key=lambda part: part[1] - part[0])
    assert abs(finest[0] - 0.3) < 0.01
    assert len(asked) == MOST_STEPS // STEPS


def test_nothing_stays_behind_in_the_model(classifier: Classifier, gradients: Gradients) -> None:
    pieces = cut_pieces(classifier, TEXT)
    with torch.inference_mode():
        before = gradients._model(input_ids=pieces.ids[None]).logits
    gradients.integrate(pieces, 0)
    with torch.inference_mode():
        assert torch.equal(gradients._model(input_ids=pieces.ids[None]).logits, before)
    assert all(one.grad is None for one in gradients._model.parameters())


def test_attention_of_a_layer_adds_up_to_one(classifier: Classifier, gradients: Gradients) -> None:
    pieces = cut_pieces(classifier, TEXT)
    found = gradients.look(pieces)
    assert found is not None and len(found) == 2
    assert np.array(found).shape == (2, len(pieces.ids))
    assert np.array(found).sum(axis=1) == pytest.approx(1)


def test_a_decoder_that_reads_the_text_again_is_followed(tmp_path: Path) -> None:
    torch.manual_seed(3)
    config = T5Config(
        vocab_size=40, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2, num_labels=3,
        decoder_start_token_id=0, pad_token_id=0, eos_token_id=1, classifier_dropout=0.0,
    )  # fmt: skip
    model: Any = T5ForSequenceClassification(config)
    model.transformer.shared.weight.data.normal_(0, 1)
    model.save_pretrained(tmp_path)
    gradients = Gradients(tmp_path)
    ids = torch.tensor([5, 9, 17, 9, 1])
    added = torch.tensor([False] * 4 + [True])
    pieces = Pieces(ids, added, [0, 1, 2, 3, None], [str(one) for one in ids.tolist()], 4)
    with gradients._blended(pieces, np.ones(1)) as lookups:
        gradients._run(pieces, 1)
    assert [one.shift for one in lookups] == [0, 1]
    whole, empty = gradients.measure_at(pieces, 1, 1, 0)
    effects, finer = gradients.integrate(pieces, 1), gradients.integrate_part(pieces, 1, 0, 1, 512)
    assert effects.sum() == pytest.approx(whole - empty, abs=TOLERANCE)  # ReLU has kinks
    assert finer.sum() == pytest.approx(whole - empty, rel=0.001)
    assert abs(whole - empty) > 0.1 and effects[-1] == 0
    assert gradients.look(pieces) is None
