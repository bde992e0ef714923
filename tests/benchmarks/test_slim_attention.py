from __future__ import annotations

from benchmarks.slim_attention import compare, random_t5


def test_a_slim_cache_is_half_as_large_and_writes_the_same() -> None:
    found = compare(random_t5(d_model=64, d_kv=16, num_heads=4, num_layers=2, vocab_size=200), steps=12)
    assert found.slim_bytes * 2 == found.plain_bytes
    assert found.same_words and found.logit_difference <= 1e-3
    assert found.value_errors["fp32"] < 1e-3 < found.value_errors["bf16"] < found.value_errors["int8"]
