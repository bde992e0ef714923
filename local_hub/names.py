"""Names of repositories, files and revisions, and which of them are allowed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from local_hub.errors import bad_request

Kind = Literal["models", "datasets", "spaces"]
KINDS: tuple[Kind, ...] = ("models", "datasets", "spaces")

# First segments of the server's own addresses; as a namespace they could not be reached.
RESERVED_NAMESPACES = frozenset(
    {"api", "models", "datasets", "spaces", "hf-inference", "login", "logout", "_test", "_hub", "v1", "v2"}
)
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?")
_COMMIT_ID = re.compile(r"[0-9a-fA-F]{40}")
_MAX_PATH_BYTES = 1024
_MAX_SEGMENT_BYTES = 255


@dataclass(frozen=True, order=True)
class RepoId:
    """Which repository: its kind, its owner and its name."""

    kind: Kind
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def type(self) -> str:
        """The kind as clients say it in request bodies: model, dataset or space."""
        return self.kind[:-1]

    @property
    def web_path(self) -> str:
        """The repository's page below the endpoint, without a leading slash."""
        return str(self) if self.kind == "models" else f"{self.kind}/{self}"


def kind_of_type(type_name: str | None) -> Kind:
    """`model` (or nothing), `dataset` and `space` to the plural used in addresses; BadRequest otherwise."""
    plural = f"{type_name or 'model'}s"
    if plural not in KINDS:
        raise bad_request(f"Unknown repository type {type_name!r}: use model, dataset or space.")
    return plural


def check_name(name: str, *, what: str = "repository name") -> str:
    """Return the name if the Hub allows it, else raise 400 with the rule."""
    if not _NAME.fullmatch(name) or "--" in name or ".." in name or name.lower().endswith((".git", ".lock")):
        raise bad_request(
            f"Invalid {what} {name[:100]!r}: use 1 to 96 letters, digits, '-', '_' or '.', without '--' or "
            "'..', not starting or ending with '-' or '.', not ending with '.git'."
        )
    return name


def check_namespace(namespace: str) -> str:
    """Return the namespace if a user or organization may be called so, else raise 400."""
    if namespace in RESERVED_NAMESPACES:
        raise bad_request(f"The namespace {namespace!r} is reserved by the Hub; choose another.")
    return check_name(namespace, what="namespace")


def check_path(path: str) -> str:
    """Return a file's path inside its repository if it is harmless everywhere, else raise 400.

    Refused are absolute paths, empty and dot segments, `.git`, control characters and what git or a file
    system cannot store.
    """
    try:
        encoded = path.encode("utf-8")
    except UnicodeEncodeError:
        raise bad_request("Invalid file path: it contains a lone surrogate.") from None
    if not encoded or len(encoded) > _MAX_PATH_BYTES:
        raise bad_request(f"Invalid file path: {len(encoded)} bytes, allowed are 1 to {_MAX_PATH_BYTES}.")
    if any(ord(character) < 32 or ord(character) == 127 for character in path) or "\\" in path:
        raise bad_request(
            f"Invalid file path {path[:100]!r}: control characters and backslashes are refused."
        )
    for segment in path.split("/"):
        if segment in {"", ".", ".."} or segment.lower() == ".git":
            raise bad_request(f"Invalid file path {path[:100]!r}: the segment {segment!r} is refused.")
        if len(segment.encode("utf-8")) > _MAX_SEGMENT_BYTES:
            raise bad_request(
                f"Invalid file path {path[:100]!r}: a segment is over {_MAX_SEGMENT_BYTES} bytes."
            )
    return path


def check_ref_name(name: str) -> str:
    """Return a branch or tag name that git accepts (git check-ref-format), else raise 400."""
    bad = re.search(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//", name)
    segments = name.split("/")
    fine = all(part and not part.startswith(".") and not part.endswith((".lock", ".")) for part in segments)
    fine = fine and not _COMMIT_ID.fullmatch(name)  # who names a commit must get that commit
    if bad or not fine or name == "@" or len(name) > 200 or name.startswith("-") or not name.isprintable():
        raise bad_request(
            f"Invalid branch or tag name {name[:100]!r}: it must be a git reference name and no commit id."
        )
    return name
