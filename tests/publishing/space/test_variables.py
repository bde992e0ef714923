from __future__ import annotations

from pathlib import Path

import pytest
import requests

from publishing.errors import PublishError
from tests.publishing.conftest import WRITE, Publisher
from tests.publishing.small_space import space_of


def test_secrets_go_to_the_space_and_nowhere_else(
    publisher: Publisher, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PublishError, match="--space-secret KEY: no such environment variable is set"):
        publisher.publish(space=space_of(publisher, demo, secrets=("KEY",)))
    monkeypatch.setenv("KEY", "a-value-to-hide")
    receipt = publisher.publish(space=space_of(publisher, demo, secrets=("KEY",))).receipt
    assert receipt is not None and "a-value-to-hide" not in receipt.model_dump_json()
    answer = requests.get(
        f"{publisher.reader.connection.endpoint}/api/spaces/{publisher.repo_id}-demo/secrets",
        headers={"Authorization": f"Bearer {WRITE}"}, timeout=10,
    )  # fmt: skip
    assert "KEY" in answer.json() and "a-value-to-hide" not in answer.text
