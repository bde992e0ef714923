from __future__ import annotations

import pytest
from pydantic import ValidationError
from tokenizers import Tokenizer, normalizers

from finsent.encoder.load import load_base
from finsent.encoder.text_rules import build_normalizer
from finsent.recipe.recipe import Recipe
from finsent.recipe.text import Text
from tests.finsent.encoder.samples import TEXTS


def test_the_normalizer_drops_links_control_characters_and_case(tiny_recipe: Recipe) -> None:
    normalize = build_normalizer(tiny_recipe.text).normalize_str
    assert normalize("$Aapl\x00 RISES https://t.co/a?b=c now") == "aapl rises  now"
    assert normalize("costs $5 in $ terms") == "costs $5 in $ terms"
    assert len(normalize("한" * 400)) == 116
    assert Tokenizer.from_str(load_base(tiny_recipe, TEXTS).tokenizer_json).normalizer is not None


@pytest.mark.parametrize(
    ("rules", "text", "expected"),
    [
        ({"drop_bare_links": True}, "see www.a.com/b and pic.twitter.com/x1 a@www.b", "see  and  a@www.b"),
        ({"drop_mentions": True}, "@me thanks @you_2! a@b.c", " thanks ! a@b.c"),
        ({"strip_hashtags": True}, "#Winning #1 # alone C#", "winning 1 # alone c#"),
        ({"decode_entities": True}, "Q&amp;A &lt;3 it&#39;s &amp;lt; &quot;x&quot;", 'q&a <3 it\'s &lt; "x"'),
        ({"drop_tags": True}, "good<br /><br />film <b>bold</b> 1 < 2 > 0", "good  film  bold  1 < 2 > 0"),
        ({"shorten_repeats": True}, "Sooooo goood!!!! 1000 ...", "soo good!! 1000 .."),
        ({"drop_words": ["the", "C++", "É"]}, "The cat, c++ other é the", " cat,  other  "),
        ({"drop": ["[^A-Za-z ]"]}, "It's 5 o'clock", "it s   o clock"),
        ({"decode_entities": True, "drop_tags": True}, "&lt;br&gt;x", " x"),
    ],
)
def test_a_rule_cleans_just_what_it_names(rules: dict[str, object], text: str, expected: str) -> None:
    assert build_normalizer(Text(**rules)).normalize_str(text) == expected


def test_the_rules_go_around_what_another_kind_of_tokenizer_does_itself() -> None:
    text = Text(lowercase=False, drop_mentions=True, drop_words=["ﬁne"], max_characters=16)
    normalize = build_normalizer(text, normalizers.NFKC(), is_wordpiece=False).normalize_str
    assert normalize("@me ﬁne ﬁnal Ａ 12345678901") == "  final A 123456"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(?i)a", r"'\(\?' in .* is read differently by tokenizers and by JavaScript"),
        ("a++", r"'\+\+' in "),
        (r"\Aa", r"read differently"),
        ("[[:alpha:]]", "read differently"),
        (r"\'", "read differently"),
        ("(a", "is not a regular expression"),
        ("^", "matches no text"),
    ],
)
def test_a_pattern_that_a_runtime_reads_otherwise_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Text(drop=[pattern])
