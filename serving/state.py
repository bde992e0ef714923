"""What one server process holds while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from serving.answers import Answerer
from serving.metrics import ServerMetrics


@dataclass
class ServerState:
    """`draining` is set when the process was asked to stop: requests are still answered, health says 503."""

    answerer: Answerer
    metrics: ServerMetrics
    threads: int
    draining: bool = False
