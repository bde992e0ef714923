"""Ask the server on this machine whether it is healthy: for a container, whose image has no curl.

python -m serving.health     exit 0 when /health answers 200, else 1; PORT is the server's, 8000 by default
"""

from __future__ import annotations

import http.client
import os
import sys

PORT = 8000
PATIENCE = 4.0  # seconds


def ask(port: int) -> str:
    """Return what /health answers on loopback, `200 …` when all is well, or why nothing does."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)  # ignores proxies
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        return f"{answer.status} {answer.reason}"
    except (OSError, http.client.HTTPException) as error:
        return f"no answer on port {port} ({error})"
    finally:
        connection.close()


if __name__ == "__main__":
    told = ask(int(os.environ.get("PORT", PORT)))
    print(told)
    sys.exit(0 if told.startswith("200 ") else 1)
