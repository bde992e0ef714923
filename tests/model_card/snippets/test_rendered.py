from __future__ import annotations

from pathlib import Path

from model_card.card.document import CodeBlock, code_blocks, split_card
from model_card.snippets.rendered import key_of, rendered_blocks


def blocks_of(run: Path) -> list[CodeBlock]:
    card = (run / "release" / "README.md").read_text(encoding="utf-8")
    return code_blocks(split_card(card).body)


def test_every_block_of_a_card_that_nobody_touched_is_ours(run: Path) -> None:
    blocks = blocks_of(run)
    assert len(blocks) > 3
    assert {key_of(block) for block in blocks} == rendered_blocks(run / "release")


def test_a_block_is_ours_wherever_it_stands_and_no_longer_when_a_letter_changes(run: Path) -> None:
    rendered, block = rendered_blocks(run / "release"), blocks_of(run)[0]
    assert key_of(CodeBlock(999, block.language, block.code, closed=False)) in rendered
    assert key_of(CodeBlock(block.line, block.language, block.code + " ", block.closed)) not in rendered
    assert key_of(CodeBlock(block.line, "bash", block.code, block.closed)) not in rendered
