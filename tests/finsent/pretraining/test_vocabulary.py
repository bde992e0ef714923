from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from finsent.errors import DataError
from finsent.pretraining.vocabulary import SENTINELS, choose_pieces, train_tokenizer
from finsent.recipe.pretraining import Pretraining, Vocabulary
from finsent.release import sha256
from tests import tiny
from tests.finsent.pretraining import samples

WORDPIECE = samples.T5 | {
    "objective": "mlm",
    "tokenizer": {"kind": "wordpiece", "pieces": 150, "words": ["bullish"]},
    "training": samples.STEPS,
}


def train(recipe: Pretraining, folder: Path) -> PreTrainedTokenizerFast:
    folder.mkdir()
    texts = [f"Profit at Arvo rose by {number} million, bullish news" for number in range(60)]
    train_tokenizer(recipe, [*texts, *samples.write_texts(folder).read_text().splitlines()], folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


@pytest.mark.parametrize("changes", [samples.T5, WORDPIECE], ids=["unigram", "wordpiece"])
def test_special_tokens_and_words_are_where_they_belong(
    tmp_path: Path, tiny_base: Path, changes: dict[str, object]
) -> None:
    tokenizer = train(samples.load(tmp_path, tiny_base, **changes), tmp_path / "made")
    assert tokenizer.tokenize("Profit bullish")[-1].strip("▁") == "bullish"
    plain = tokenizer("profit rose to 5 million").input_ids
    assert tokenizer.unk_token_id not in plain
    assert tokenizer(" profit rose\n\tto  5 million\n").input_ids == plain
    if changes["objective"] == "span":
        assert tokenizer.convert_tokens_to_ids(["<pad>", "</s>", "<unk>"]) == [0, 1, 2]
        assert tokenizer.convert_tokens_to_ids(SENTINELS) == list(
            range(len(tokenizer) - 1, len(tokenizer) - 101, -1)
        )
        assert len(tokenizer) == 3 + 120 + 100
        assert tokenizer("profit").input_ids[-1] == 1
    else:
        assert tokenizer.convert_tokens_to_ids(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]) == [
            0,
            1,
            2,
            3,
            4,
        ]
        assert (tokenizer("profit").input_ids[0], tokenizer("profit").input_ids[-1]) == (2, 3)
        assert len(tokenizer) == 5 + 150


@pytest.mark.slow
@pytest.mark.parametrize("changes", [samples.T5, WORDPIECE], ids=["unigram", "wordpiece"])
def test_two_processes_make_the_same_bytes(
    tmp_path: Path, tiny_base: Path, changes: dict[str, object]
) -> None:
    file = samples.write_pretraining(tmp_path, tiny_base, **changes)
    code = """
import sys
from pathlib import Path
from finsent.pretraining.vocabulary import train_tokenizer
from finsent.recipe.file import load_pretraining
file, folder = map(Path, sys.argv[1:])
train_tokenizer(load_pretraining(file), (file.parent / "news.txt").read_text().splitlines() * 3, folder)
"""
    found = set()
    for number in range(3):
        command = [sys.executable, "-c", code, str(file), str(tmp_path / str(number))]
        subprocess.run(command, cwd=tiny.ROOT, check=True, capture_output=True, timeout=240)
        found.add(sha256(tmp_path / str(number) / "tokenizer.json"))
    assert len(found) == 1


def test_pieces_are_chosen_and_ordered_the_same_whatever_order_they_come_in() -> None:
    plan = Vocabulary(kind="unigram", pieces=100, words=["up"])
    scored = [(f"piece{number}", -float(number // 3) - 1e-12 * (number % 2)) for number in range(150)]
    scored += [("x", -99.0), ("y", -99.0 - 1e-13)]
    first = choose_pieces(scored, plan)
    assert first == choose_pieces(scored[::-1], plan)
    assert len(first) == 100 and {"▁up", "x", "y"} <= {piece for piece, _ in first}


def test_too_few_pieces_are_refused() -> None:
    letters = [(chr(code), -1.0) for code in range(200, 350)]
    with pytest.raises(
        DataError, match=r"tokenizer.pieces: got 100, allowed: 150 or more, as letters must stay"
    ):
        choose_pieces(letters, Vocabulary(kind="unigram", pieces=100))
