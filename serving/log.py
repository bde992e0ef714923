"""Lines of log as JSON. What a request held is never part of one, so an error is told without its message."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from typing import Any


class JsonLines(logging.Formatter):
    """Writes a record's `fields` where it has any, else its message; of an error the type and the places."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        fields: dict[str, Any] = getattr(record, "fields", None) or {"message": record.getMessage()}
        line = {"time": round(record.created, 3), "level": record.levelname.lower(), **fields}
        if record.exc_info and (error := record.exc_info[1]) is not None:
            line["error"] = type(error).__name__
            line["places"] = [
                f"{one.filename}:{one.lineno}" for one in traceback.extract_tb(error.__traceback__)
            ]
        return json.dumps(line)


def write_json_lines() -> None:
    """Send what this process logs to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
