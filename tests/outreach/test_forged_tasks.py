"""A forged task has no effect: whoever writes into Redis finds that rows decide, not messages (T39)."""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from accounts.models import User, Workspace
from accounts.tenancy import WorkspaceModel, workspace
from config.celery import app
from mailbox.models import Mailbox
from outreach.models import Message
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import Queue
from tests.roles import as_owner

pytestmark = pytest.mark.filterwarnings(
    "ignore:Cache key:UserWarning", "ignore::django.core.cache.backends.base.CacheKeyWarning"
)
OURS = sorted(name for name in app.tasks if not name.startswith("celery."))
NASTY: list[Any] = [
    None, 0, -1, 2**70, True, "", " ", "not-a-uuid", "' OR 1=1 --", "%s", "\x00", [], {}, [["a"]], {"pk": 1},
    "0" * 36, "{{ settings.SECRET_KEY }}", "../../etc/passwd", "__import__('os')", "x" * 100_000,
]  # fmt: skip


def everything() -> dict[str, str]:
    """Table → a hash of all its rows, of every workspace."""
    tables = [
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and model._meta.db_table in connection.introspection.table_names()
    ]
    one = "SELECT '{0}', md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) FROM \"{0}\" t"
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(one.format(table) for table in sorted(set(tables))))
        return dict(cursor.fetchall())


def ids_of(here: Workspace) -> list[str]:
    """One row's id of each table of a workspace."""
    with workspace(here):
        rows = [
            model.objects.values_list("pk", flat=True).first()
            for model in apps.get_models()
            if issubclass(model, WorkspaceModel)
        ]
    return [str(pk) for pk in rows if pk is not None]


def parameters(name: str) -> int:
    return len(inspect.signature(app.tasks[name].run).parameters)


def forgeries(name: str, here: Workspace, theirs: list[str]) -> list[tuple[list[Any], dict[str, Any]]]:
    """Arguments that nobody of ours would send to this task."""
    ours, nobody, count = str(here.pk), str(uuid.uuid4()), parameters(name)
    found: list[tuple[list[Any], dict[str, Any]]] = [
        ([nobody] * (count + 1), {}),
        ([ours] * (count + 3), {}),
        ([], {"forged": ours}),
        ([ours] * count, {"forged": 1}),
    ]
    if count:
        found += [([value] * count, {}) for value in NASTY]
        found += [([nobody] * count, {}), ([], {})]
    if count > 1:
        rest = [nobody] * (count - 2)
        found += [([ours, value, *rest], {}) for value in (*NASTY, nobody, *theirs) if value != ""]
        found += [([nobody, pk, *rest], {}) for pk in theirs]
    return found


def test_it_knows_every_task() -> None:
    assert len(OURS) >= 15
    assert sum(parameters(name) > 0 for name in OURS) >= 6


def test_it_does_nothing_without_a_row(
    queue: Queue,
    providers: Running,
    open_ws: Workspace,
    stranger: User,
    connected: Callable[..., Mailbox],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Random ids, another workspace's ids, wrong types, too many, too few: no row moves, nobody is called."""
    queue("google", "p1.silent@site1.example", "p2.silent@site2.example")
    elsewhere = Workspace.objects.exclude(pk=open_ws.pk).get()
    with workspace(elsewhere):
        theirs = ids_of(open_ws)
    before, calls = everything(), len(providers.get("calls"))
    tried = 0
    for name in OURS:
        for args, kwargs in forgeries(name, elsewhere, theirs):
            app.tasks[name].apply(args=tuple(args), kwargs=kwargs)
            tried += 1
        after = everything()
        assert [table for table in after if after[table] != before[table]] == [], name
    assert len(providers.get("calls")) == calls
    assert providers.get("ledger") == []
    with capsys.disabled():
        print(f"\nforged tasks: {tried} of {len(OURS)} kinds, 0 rows moved, 0 calls")  # noqa: T201


def test_it_does_something_with_the_right_row(queue: Queue, providers: Running, open_ws: Workspace) -> None:
    """The measure has teeth: the same task with the row it belongs to sends."""
    queue("google", "p1.silent@site1.example")
    before = everything()
    app.tasks["outreach.send_batch"].apply(args=(str(open_ws.pk), str(Mailbox.objects.get().pk)))
    assert everything() != before
    assert len(providers.get("ledger")) == 1
    assert Message.objects.exclude(state="sent").count() == 0
