"""An import of people: a piece of work with a state, the list it works on, and what it left behind."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts import clock
from accounts.clock import Now
from accounts.encryption import EncryptedBytesField, EncryptedTextField
from accounts.inventory import Data, Kept
from accounts.tenancy import WorkspaceModel
from accounts.viewpoint import Everybody
from outreach.models.contacts import Basis
from outreach.models.groups import Group

# So long an import can be undone, and its rejected rows can be fetched.
REMEMBERED = dt.timedelta(days=30)
_BOOK = "one book of sites and people for all projects: nobody is written to twice"


class ImportState(models.TextChoices):
    CHECKING = "checking", "Being read and checked"
    CHECKED = "checked", "Waiting for your word"
    STORING = "storing", "Being stored"
    DONE = "done", "Done"
    REFUSED = "refused", "Not read"
    CANCELLED = "cancelled", "Cancelled"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"


WORKING = (ImportState.CHECKING, ImportState.STORING, ImportState.UNDOING)
# Something of the list lies here still.
OPEN = (ImportState.CHECKING, ImportState.CHECKED, ImportState.STORING)


class ListShape(models.TextChoices):
    TABLE = "table", "A table whose first row names the columns"
    CELLS = "cells", "A table without names"
    LINES = "lines", "Lines as people write them"


@dataclass(frozen=True)
class Layout:
    """The columns of a list: names, the first two different values of each, and how many cells are blank."""

    headers: list[str] = field(default_factory=list)
    samples: list[list[str]] = field(default_factory=list)
    blanks: list[int] = field(default_factory=list)


class ContactImport(WorkspaceModel):
    """One list of people on its way in. `done_rows` of `rows` are behind it; None: the file is being read.

    `mapping`: header → field of ours or the name of a field of their own ("": left out). `headers_index`
    finds the last import with the same columns. `readings`: how often its file was begun; it is left to who
    did until `leased_until`. `group`: everybody of the list is put into it; `grouped`: how often anybody was
    put into a tag or a list.
    """

    inventory = Kept(
        Data.CONTENT,
        "Who brought which list of people, and what became of it",
        "As long as the workspace",
    )
    project_path = Everybody(_BOOK)

    state = models.CharField(max_length=9, choices=ImportState.choices, default=ImportState.CHECKING)
    filename = EncryptedTextField()
    shape = models.CharField(max_length=5, choices=ListShape.choices, default=ListShape.TABLE)
    encoding = models.CharField(max_length=40, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    columns = EncryptedTextField()
    headers_index = models.BinaryField(max_length=32, null=True)
    mapping = models.JSONField(default=dict, blank=True)
    basis = models.CharField(max_length=10, choices=Basis.choices, default=Basis.LEGITIMATE)
    source = models.CharField(max_length=200, blank=True)
    problem = EncryptedTextField()
    rows = models.PositiveIntegerField(null=True)
    done_rows = models.PositiveIntegerField(default=0)
    readings = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    new = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)
    blocked = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    filled = models.PositiveIntegerField(default=0)
    group = models.ForeignKey(Group, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    grouped = models.PositiveIntegerField(default=0, db_default=0)
    removed = models.PositiveIntegerField(default=0)
    emptied = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta(WorkspaceModel.Meta):
        indexes = [
            models.Index(fields=["workspace", "-created_at", "-id"], name="import_newest_first"),
            models.Index(fields=["workspace"], condition=Q(state__in=WORKING), name="import_at_work"),
        ]

    @property
    def layout(self) -> Layout:
        return Layout(**json.loads(self.columns)) if self.columns else Layout()

    @property
    def is_working(self) -> bool:
        return self.state in WORKING

    @property
    def is_stored(self) -> bool:
        """Its counts are of people who were added, not of what a check expects."""
        return self.state not in (ImportState.CHECKING, ImportState.CHECKED, ImportState.REFUSED)

    @property
    def may_be_undone(self) -> bool:
        ended = self.state in (ImportState.DONE, ImportState.CANCELLED)
        return (
            ended
            and bool(self.new or self.filled or self.grouped)
            and self.created_at > clock.now() - REMEMBERED
        )


class ImportPart(WorkspaceModel):
    """A piece of an import as it stands in one row: `start` is its place, in bytes of the file or in rows.

    The file as it came, its rows once they are read, the rows that were rejected, and what was filled in.
    """

    inventory = Kept(
        Data.CONTENT,
        "A list while it is imported; what it left out and filled in",
        "The list: its import ends, or a day; the rest: 30 days",
    )
    project_path = Everybody(_BOOK)

    class Kind(models.TextChoices):
        FILE = "file", "The file as it came"
        ROWS = "rows", "Rows that were read"
        SEEN = "seen", "Hashes of the addresses that came before"
        REJECTS = "rejects", "Rows that were rejected, with their reasons"
        JOURNAL = "journal", "What was filled in at people known before"

    contact_import = models.ForeignKey(ContactImport, on_delete=models.CASCADE, related_name="parts")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    start = models.PositiveIntegerField()
    content = EncryptedBytesField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["contact_import", "kind", "start"], name="one_part_per_place")
        ]
