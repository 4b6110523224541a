"""A house's own word in every text column that it has, found from the models: none can be forgotten.

A table without a row gets one, made from its columns. What belongs to a project carries the deep word.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import uuid
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts import clock
from accounts.encryption import EncryptedBytesField, EncryptedTextField, seal
from accounts.models import Membership, User
from accounts.tenancy import WorkspaceModel, workspace
from tests.isolation.house import House, tenant_models
from tests.isolation.words import deep

# What somebody sees who sees no project: everything else belongs to one.
WORKSPACE_WIDE = {
    "accounts_auditevent", "accounts_audittext", "accounts_auditseal", "accounts_auditanchor",
    "accounts_invitation", "accounts_apikey", "accounts_apirequest",
    "mailbox_mailbox", "mailbox_credential", "mailbox_pendingconsent", "mailbox_receipt",
    "mailbox_receiptstep", "outreach_site", "outreach_contact", "outreach_suppression",
    "outreach_contactimport", "outreach_importpart",
    "outreach_savedtext", "outreach_group", "outreach_grouping", "outreach_savedview",
}  # fmt: skip
# The log grows and is never changed: its sentences hold the word because the workspace's name does.
GROWS_ONLY = {"accounts_auditevent", "accounts_audittext", "accounts_auditseal", "accounts_auditanchor"}
# Text that is a code, an id or a hash: a word of ours in it would be no longer one.
CODES = {
    "accounts_auditevent.action", "accounts_auditevent.object_id", "accounts_auditevent.object_kind",
    "accounts_auditevent.actor_sid", "accounts_auditevent.place", "accounts_auditevent.country",
    "accounts_auditevent.credential", "accounts_auditevent.device", "accounts_audittext.salt",
    "accounts_auditanchor.fault",
    "accounts_apirequest.method", "accounts_apirequest.country", "accounts_apikey.last_used_from",
    "accounts_apirequest.place", "mailbox_mailbox.state_reason", "mailbox_receiptstep.code",
    "outreach_contact.country", "outreach_contact.timezone", "outreach_campaign.pause_reason",
    "outreach_campaign.timezone", "outreach_enrollment.reason", "outreach_backlink.key",
    "outreach_reply.bounce_kind", "outreach_reply.bounce_status", "outreach_message.reason",
    "outreach_message.content_hash", "outreach_message.bounce_kind",
    "outreach_contactimport.encoding", "outreach_contactimport.delimiter",
}  # fmt: skip


def text_columns(model: type[WorkspaceModel]) -> list[models.Field[Any, Any]]:
    """Every column that may hold a person's words."""
    found = []
    for field in model._meta.concrete_fields:
        is_text = isinstance(field, models.CharField | models.TextField | EncryptedTextField)
        if is_text and not field.choices and f"{model._meta.db_table}.{field.column}" not in CODES:
            found.append(field)
    return found


def mark_of(house: House, model: type[WorkspaceModel]) -> str:
    return house.word if model._meta.db_table in WORKSPACE_WIDE else deep(house.word)


def plant(house: House) -> None:
    """Rows where there are none, and the house's word in every text column of every row."""
    with workspace(house.here):
        for model in tenant_models():
            if not model.objects.exists():
                model(**_values(house, model)).save()
            if model._meta.db_table in GROWS_ONLY:
                continue
            for row in model.objects.all():
                _mark(row, mark_of(house, model))


def _values(house: House, model: type[WorkspaceModel]) -> dict[str, Any]:
    """The least that a row of this table needs."""
    values: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if field.name in ("id", "workspace") or field.has_default() or field.null:
            continue
        if field.db_default is not models.NOT_PROVIDED:
            continue
        values[field.name] = _value(house, field)
    return values


def _value(house: House, field: models.Field[Any, Any]) -> Any:
    to = field.related_model
    if isinstance(to, type) and issubclass(to, WorkspaceModel):
        return to.objects.first()
    if to is User:
        return Membership.objects.filter(workspace=house.here).order_by("pk")[0].user
    if to is Membership:
        return Membership.objects.filter(workspace=house.here).order_by("-pk")[0]
    if field.choices:
        return next(iter(field.flatchoices))[0]
    kinds: list[tuple[type[models.Field[Any, Any]], Any]] = [
        (EncryptedTextField, house.word),
        (ArrayField, [1]),
        (models.BinaryField, os.urandom(32)),
        (models.UUIDField, uuid.uuid4()),
        (models.DateTimeField, clock.now() + dt.timedelta(days=1)),
        (models.DateField, dt.date(2026, 1, 1)),
        (models.IntegerField, 1),
        (models.CharField, ""),
        (models.TextField, ""),
    ]
    for kind, value in kinds:
        if isinstance(field, kind):
            return value
    raise LookupError(f"{field}: say in tests/isolation/canaries.py what such a column may hold")


def _mark(row: WorkspaceModel, word: str) -> None:
    plain: dict[str, str] = {}
    sealed: dict[str, str] = {}
    for field in text_columns(type(row)):
        value = str(getattr(row, field.attname) or "")
        # Bytes have a form of their own: the house fills them with its word.
        if word in value or isinstance(field, EncryptedBytesField):
            continue
        if isinstance(field, EncryptedTextField):
            sealed[field.attname] = _with(field.name, value, word)
        else:
            longer = _with(field.name, value, word)
            plain[field.attname] = longer if len(longer) <= (field.max_length or 10_000) else word
    if plain or sealed:
        type(row).objects.filter(pk=row.pk).update(**plain, **seal(row, **sealed))


def _with(name: str, value: str, word: str) -> str:
    """The same kind of value, with the word in it."""
    if name in ("headers", "attachments"):
        return f'[["X-Word", "{word}"]]' if name == "headers" else f'[["{word}.pdf", "application/pdf", 1]]'
    if name == "answer":
        return json.dumps({"elsewhere": True, "subject": word, "secret": word, "address": word})
    if name == "flow":
        return f'{{"state": "{word}", "nonce": "{word}", "verifier": "{word}"}}'
    if "url" in name or name == "link":
        return f"{value or 'https://page.example/'}#{word}"
    if name in ("domain", "website"):
        return f"{word}.{value}" if value else f"{word}.example"
    if "address" in name or name in ("email", "value"):
        return f"{word}.{value}" if value else f"no@{word}.example"
    return f"{value} {word}".strip()
