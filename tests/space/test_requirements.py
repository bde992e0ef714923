from __future__ import annotations

import re
from pathlib import Path

from tests.space.conftest import SPACE


def test_requirements_are_pinned_and_equal_to_those_of_the_project() -> None:
    def pins(path: Path) -> dict[str, str]:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines), path
        return {name.lower().replace("_", "-"): pin for name, pin in (line.split("==") for line in lines)}

    ours, project = pins(SPACE / "requirements.txt"), pins(SPACE.parent / "requirements.txt")
    assert {name: pin for name, pin in ours.items() if project.get(name, pin) != pin} == {}
    assert set(ours) - set(project) <= {"openpyxl", "et-xmlfile"}
    assert {"gradio", "mcp", "onnxruntime", "tokenizers", "numpy", "pyarrow"} <= set(ours)
