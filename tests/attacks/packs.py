"""Packs and pushes by hand, so that a test can say what no git would."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence

from dulwich.objects import Commit, ObjectID, ShaFile, Tree

NOTHING = b"0" * 40


def pack_of(*objects: tuple[int, int, bytes]) -> bytes:
    """A pack of objects by type, the size that is said, and what is compressed or follows as it is."""
    pack = b"PACK" + (2).to_bytes(4, "big") + len(objects).to_bytes(4, "big")
    for kind, size, data in objects:
        byte, rest, header = kind << 4 | size & 15, size >> 4, bytearray()
        while rest:
            header.append(byte | 0x80)
            byte, rest = rest & 0x7F, rest >> 7
        pack += bytes([*header, byte]) + data
    return pack + hashlib.sha1(pack, usedforsecurity=False).digest()


def push_body(commit: bytes, ref: bytes, pack: bytes, old: bytes = NOTHING) -> bytes:
    line = old + b" " + commit + b" " + ref + b"\0report-status\n"
    return b"%04x" % (len(line) + 4) + line + b"0000" + pack


def push_of_tree(
    tree: Tree, objects: Sequence[ShaFile], ref: bytes, parent: bytes, old: bytes = NOTHING
) -> bytes:
    """The body of a push of one commit of the tree, with these objects of it; the reference was at `old`."""
    commit = Commit()
    commit.tree, commit.parents, commit.message = tree.id, [ObjectID(parent)], b"pushed"
    commit.author = commit.committer = b"ann <ann@localhost>"
    commit.author_time = commit.commit_time = commit.author_timezone = commit.commit_timezone = 0
    raw = [(item.type_num, item.as_raw_string()) for item in (*objects, tree, commit)]
    pack = pack_of(*((kind, len(data), zlib.compress(data, 9)) for kind, data in raw))
    return push_body(commit.id, ref, pack, old)
