from __future__ import annotations

from newest import Newest, forget_old_events


def test_only_the_newest_keys_stay() -> None:
    kept = Newest(2)
    for key in ("a", "b", "a", "c"):
        kept[key] = key.upper()
    assert kept == {"b": "B", "c": "C"}  # `a` is as old as its first time
    kept["d"] = "D"
    assert list(kept) == ["c", "d"]


def test_the_queue_of_an_app_forgets() -> None:
    import gradio as gr

    with gr.Blocks() as demo:
        names = ("event_ids_to_events", "event_analytics", "pending_event_ids_session")
        assert all(isinstance(getattr(demo._queue, name), dict) for name in names)  # as this Gradio has them
        forget_old_events(demo, 3)
        assert all(getattr(demo._queue, name).most == 3 for name in names)
