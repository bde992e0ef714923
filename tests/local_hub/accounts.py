"""Who works with the Hubs of these tests."""

from __future__ import annotations

from local_hub import TokenGrant

WRITE, READ, OTHER = "hf_writer", "hf_reader", "hf_other"
GRANTS = (
    TokenGrant("ann", "write", WRITE),
    TokenGrant("ann", "read", READ),
    TokenGrant("bob", "write", OTHER),
)
