from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import gradio as gr
from newest import Newest, forget_old_events


def test_only_the_newest_keys_stay() -> None:
    kept = Newest(2)
    for key in ("a", "b", "a", "c"):
        kept[key] = key.upper()
    assert kept == {"b": "B", "c": "C"}  # `a` is as old as its first time
    kept["d"] = "D"
    assert list(kept) == ["c", "d"]


NAMES = ("event_ids_to_events", "event_analytics", "pending_event_ids_session")


def test_the_queue_of_an_app_forgets() -> None:
    demo: Any = SimpleNamespace(_queue=SimpleNamespace())
    forget_old_events(demo, 3)
    assert {name: kept.most for name, kept in vars(demo._queue).items()} == dict.fromkeys(NAMES, 3)


def test_the_pinned_gradio_keeps_its_events_under_these_names() -> None:
    source = inspect.getsource(gr.queueing.Queue.__init__)
    assert [name for name in NAMES if f"self.{name}" not in source] == []
