"""A Space of ten lines in both forms, and how it is published."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from local_hub import RunningHub
from publishing.hub.connection import Timeouts, connect
from publishing.hub.remote import Reader
from publishing.hub.retries import Retries
from publishing.space.forms import DemoFiles, Subject
from publishing.space.options import OUTBOX, SpaceOptions
from tests.publishing.conftest import QUICK, WRITE, Publisher

APP = """import os

import gradio as gr
from huggingface_hub import hf_hub_download

config = hf_hub_download(os.environ["MODEL_ID"], "config.json", revision=os.environ["MODEL_REVISION"])


def classify(text: str) -> str:
    return f"positive by {os.environ['MODEL_REVISION'][:8]}"


gr.Interface(classify, "text", "text", api_name="classify").launch()
"""
PAGE = """<!doctype html><html><p>demo</p>
<script type="application/json" id="settings">{"pinned": "model.json"}</script></html>
"""


def write_demo(folder: Path) -> Path:
    (folder / "static").mkdir(parents=True)
    (folder / "app.py").write_text(APP, encoding="utf-8")
    (folder / "static" / "index.html").write_text(PAGE, encoding="utf-8")
    return folder


def small_space(repo_id: str, run: Path, demo: Path) -> SpaceOptions:
    subject = Subject(repo_id, "A small one", "Tells little.", "apache-2.0")
    files = DemoFiles(demo, inference=None)
    return SpaceOptions(f"{repo_id}-demo", "auto", subject, run / OUTBOX, files, wait=120, poll=0.5)


def space_of(publisher: Publisher, demo: Path, **changes: object) -> SpaceOptions:
    made = small_space(publisher.repo_id, publisher.run, demo)
    return replace(made, **changes)  # type: ignore[arg-type]


def reader_of(hub: RunningHub, retries: Retries = QUICK) -> Reader:
    return Reader(connect(hub.endpoint, WRITE, Timeouts(5, 20), "a test"), retries)
