from __future__ import annotations

from pathlib import Path

from local_hub import RunningHub
from publishing.hub.retries import Retries
from publishing.space.variables import MODEL_REVISION
from tests.publishing.conftest import Publisher
from tests.publishing.small_space import reader_of, space_of


def test_a_gradio_space_runs_and_answers_at_the_commit_that_was_proved(
    running_spaces: RunningHub, run: Path, demo: Path
) -> None:
    publisher = Publisher(reader_of(running_spaces, Retries()), run, "ann/shown")
    receipt = publisher.publish(space=space_of(publisher, demo)).receipt
    assert receipt is not None and receipt.space is not None
    assert (receipt.space.stage, receipt.space.sdk) == ("RUNNING", "gradio")
    assert f"positive by {str(receipt.commit)[:8]}" in receipt.checks[-1].detail
    variables = publisher.reader.connection.api.get_space_variables("ann/shown-demo")
    assert variables[MODEL_REVISION].value == receipt.commit
    assert publisher.publish(space=space_of(publisher, demo)).receipt is None
