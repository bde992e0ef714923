"""Which visitors have a run, and which of them want it to stop."""

from __future__ import annotations

import gradio as gr

from newest import Newest

MOST_VISITORS = 1_000  # that are remembered; some leave before their run begins


class Jobs:
    """Which visitor wants his run to stop. A visitor has one run at a time."""

    def __init__(self) -> None:
        """Start without any."""
        self._stopped: dict[str, bool] = Newest(MOST_VISITORS)

    def open(self, visitor: str) -> None:
        """Note that a run is wanted, so that it can be cancelled while it still waits."""
        self._stopped[visitor] = False

    def stop(self, visitor: str) -> bool:
        """Ask the visitor's run to stop; False if there is none."""
        if visitor in self._stopped:
            self._stopped[visitor] = True
            return True
        return False

    def is_stopped(self, visitor: str) -> bool:
        """Whether the run is to stop."""
        return self._stopped.get(visitor, False)

    def close(self, visitor: str) -> None:
        """Forget the run."""
        self._stopped.pop(visitor, None)


def visitor_of(request: gr.Request) -> str:
    """Return what tells one open page from another."""
    return str(request.session_hash)
