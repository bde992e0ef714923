from __future__ import annotations

from pathlib import Path

from export.files import MAKERS, export_files
from finsent.encoder.load import load_base
from finsent.onnx_files import FP32, ONNX_FILES
from finsent.recipe.export import Variant
from finsent.recipe.recipe import Export, Recipe
from tests import tiny

TEXTS = [row["text"] for row in tiny.make_rows()]


def test_every_row_of_the_table_has_its_maker() -> None:
    assert {FP32.name, *MAKERS} == set(ONNX_FILES)


def test_what_the_recipe_names_is_made_and_nothing_else(tiny_recipe: Recipe, tmp_path: Path) -> None:
    load_base(tiny_recipe, TEXTS).save(tmp_path)
    for names in (["fp32"], list(ONNX_FILES)):
        export = Export(variants=[Variant(name=name, calibration_rows=16) for name in names])
        export_files(export, TEXTS, tmp_path)
        made = {path.relative_to(tmp_path).as_posix() for path in (tmp_path / "onnx").iterdir()}
        assert made == {ONNX_FILES[name].path for name in names}
