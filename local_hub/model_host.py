"""Loads text classifiers and answers for them, each in a process that can be ended.

A program of its own: `python model_host.py FD` imports the libraries once, which takes seconds, and then
waits at the socket FD for orders. `start` comes with another socket: a forked process speaks over it, one
line of JSON each way, and its number is the answer. `end N` kills that process.

A forked process gets the folder of its model, then texts with the options of the pipeline. `error` says why
there is no answer, `over` that it was the last: after a panic of Rust, no `Exception`, nothing is sure.
"""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

_TASK = "text-classification"
_SLACK = 1 << 24  # numbers that need not be in the file: a new head, tables that are computed


def _check_size(folder: str) -> None:
    """ValueError if the configuration describes far more numbers than the weights hold; allocates nothing."""
    import torch
    from safetensors import safe_open
    from transformers import AutoConfig, AutoModelForSequenceClassification

    held = 0
    for file in Path(folder).glob("*.safetensors"):
        with safe_open(file, framework="pt") as weights:
            held += sum(math.prod(weights.get_slice(name).get_shape()) for name in weights.keys())  # noqa: SIM118
    try:
        with torch.device("meta"):
            model = AutoModelForSequenceClassification.from_config(AutoConfig.from_pretrained(folder))
    except Exception:  # the loader says better what is wrong; limits hold there, too
        return
    wanted = sum(tensor.numel() for tensor in (*model.parameters(), *model.buffers()))
    if wanted > 2 * held + _SLACK:
        raise ValueError(f"config.json describes {wanted} numbers, the safetensors files contain {held}")


def _load(folder: str) -> Any:  # noqa: ANN401  (a transformers pipeline)
    from transformers import pipeline

    _check_size(folder)
    # Only safetensors and no code of the repository: a pickle or a script would run with our rights.
    options = {"trust_remote_code": False, "model_kwargs": {"use_safetensors": True}}
    return pipeline(_TASK, model=folder, device="cpu", **options)


def _classify(pipeline: Any, texts: list[str], options: dict[str, Any]) -> list[list[dict[str, Any]]]:  # noqa: ANN401
    return [
        [{"label": str(item["label"]), "score": float(item["score"])} for item in answer]
        for answer in pipeline(texts, **options)
    ]


def _tell(connection: socket.socket, answer: dict[str, Any]) -> None:
    connection.sendall(json.dumps(answer).encode() + b"\n")


def _answer(connection: socket.socket, work: Callable[[], Any], *, last: bool = False) -> Any:  # noqa: ANN401
    """Do the work and tell what it gives, or why it gives nothing; SystemExit if that was the last word."""
    try:
        done = work()
    except BaseException as error:
        over = last or not isinstance(error, Exception)
        _tell(connection, {"error": f"{error}" or type(error).__name__, "over": over})
        if over:
            raise SystemExit(1) from None
        return None
    _tell(connection, {"answer": done if isinstance(done, list) else None})
    return done


def _serve(connection: socket.socket) -> None:
    """Load one model and answer for it until the other side is gone."""
    with connection.makefile("rb") as questions:
        folder = json.loads(questions.readline())["folder"]
        pipeline = _answer(connection, lambda: _load(folder), last=True)
        for line in questions:
            question = json.loads(line)
            _answer(connection, partial(_classify, pipeline, question["texts"], question["options"]))


def _fork(control: socket.socket, descriptor: int) -> int:
    """Start a process for the socket; returns its number."""
    pid = os.fork()
    if pid == 0:
        control.close()
        try:
            with socket.socket(fileno=descriptor) as connection:
                _serve(connection)
        finally:
            os._exit(0)
    os.close(descriptor)
    return pid


def _end(pid: int, running: set[int]) -> None:
    """Kill a child that has not been waited for, so that its number is still its own."""
    if pid in running:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        running.discard(pid)


def main() -> None:
    """Obey until the other side is gone."""
    from transformers import AutoModelForSequenceClassification, logging, pipeline  # noqa: F401

    logging.set_verbosity_error()
    running: set[int] = set()
    with socket.socket(fileno=int(sys.argv[1])) as control:
        while True:
            order, descriptors, _, _ = socket.recv_fds(control, 100, 1)
            if order == b"start":
                running.add(pid := _fork(control, descriptors[0]))
                control.sendall(b"%d" % pid)
            elif order.startswith(b"end "):
                _end(int(order[4:]), running)
                control.sendall(b"0")
            else:
                return


if __name__ == "__main__":
    main()
