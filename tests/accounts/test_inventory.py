"""Every table says what it keeps, why, and until when (promises 33; threats P9, P16)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.core import checks
from django.db import models

from accounts.encryption import EncryptedTextField
from accounts.inventory import LIBRARY, Data, every_table_declares, lines

PAGE = Path(__file__).resolve().parents[2] / "docs" / "privacy.md"
HEAD = "| table | class | why | until |\n|---|---|---|---|\n"


def table() -> str:
    """The second table of docs/privacy.md, made from the declarations; empty tables are left out."""
    told = [line for line in lines() if line.kept and line.kept.until != "Empty"]
    return HEAD + "".join(
        f"| {line.label} | {line.kept.data.label} | {line.kept.purpose} | {line.kept.until} |\n"
        for line in told
        if line.kept
    )


@pytest.fixture
def undeclared() -> Iterator[str]:
    """A table that forgot to say what it keeps."""

    class Forgetful(models.Model):
        class Meta:
            app_label = "accounts"

    yield Forgetful._meta.label
    del apps.all_models["accounts"]["forgetful"]
    apps.clear_cache()


def test_it_declares_every_table() -> None:
    assert every_table_declares() == []
    assert len(list(lines())) > 40


def test_it_is_asked_for_at_every_start() -> None:
    assert every_table_declares in checks.registry.registry.get_checks()


def test_it_notices_a_table_that_declares_nothing(undeclared: str) -> None:
    found = every_table_declares()
    assert [problem.msg.split()[0] for problem in found] == [undeclared]


def test_it_prints_what_is_declared() -> None:
    assert table() in PAGE.read_text(), f"docs/privacy.md needs this table:\n\n{table()}"


def test_it_calls_ciphertext_of_a_customer_content() -> None:
    """A table that holds sealed text is account data or content, never usage data or about no person."""
    for line in lines():
        sealed = any(isinstance(f, EncryptedTextField) for f in apps.get_model(line.label)._meta.fields)
        if sealed:
            assert line.kept is not None
            assert line.kept.data in (Data.CONTENT, Data.ACCOUNT), line.label


def test_it_names_only_tables_that_exist_in_a_library() -> None:
    ours = {"accounts", "mailbox", "outreach", "tracking"}
    assert not [label for label in LIBRARY if label.split(".")[0] in ours and "_" not in label]
