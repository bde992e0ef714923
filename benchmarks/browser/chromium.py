"""Chromium, driven by Playwright, and the JavaScript of a page; both from environments of their own."""

from __future__ import annotations

import contextlib
import importlib
import shutil
import site
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.environments import node_environment, python_environment

HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """A browser; Playwright's packages come behind ours on the path, so that they hide nothing."""
    assert CHROMIUM, "no Chromium on this machine: apt-get install chromium"
    python = python_environment(HERE / "requirements-browser.txt")
    [packages] = (python.parents[1] / "lib").glob("python*/site-packages")
    site.addsitedir(str(packages))
    start = importlib.import_module("playwright.sync_api").sync_playwright
    with start() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def transformers_js() -> list[Path]:
    """Return the folders that hold transformers.js and the wasm that it loads."""
    modules = _modules()
    return [modules / "@huggingface" / "transformers" / "dist", modules / "onnxruntime-web" / "dist"]


def axe_core() -> Path:
    """Return the script that looks for barriers in a page."""
    return _modules() / "axe-core" / "axe.min.js"


def _modules() -> Path:
    return node_environment(HERE / "package.json") / "node_modules"
