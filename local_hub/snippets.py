"""How to use a repository, as code to copy."""

from __future__ import annotations

from local_hub.names import RepoId


def snippets_for(
    repo_id: RepoId, endpoint: str, files: frozenset[str], task: str | None
) -> list[tuple[str, str]]:
    """Titles and code for the repository's page; only what its files make possible."""
    if repo_id.kind == "datasets":
        code = f'from datasets import load_dataset\n\nrows = load_dataset("{repo_id}")'
        return [
            ("datasets", _with_endpoint(endpoint, code)),
            _download(repo_id, endpoint),
            _git(repo_id, endpoint),
        ]
    if repo_id.kind == "spaces":
        return [_download(repo_id, endpoint), _git(repo_id, endpoint)]
    found = []
    if task and "config.json" in files:
        code = f'from transformers import pipeline\n\npipe = pipeline("{task}", model="{repo_id}")'
        found.append(("transformers", _with_endpoint(endpoint, code)))
    if task == "text-classification" and "onnx/model.onnx" in files:
        found += [_onnx(repo_id, endpoint), _javascript(repo_id, endpoint)]
    if task == "text-classification":
        found.append(_inference(repo_id, endpoint))
    return [*found, _download(repo_id, endpoint), _git(repo_id, endpoint)]


def _with_endpoint(endpoint: str, code: str) -> str:
    return f'import os\n\nos.environ["HF_ENDPOINT"] = "{endpoint}"  # before the import\n{code}'


def _onnx(repo_id: RepoId, endpoint: str) -> tuple[str, str]:
    code = (
        "from optimum.onnxruntime import ORTModelForSequenceClassification\n\n"
        f'model = ORTModelForSequenceClassification.from_pretrained("{repo_id}")'
    )
    return "ONNX Runtime", _with_endpoint(endpoint, code)


def _javascript(repo_id: RepoId, endpoint: str) -> tuple[str, str]:
    return "transformers.js", (
        'import { env, pipeline } from "@huggingface/transformers";\n\n'
        f'env.remoteHost = "{endpoint}/";\n'
        f'const classify = await pipeline("text-classification", "{repo_id}");'
    )


def _inference(repo_id: RepoId, endpoint: str) -> tuple[str, str]:
    return "HTTP", (
        f"curl {endpoint}/hf-inference/models/{repo_id} \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        '  -d \'{"inputs": "Profit rises"}\''
    )


def _download(repo_id: RepoId, endpoint: str) -> tuple[str, str]:
    kind = "" if repo_id.kind == "models" else f" --repo-type {repo_id.type}"
    return "hf", f"HF_ENDPOINT={endpoint} hf download {repo_id}{kind}"


def _git(repo_id: RepoId, endpoint: str) -> tuple[str, str]:
    return "git", f"git lfs install\ngit clone {endpoint}/{repo_id.web_path}"
