"""The demo of a run on this machine, from the very files that a push would send.

python -m publishing.space.preview runs/quickstart                  the Gradio app
python -m publishing.space.preview runs/quickstart --form static    the page, with the release beside it

The form is written into a temporary folder, and run there until Ctrl-C.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote

import typer

from finsent.cli import print_anywhere
from finsent.recipe.file import read_released_recipe
from finsent.release import METRICS, RECIPE, Run
from model_card.measure.metrics_file import read_metrics
from publishing.space.forms import ENTRY, SpaceForm, Subject, write_form
from publishing.space.subject import describe_subject

REVISION = "main"
LIBRARY = "/transformers/"
# Settings of a page whose model, and with LOCAL_LIBRARY also its library, lie beside it.
LOCAL_MODEL = {"host": "./hub"}
LOCAL_LIBRARY = {"library": f".{LIBRARY}transformers.min.js", "wasm": f".{LIBRARY}"}
Roots = Mapping[str, Sequence[Path]]


def describe_release(release: Path) -> Subject:
    """Return what the Space of a release says of it."""
    recipe, metrics = read_released_recipe(release / RECIPE), read_metrics(release / METRICS)
    return describe_subject(recipe, metrics, recipe.hub.model, REVISION)


def page_roots(form: Path, release: Path, subject: Subject, library: Sequence[Path] = ()) -> Roots:
    """Return which folders a page is served from, by the start of the address."""
    model = f"/hub/{subject.model}/resolve/{subject.revision}/"
    return {model: [release], LIBRARY: library, "/": [form]}


class _Files(http.server.SimpleHTTPRequestHandler):
    """Files of the folders of each root, and of no other."""

    extensions_map = {  # noqa: RUF012  (as the class that it extends has it)
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def __init__(self, *arguments: Any, roots: Roots, asked: list[str], **more: Any) -> None:  # noqa: ANN401
        self.roots, self.asked = roots, asked
        super().__init__(*arguments, **more)

    def translate_path(self, path: str) -> str:
        """Return the file of an address; an empty name, which no file has, where there is none."""
        wanted = unquote(path.partition("?")[0])
        self.asked.append(wanted)
        with contextlib.suppress(OSError, ValueError):  # a name that no file can have
            for prefix, folders in self.roots.items():
                for folder in folders if wanted.startswith(prefix) else ():
                    file = (folder / wanted.removeprefix(prefix)).resolve()
                    if file.is_relative_to(folder.resolve()) and file.exists():
                        return str(file / ENTRY["static"] if file.is_dir() else file)
        return ""

    def copyfile(self, source: Any, outputfile: Any) -> None:  # noqa: ANN401
        """Send a file; a browser that has seen enough hangs up."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            super().copyfile(source, outputfile)

    def log_message(self, *_: Any) -> None:  # noqa: ANN401
        """Say nothing."""


@contextlib.contextmanager
def serving(roots: Roots, port: int = 0) -> Iterator[tuple[str, list[str]]]:
    """Serve folders on loopback; yields the address and the paths that were asked for. Port 0 is any."""
    asked: list[str] = []
    handler = functools.partial(_Files, roots=roots, asked=asked)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def app_environment(release: Path, temporary: Path, port: int | None) -> dict[str, str]:
    """Return the environment of the Gradio app for a release here; without a port Gradio chooses one."""
    told = {"MODEL_ID": str(release.resolve()), "TMPDIR": str(temporary), "GRADIO_ANALYTICS_ENABLED": "False"}
    return {**os.environ, **told, **({} if port is None else {"GRADIO_SERVER_PORT": str(port)})}


def show_app(folder: Path, release: Path, port: int | None) -> None:
    """Run the Gradio app in its folder until it ends, and exit as it does."""
    environment = app_environment(release, folder.parent, port)
    done = subprocess.run([sys.executable, ENTRY["gradio"]], cwd=folder, env=environment, check=False)
    raise typer.Exit(done.returncode)


def show_page(roots: Roots, port: int) -> None:
    """Serve the page until Ctrl-C."""
    with serving(roots, port) as (address, _):
        print(f"* The page runs at {address}/; Ctrl-C ends it", flush=True)
        threading.Event().wait()


def main(
    run: Annotated[Path, typer.Argument(help="a run with a release, such as runs/quickstart")],
    form: Annotated[SpaceForm, typer.Option(help="the form to show")] = "gradio",
    port: Annotated[int | None, typer.Option(help="the port; any free one by default")] = None,
    library: Annotated[
        list[Path] | None,
        typer.Option(help="a folder of transformers.js or onnxruntime-web; by default the page fetches both"),
    ] = None,
) -> None:
    """Show the demo of a run as it would be sent."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does, and the app with it
    release = Run(run).release
    if not release.is_dir():
        raise typer.BadParameter(f"{release} is not there; make it with train.py")
    subject = describe_release(release)
    if form not in subject.forms:
        raise typer.BadParameter(f"--form {form}: no browser can run this release; take --form gradio")
    page = LOCAL_MODEL | (LOCAL_LIBRARY if library else {})
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(KeyboardInterrupt):
        target = Path(folder) / form
        write_form(form, subject, target, page)
        if form == "gradio":
            show_app(target, release, port)
        else:
            show_page(page_roots(target, release, subject, library or ()), port or 0)


if __name__ == "__main__":
    print_anywhere()
    typer.run(main)
