"""Variables and secrets of a Space; setting the same value again changes nothing."""

from __future__ import annotations

import os

from publishing.errors import PublishError
from publishing.hub.remote import Reader

MODEL_ID, MODEL_REVISION = "MODEL_ID", "MODEL_REVISION"


def model_variables(model: str, revision: str) -> dict[str, str]:
    """Return the variables by which the app knows which commit of which model it shows."""
    return {MODEL_ID: model, MODEL_REVISION: revision}


def pin_space(repo_id: str, model: str, revision: str, reader: Reader) -> None:
    """Point a running Space at a commit of its model."""
    api = reader.connection.api

    def values() -> dict[str, str | None]:
        return {key: variable.value for key, variable in api.get_space_variables(repo_id).items()}

    for key, value in model_variables(model, revision).items():
        if reader.retries.retry("read Space variables", values).get(key) != value:
            _set_variable(repo_id, key, value, reader)


def _set_variable(repo_id: str, key: str, value: str, reader: Reader) -> None:
    def change() -> bool:
        reader.connection.api.add_space_variable(repo_id, key, value)
        return True

    reader.retries.retry(f"set Space variable {key}", change)


def set_secrets(repo_id: str, names: tuple[str, ...], reader: Reader) -> None:
    """Hand environment variables to a Space as secrets; PublishError for one that is not set."""
    for name in names:
        value = os.environ.get(name)
        if not value:
            raise PublishError(f"--space-secret {name}: no such environment variable is set")
        _set_secret(repo_id, name, value, reader)


def _set_secret(repo_id: str, name: str, value: str, reader: Reader) -> None:
    def change() -> bool:
        reader.connection.api.add_space_secret(repo_id, name, value)
        return True

    reader.retries.retry(f"set Space secret {name}", change)
