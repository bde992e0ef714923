from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from inference.explain import MOST_WORDS, draw_orders
from tests.space.conftest import SPACE

SCRIPT = """
import { drawOrders } from "./orders.js";
console.log(JSON.stringify([...Array(101).keys()].map(drawOrders)));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="no node: the page's random orders are not compared")
def test_the_page_draws_the_orders_that_python_draws() -> None:
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", SCRIPT],
        cwd=SPACE / "static", capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert json.loads(done.stdout) == [draw_orders(words) for words in range(MOST_WORDS + 1)]
