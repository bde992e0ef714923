"""What a Prometheus server may read of this one; texts are never part of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from serving.model import ServedModel

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class ServerMetrics:
    """Counters of one process; with several workers they are added up through files (`shared`)."""

    def __init__(self, shared: bool = False) -> None:
        self.registry = registry = CollectorRegistry()
        self._shared = shared
        self.requests = Counter("finsent_requests", "Requests answered", ["route", "code"], registry=registry)
        self.seconds = Histogram(
            "finsent_request_seconds", "Seconds to answer", ["route"], buckets=SECONDS, registry=registry
        )
        self.texts = Counter("finsent_texts", "Texts classified", registry=registry)
        self.labels = Counter(
            "finsent_labels", "Answers by label: a shift is drift", ["label"], registry=registry
        )
        self.unsure = Counter("finsent_unsure", "Answers below the release's threshold", registry=registry)
        self.queue_depth = Gauge(
            "finsent_queue_depth",
            "Requests waiting or running",
            multiprocess_mode="livesum",
            registry=registry,
        )

    def count(self, model: ServedModel, probabilities: NDArray[np.float32]) -> None:
        """Count the answers of a request, probabilities `(n, n_labels)`."""
        self.texts.inc(len(probabilities))
        best, numbers = np.unique(probabilities.argmax(axis=1), return_counts=True)
        for index, number in zip(best.tolist(), numbers.tolist(), strict=True):
            self.labels.labels(model.labels[index]).inc(number)
        self.unsure.inc(sum(model.is_unsure(float(value)) for value in probabilities.max(axis=1)))

    def render(self) -> bytes:
        """Return all figures in Prometheus' text format, of all workers together."""
        if not self._shared:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]  # the library leaves it untyped
        return generate_latest(together)
