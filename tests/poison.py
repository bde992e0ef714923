"""An environment that would lead every library astray."""

from __future__ import annotations

import pytest

CACHES = (
    "TRANSFORMERS_CACHE", "PYTORCH_TRANSFORMERS_CACHE", "PYTORCH_PRETRAINED_BERT_CACHE", "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE", "HF_ASSETS_CACHE", "HF_XET_CACHE", "HF_DATASETS_CACHE", "HF_MODULES_CACHE",
    "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TORCH_HOME", "HF_HOME", "HOME", "TMPDIR", "GRADIO_TEMP_DIR",
)  # fmt: skip
SWITCHES = {
    "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_ENABLE_HF_TRANSFER": "1", "HF_TOKEN_PATH": "/nowhere", "HF_TOKEN": "hf_of_somebody",
    "AWS_SECRET_ACCESS_KEY": "secret", "PYTHONIOENCODING": "ascii", "PYTHONSTARTUP": "/nowhere",
}  # fmt: skip
DEAD = "http://127.0.0.1:9"
PROXIES = {"HTTP_PROXY": DEAD, "HTTPS_PROXY": DEAD, "ALL_PROXY": "socks5://127.0.0.1:9"}
POISON = {name: "/proc/poisoned" for name in CACHES} | SWITCHES | PROXIES


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in POISON.items():
        monkeypatch.setenv(name, value)
        if name in PROXIES:
            monkeypatch.setenv(name.lower(), value)
