"""docs/privacy.md says how every column stands, and the models agree."""

from __future__ import annotations

from pathlib import Path

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.encryption import EncryptedTextField
from accounts.tenancy import WorkspaceModel

PAGE = Path(__file__).resolve().parent.parent / "docs" / "privacy.md"
HEAD = "| table | ciphertext | index | plain |\n|---|---|---|---|\n"
# Held by every row, and no content: the key, the workspace and references to other rows.
STRUCTURE = ("id", "workspace")


def table() -> str:
    """The table that docs/privacy.md must hold, made from the models."""
    lines = []
    for model in sorted(apps.get_models(), key=lambda model: model._meta.label):
        if not issubclass(model, WorkspaceModel):
            continue
        sealed: list[str] = []
        index: list[str] = []
        plain: list[str] = []
        for field in model._meta.fields:
            if field.name in STRUCTURE or isinstance(field, models.ForeignKey):
                continue
            kind = sealed if isinstance(field, EncryptedTextField) else plain
            # HMACs, alone or many; no other column is a list.
            if isinstance(field, models.BinaryField | ArrayField) and kind is plain:
                kind = index
            kind.append(field.name)
        cells = [", ".join(names) or "–" for names in (sealed, index, plain)]
        lines.append(f"| {model._meta.label} | {' | '.join(cells)} |\n")
    return HEAD + "".join(lines)


def test_it_lists_every_column_as_it_stands() -> None:
    expected = table()
    assert expected in PAGE.read_text(), f"docs/privacy.md needs this table:\n\n{expected}"


def test_it_keeps_what_the_promises_name_as_ciphertext() -> None:
    """promises.md line 7: first mail, replies, tokens, thread and message ids, recipients and sender."""
    promised = {
        "outreach.Message": "to_address to_name subject text html headers draft_id draft_version provider_id"
        " rfc_message_id",
        "outreach.Reply": "from_address from_name subject text quoted html provider_id diagnostic"
        " rfc_message_id",
        "outreach.Thread": "subject provider_thread_id",
        "outreach.Contact": "address name first_name",
        "outreach.Step": "subject body",
        "outreach.SavedText": "subject body",
        "outreach.HandEdit": "subject body",
        "outreach.Suppression": "value",
        "mailbox.Mailbox": "address subject display_name signature cursor",
        "mailbox.Credential": "secret access_token",
        "accounts.AuditText": "sentence salt",
    }
    for label, names in promised.items():
        model = apps.get_model(label)
        for name in names.split():
            assert isinstance(model._meta.get_field(name), EncryptedTextField), f"{label}.{name}"
