"""The library: texts that are kept, found again and put into a step, in its own form."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit, clock
from accounts.models import User
from outreach import rendering
from outreach.models import SavedText
from outreach.text_modes import html_of

MOST_NAME, MOST_FOLDER = 120, 60


@dataclass(frozen=True)
class Words:
    """What is put into a step: HTML, or plain text where the campaign is."""

    subject: str
    body: str


def found(asked: str = "", *, use: str = "", snippets: bool | None = None) -> QuerySet[SavedText]:
    """By folder, then by name, which hold `asked`; names stand plain, so a part of them is enough."""
    rows: QuerySet[SavedText] = SavedText.objects.order_by("folder", "name", "id")
    if use:
        rows = rows.filter(use=use)
    if snippets is not None:
        rows = rows.filter(is_snippet=snippets)
    return rows.filter(name__icontains=asked) if asked else rows


def folders() -> list[str]:
    """Those that hold something, by name."""
    rows = SavedText.objects.exclude(folder="").order_by("folder")
    return list(rows.values_list("folder", flat=True).distinct())


def save(
    row: SavedText | None,
    *,
    name: str,
    folder: str,
    use: str,
    subject: str,
    body: str,
    is_snippet: bool = False,
    plain: bool = False,
    actor: User | None,
) -> SavedText:
    """Store a text, cleaned as a step's is. A snippet has no subject; a `plain` body is turned into HTML."""
    text = row or SavedText(created_by=actor)
    text.name, text.folder, text.use, text.is_snippet = name, folder, use, is_snippet
    text.subject = "" if is_snippet else rendering.one_line(subject, most=rendering.LONGEST_WRITTEN_SUBJECT)
    whole = body.replace("\r\n", "\n").replace("\x00", "")
    text.body = rendering.sanitise(html_of(whole) if plain else whole)
    text.updated_at = clock.now()
    with transaction.atomic():
        text.save()
        _tell("changed" if row else "saved", f"“{name}” {'changed' if row else 'saved'}", text, actor)
    return text


def duplicate(row: SavedText, *, actor: User | None) -> SavedText:
    """A second one beside it, to be changed."""
    return save(
        None,
        name=f"{row.name[: MOST_NAME - 8]} (copy)",
        folder=row.folder,
        use=row.use,
        subject=row.subject,
        body=row.body,
        is_snippet=row.is_snippet,
        actor=actor,
    )


def delete(row: SavedText, *, actor: User | None) -> None:
    """Steps that were written from it keep their text."""
    with transaction.atomic():
        _tell("deleted", f"“{row.name}” deleted", row, actor)
        row.delete()


def words_of(subject: str, body: str, *, plain: bool) -> Words:
    """A kept text in the form of the step that it goes into."""
    return Words(subject, rendering.text_of(body) if plain else body)


def _tell(act: str, sentence: str, row: SavedText, actor: User | None) -> None:
    audit.record(f"text.{act}", sentence, actor=actor, object_id=row.pk)
