"""A text has the same answer, bit for bit, alone, in a batch and while others ask too."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np

from serving.model import ServedModel
from tests.serving.conftest import TEXTS


def _bare(model: ServedModel) -> list[dict[str, float]]:
    rows = [model.classifier.predict([text])[0] for text in TEXTS]
    return [dict(zip(model.labels, row.tolist(), strict=True)) for row in rows]


def _scores(answer: list[dict[str, object]]) -> dict[object, object]:
    return {one["label"]: one["score"] for one in answer}


def test_every_route_gives_what_the_classifier_gives(client: httpx.Client, model: ServedModel) -> None:
    bare = _bare(model)
    alone = [client.post("/predict", json={"inputs": text}).json() for text in TEXTS]
    batch = client.post("/predict", json={"inputs": [[text] for text in TEXTS]}).json()
    hosted = client.post("/", json={"inputs": TEXTS, "parameters": {"top_k": None}}).json()
    data = client.post("/v1/classify", json={"input": TEXTS}).json()["data"]
    for answers in (alone, batch, hosted):
        assert [_scores(answer) for answer in answers] == bare
    assert [dict(zip(model.labels, item["probs"], strict=True)) for item in data] == bare
    assert [item["label"] for item in data] == [answer[0]["label"] for answer in alone]


def test_load_changes_no_bit(client: httpx.Client, model: ServedModel) -> None:
    bare = _bare(model)
    bodies = [(number % len(TEXTS), 1 + number % 7) for number in range(60)]

    def ask(body: tuple[int, int]) -> bool:
        which, times = body
        inputs = [[TEXTS[which]], *([TEXTS[(which + 1) % len(TEXTS)]] for _ in range(times - 1))]
        answer = client.post("/predict", json={"inputs": inputs})
        assert answer.status_code == 200, answer.text
        return _scores(answer.json()[0]) == bare[which]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, bodies))


def test_raw_scores_and_activations_are_those_of_the_logits(client: httpx.Client, model: ServedModel) -> None:
    logits = model.classifier.logits([TEXTS[0]])[0]
    raw = client.post("/predict", json={"inputs": TEXTS[0], "raw_scores": True}).json()
    assert _scores(raw) == dict(zip(model.labels, logits.tolist(), strict=True))
    parameters = {"function_to_apply": "sigmoid", "top_k": None}
    sigmoid = client.post("/", json={"inputs": TEXTS[0], "parameters": parameters}).json()[0]
    expected = (1 / (1 + np.exp(-logits.astype(np.float64)))).astype(np.float32)
    assert _scores(sigmoid) == dict(zip(model.labels, expected.tolist(), strict=True))
