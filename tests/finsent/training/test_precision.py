from __future__ import annotations

import pytest
import torch

from finsent.training.precision import use_bf16


@pytest.mark.parametrize(("wish", "expected"), [("on", True), ("off", False)])
def test_what_a_recipe_says_holds_on_every_machine(
    wish: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: pytest.fail("the machine was asked"))
    assert use_bf16(wish) is expected


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [({"avx512_bf16": True}, True), ({"avx512_bf16": False}, False), ({}, False)],
)
def test_a_cpu_is_asked_for_its_instructions(
    capabilities: dict[str, bool], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert use_bf16("auto") is expected


@pytest.mark.parametrize("supported", [True, False])
def test_an_accelerator_is_asked_before_the_cpu(supported: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: supported)
    assert use_bf16("auto") is supported
