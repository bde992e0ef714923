from __future__ import annotations

from model_card.measure.machine import describe_machine


def test_the_machine_and_versions_are_named() -> None:
    machine = describe_machine()
    assert machine.processor
    assert machine.cores >= 1
    assert machine.memory_bytes > 10**8
    assert machine.versions["transformers"].startswith("4.57")
