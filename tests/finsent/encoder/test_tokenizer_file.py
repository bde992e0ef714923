from __future__ import annotations

import json
from pathlib import Path

import pytest
import sentencepiece
from tokenizers import Tokenizer, normalizers

from finsent.encoder.tokenizer_file import knows_no_capitals, read_tokenizer
from finsent.recipe.text import Text
from tests import tiny, tiny_encoders

CASED = Text(lowercase=False)


@pytest.mark.parametrize("kind", tiny_encoders.KINDS)
def test_every_kind_is_read_with_its_own_special_tokens(kind: str, tmp_path: Path) -> None:
    made = tiny_encoders.KINDS[kind]
    text = Text(lowercase=made.tokenizer == "wordpiece")
    found = read_tokenizer(tiny_encoders.save_encoder(tmp_path / kind, kind), text, kind)
    assert made.tokens.items() <= found.special_tokens.items()
    assert found.tokens_a_character == (4 if made.tokenizer == "byte-level" else 1)
    assert found.tree["truncation"] is found.tree["padding"] is None


def test_a_sentencepiece_model_alone_is_a_tokenizer(tmp_path: Path) -> None:
    folder = tiny_encoders.save_encoder(tmp_path / "v3", "deberta-v2")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    (tmp_path / "rows.txt").write_text("\n".join(row["text"] for row in tiny.make_rows()), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "rows.txt"),
        model_prefix=str(folder / "spm"),
        vocab_size=70,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        pad_piece="[PAD]",
        bos_piece="[CLS]",
        eos_piece="[SEP]",
        unk_piece="[UNK]",
        minloglevel=2,
    )
    found = read_tokenizer(folder, CASED, "v3")
    assert found.tree["model"]["type"] == "Unigram"
    assert tiny_encoders.BERT_TOKENS.items() <= found.special_tokens.items()


def test_a_release_is_an_encoder_again_and_its_rules_do_not_pile_up(tmp_path: Path) -> None:
    folder = tiny_encoders.save_encoder(tmp_path / "xlm", "xlm-roberta")
    first = read_tokenizer(folder, Text(lowercase=False, drop_mentions=True, max_characters=40), "xlm")
    Tokenizer.from_str(_dump(first.tree)).save(str(folder / "tokenizer.json"))
    second = read_tokenizer(folder, Text(lowercase=False, max_characters=80), "xlm")
    plain = read_tokenizer(
        tiny_encoders.save_encoder(tmp_path / "plain", "xlm-roberta"),
        Text(lowercase=False, max_characters=80),
        "xlm",
    )
    assert second.tree["normalizer"] == plain.tree["normalizer"]
    assert "@" in Tokenizer.from_str(_dump(second.tree)).normalizer.normalize_str("@me")


def _dump(tree: dict[str, object]) -> str:

    return json.dumps(tree)


def test_whether_capitals_are_known_is_read_off_the_tokenizer() -> None:
    tokenizer = tiny.make_tokenizer()
    assert knows_no_capitals(tokenizer)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    assert not knows_no_capitals(tokenizer)
