"""A dict that forgets, for what Gradio never does.

Gradio 6.17.3 keeps every event with its request until the process ends (queueing.py, event_ids_to_events and
event_analytics: 20 kB a call). The version is pinned; tests/space/test_load.py sees when this stops working.
"""

from __future__ import annotations

from typing import Any

import gradio as gr


class Newest(dict[str, Any]):
    """A dict of the `most` newest keys."""

    def __init__(self, most: int) -> None:
        """Start empty."""
        super().__init__()
        self.most = most

    def __setitem__(self, key: str, value: Any) -> None:  # noqa: ANN401  (a dict's)
        super().__setitem__(key, value)
        while len(self) > self.most:
            del self[next(iter(self))]


def forget_old_events(demo: gr.Blocks, most: int) -> None:
    """Let the queue of an app remember the `most` newest events; `most` must exceed those that may wait."""
    demo._queue.event_ids_to_events = Newest(most)
    demo._queue.event_analytics = Newest(most)
    demo._queue.pending_event_ids_session = Newest(most)
