"""What a Space's variables and secrets may be: what an operating system can hand to a process."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated

from pydantic import AfterValidator

from local_hub.errors import bad_request

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_VALUE_BYTES = 100_000  # Linux takes 128 KiB for one variable
MAX_VARIABLES = 100


def check_room(known: Collection[str], key: str) -> None:
    """400 if a Space that has these keys cannot take another one."""
    if key not in known and len(known) >= MAX_VARIABLES:
        raise bad_request(f"The Space has {len(known)} of them already; allowed are {MAX_VARIABLES}.")


def _check_key(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"Invalid key {key[:60]!r}: use letters, digits and '_', not starting with a digit.")
    return key


def _check_value(value: str) -> str:
    if "\0" in value:
        raise ValueError(
            "The value contains a NUL character, which is not possible in an environment variable; leave "
            "it out."
        )
    size = len(value.encode("utf-8", "surrogatepass"))
    if size > _VALUE_BYTES:
        raise ValueError(f"The value has {size} bytes; allowed are {_VALUE_BYTES}.")
    return value


VariableKey = Annotated[str, AfterValidator(_check_key)]
VariableValue = Annotated[str, AfterValidator(_check_value)]
