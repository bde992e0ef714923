from __future__ import annotations

import pytest

from finsent.training.augmentation import augment


def test_variants_are_repeatable_and_differ_from_their_texts() -> None:
    texts = ["one two three four five six seven eight nine ten eleven twelve"] * 40
    first, again = augment(texts, 2, seed=3), augment(texts, 2, seed=3)
    assert first == again != augment(texts, 2, seed=4)
    assert len(first) == 80
    assert sum(text != texts[0] for text in first) > 60
    assert {word for text in first for word in text.split()} <= set(texts[0].split())


def test_variants_drop_exchange_and_replace_words() -> None:
    whole = [str(number) for number in range(12)]
    augmented = [text.split() for text in augment([" ".join(whole)] * 100, 1, seed=3)]
    dropped = 1 - sum(len(words) for words in augmented) / (100 * len(whole))
    assert 0.04 < dropped < 0.12  # of eight in a hundred
    same_words = [words for words in augmented if sorted(words) == sorted(whole)]
    assert any(words != whole for words in same_words)
    assert any(len(words) == len(whole) and len(set(words)) < len(words) for words in augmented)


@pytest.mark.parametrize("text", ["", " ", "one", "🙂", "a" * 5000])
def test_no_text_is_lost_by_varying_it(text: str) -> None:
    assert augment([text], 20, seed=0) == [text] * 20
