"""space/Dockerfile: the demo as an image. It takes minutes to build, so `.ci/run` leaves it out."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest

from serving.model import ServedModel
from tests.containers import BASE, Container, Engine
from tests.serving.conftest import TEXTS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what the client imports
    from gradio_client import Client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def image(engine: Engine) -> str:
    release = ("--build-arg", "RELEASE=runs/quickstart/release")
    done = engine.build("space/Dockerfile", "localhost/finsent-demo", *release)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return "localhost/finsent-demo"


@pytest.fixture(scope="module")
def container(engine: Engine, image: str) -> Iterator[Container]:
    with engine.started(image) as container:
        yield container


def test_it_holds_no_torch(engine: Engine, image: str, capsys: pytest.CaptureFixture[str]) -> None:
    size, base = engine.size(image), engine.size(BASE)
    with capsys.disabled():
        print(f"\nspace/Dockerfile: {size / 1e6:.0f} MB, {(size - base) / 1e6:.0f} of them on its base")
    with engine.mounted(image) as root:
        site = root / "opt" / "venv" / "lib" / "python3.11" / "site-packages"
        assert (site / "gradio").is_dir()
        assert not [name for name in ("torch", "transformers", "pip") if (site / name).exists()]


def test_it_answers_what_the_classifier_answers(container: Container, model: ServedModel) -> None:
    client = Client(container.address, verbose=False)
    told = client.predict(TEXTS[0], api_name="/classify")
    bare = model.classifier(TEXTS[0])
    assert (told["label"], told["scores"]) == (bare.label, pytest.approx(bare.scores, abs=1e-6))


def test_its_root_cannot_be_written(container: Container) -> None:
    done = container.run_python("open('/app/x', 'w')")
    assert done.returncode == 1 and "Read-only file system" in done.stderr


def test_sigterm_ends_it(engine: Engine, image: str) -> None:
    with engine.started(image) as container:
        container.kill("TERM")
        assert container.wait() == 0
