from __future__ import annotations

from pathlib import Path

import pytest

from export.to_onnx import export_onnx
from finsent.encoder.load import load_base
from finsent.recipe.recipe import Recipe
from tests import tiny


@pytest.fixture
def saved(tiny_recipe: Recipe, tmp_path: Path) -> Path:
    folder = tmp_path / "saved"
    load_base(tiny_recipe, [row["text"] for row in tiny.make_rows()]).save(folder)
    export_onnx(folder, opset=18)
    return folder
