"""A server that treats a release as the toolkit of Inference Endpoints does: `python -P toolkit.py FOLDER`.

Written after huggingface-inference-toolkit (webservice_starlette.py, utils.py, async_utils.py): handler.py is
imported by its path, with the folder first on the path of imports; a body must hold `inputs`; parameters of
the query are numbers or words; one call at a time runs in a thread; what is raised is a 400 with its text.
It prints its port, and is a process of its own, which has nothing of this repository on its path.
"""

from __future__ import annotations

import importlib.util
import logging
import socket
import sys
from pathlib import Path
from typing import Any

import anyio
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

FOLDER = sys.argv[1]
ONE_AT_A_TIME = anyio.Semaphore(1)


def make_handler() -> Any:
    spec = importlib.util.spec_from_file_location("handler.EndpointHandler", Path(FOLDER, "handler.py"))
    assert spec and spec.loader
    sys.path.insert(0, FOLDER)
    module = sys.modules["handler.EndpointHandler"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.EndpointHandler(FOLDER)


async def predict(request: Request) -> Response:
    try:
        body = orjson.loads(await request.body())
        if "inputs" not in body and "instances" not in body:
            raise ValueError("Body needs to provide an inputs key")
        if request.query_params and "parameters" not in body:
            query = dict(request.query_params)
            body["parameters"] = {key: int(one) if one.isnumeric() else one for key, one in query.items()}
        async with ONE_AT_A_TIME:
            answer = await anyio.to_thread.run_sync(HANDLER, body)
        return Response(
            orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json"
        )
    except Exception as error:
        return Response(orjson.dumps({"error": str(error)}), 400, media_type="application/json")


async def loaded(request: Request) -> Response:
    """Not of the toolkit: what was imported, for the tests."""
    return PlainTextResponse(
        "\n".join(f"{name} {getattr(one, '__file__', '')}" for name, one in sys.modules.items())
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    HANDLER = make_handler()
    routes = [Route("/", predict, methods=["POST"]), Route("/loaded", loaded)]
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(Starlette(routes=routes), log_level="warning", lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])
