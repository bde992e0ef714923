from __future__ import annotations

import about
from model import Model

from tests.space.tags import parse


def test_about_prints_what_was_measured(model: Model) -> None:
    text = parse(about.describe(model, "http://127.0.0.1:7860")).text
    for variant in model.metrics["variants"]:
        assert f"{variant['bytes'] / 1e6:.1f} MB" in text
        assert f"{variant['scores']['accuracy'] * 100:.1f} %" in text
    for limit in model.card["limits"]:
        assert limit in text


def test_about_links_the_very_commit(model: Model) -> None:
    published = Model(model.folder, "finsent/x", "0123456789abcdef")
    assert published.page == "https://huggingface.co/finsent/x/tree/0123456789abcdef"
    assert f'href="{published.page}"' in about.describe(published, "http://x")
