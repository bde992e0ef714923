from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from publishing.errors import PublishError
from tests.publishing.conftest import WRITE, Publisher


def test_a_process_is_not_told_the_token_and_what_it_says_is_cleaned(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def failing(
        command: list[str], folder: Path, environment: dict[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        assert environment["HF_TOKEN"] == WRITE and environment["HF_ENDPOINT"]
        return subprocess.CompletedProcess(command, 1, "", f"refused: Bearer {WRITE}")

    monkeypatch.setattr("publishing.proof.prover.run_alone", failing)
    with pytest.raises(PublishError, match=r"is published, but load failed: refused: Bearer \*\*\*"):
        publisher.publish(proof="load")
    assert commands and WRITE not in str(commands)
    receipt = publisher.receipts()[0]
    assert receipt.state == "failed" and receipt.commit is not None and WRITE not in receipt.model_dump_json()
