"""Rate limits over sliding windows, answered as the Hub answers them."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque

from local_hub.errors import HubError


class Window:
    """At most `limit` events per `seconds` for each key; None never limits."""

    def __init__(self, name: str, limit: int | None, seconds: int) -> None:
        self._name, self._limit, self._seconds = name, limit, seconds
        self._events: defaultdict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def spend(self, key: str) -> None:
        """Count one event; 429 with `RateLimit` and `Retry-After` headers when the window is full."""
        if self._limit is None:
            return
        now = time.monotonic()
        with self._lock:
            events = self._events[key]
            while events and events[0] <= now - self._seconds:
                events.popleft()
            if len(events) < self._limit:
                events.append(now)
                return
            wait = max(1, round(events[0] + self._seconds - now)) if events else self._seconds
        raise HubError(
            429,
            f"You have exceeded the rate limit of {self._limit} per {self._seconds} seconds ({self._name}). "
            f"Retry after {wait} seconds.",
            headers={
                "Retry-After": str(wait),
                "RateLimit": f'"{self._name}";r=0;t={wait}',
                "RateLimit-Policy": f'"fixed window";"{self._name}";q={self._limit};w={self._seconds}',
            },
        )
