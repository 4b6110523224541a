"""Mutated mails: no exception, little time, little memory. `make fuzz` runs 50,000."""

from __future__ import annotations

import os

import pytest

from mailbox.parsing import bounces
from tests.mailbox.parsing import corpus, mutations

COUNT = int(os.environ.get("FUZZ_MAILS") or "400")
SEED = int(os.environ.get("FUZZ_SEED") or "5")
P99_MS = 200
# The largest mail is 300 kB; the rest is what Python and libxml2 keep for themselves.
MOST_KIB = 64 * 1024


def test_it_reads_every_mutated_mail() -> None:
    folder = corpus.WHOLE if corpus.WHOLE.is_dir() else corpus.HERE
    cost = mutations.run(folder, count=COUNT, seed=SEED)
    print(f"\nfuzz: {cost}")  # noqa: T201
    assert cost.failures == []
    assert cost.mails == COUNT
    assert cost.quantile(0.99) < P99_MS
    assert cost.kib < MOST_KIB


def test_the_same_seed_makes_the_same_mails() -> None:
    samples = [corpus.raw("arf-16"), corpus.raw("lhost-qmail-05")]
    first, second = (list(mutations.mutated(samples, count=50, seed=7)) for _ in range(2))
    assert first == second
    assert len(set(first)) > 45


def test_it_notices_an_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(raw: bytes) -> None:
        raise ValueError("planted")

    monkeypatch.setattr(bounces, "parse", broken)
    cost = mutations.run(corpus.HERE, count=20, seed=SEED)
    assert len(cost.failures) == 20
    assert "planted" in cost.failures[0]
