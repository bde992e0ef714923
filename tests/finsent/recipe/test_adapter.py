from __future__ import annotations

from pathlib import Path

import pytest

from finsent.errors import RecipeError
from finsent.recipe.adapter import Adapter
from finsent.recipe.file import dump_recipe, load_recipe
from tests.finsent.recipe.samples import write_recipe


def test_a_rank_says_what_alpha_is_left_out(tmp_path: Path) -> None:
    found = load_recipe(write_recipe(tmp_path, adapter={"kind": "lora"})).adapter
    assert found is not None and (found.effective_rank, found.effective_alpha) == (8, 16)
    found = Adapter(kind="qlora", rank=4)
    assert (found.effective_rank, found.effective_alpha) == (4, 8)
    assert Adapter(kind="lora", alpha=3).effective_alpha == 3


@pytest.mark.parametrize(
    ("adapter", "message"),
    [
        (
            {"kind": "ia3", "rank": 8, "dropout": 0.1},
            "adapter: rank: .* no matrices; leave rank, dropout out",
        ),
        ({"kind": "dora"}, "adapter.kind: got \"dora\"; input should be 'lora', 'qlora' or 'ia3'"),
        ({"kind": "lora", "rank": 0}, "adapter.rank: got 0"),
        ({"kind": "lora", "dropout": 1.0}, r"adapter.dropout: got 1\.0"),
        ({"kind": "lora", "targets": [""]}, 'adapter.targets.0: got ""'),
        ({"rank": 8}, "adapter.kind: Field required"),
    ],
)
def test_what_makes_no_adapter_is_refused(adapter: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe(write_recipe(tmp_path, adapter=adapter))


def test_a_recipe_without_an_adapter_is_what_it_was(tmp_path: Path) -> None:
    plain = load_recipe(write_recipe(tmp_path))
    assert "adapter" not in dump_recipe(plain)
    adapted = load_recipe(write_recipe(tmp_path, adapter={"kind": "ia3"}))
    assert adapted.making_fingerprint() != plain.making_fingerprint()
    (tmp_path / "again.yaml").write_text(dump_recipe(adapted), encoding="utf-8")
    assert load_recipe(tmp_path / "again.yaml") == adapted
