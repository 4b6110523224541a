"""What every test may ask for: the fixed cast, an open workspace, the sandbox, a moved clock."""

from __future__ import annotations

import datetime as dt
import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import Client, TransactionTestCase

from accounts import clock, encryption, tenancy
from accounts.models import Membership, Role, User, Workspace
from accounts.walls import gaps
from accounts.workspaces import create_workspace
from config import embedded
from tests import order, prepared, roles
from tests.emptying import empty
from tests.grid.report import tell as tell_grid
from tests.haste import hurry
from tests.isolation.report import pytest_terminal_summary as tell_matrix
from tests.mailbox.sandbox.conftest import Running, start
from tests.proofs import prove

PASSWORD = "correct-horse-battery"

hurry()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures of this run, behind everything else."""
    tell_matrix(terminalreporter)
    tell_grid(terminalreporter)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """A test with a database has both, the product's and the key store's. One with a browser is marked."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if names & {"browser", "browser_type", "launch_browser"}:
            item.add_marker(pytest.mark.browser)
        marker = item.get_closest_marker("django_db")
        if marker is None and not names & {"db", "transactional_db", "live_server"}:
            continue
        options = dict(marker.kwargs) if marker else {}
        if names & {"transactional_db", "live_server"}:
            options["transaction"] = True
        item.add_marker(pytest.mark.django_db(**{**options, "databases": "__all__"}), append=False)
    yield
    order.sort(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    return order.Together(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_finish() -> None:
    """What is loaded by now stays until the end: the collector need not walk through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """The tables are made and owned by the role that owns them in production."""
    roles.become(embedded.OWNER)
    if os.environ.get(prepared.VARIABLE):
        for alias, template in prepared.TEMPLATES.items():
            connections[alias].settings_dict["TEST"]["TEMPLATE"] = template


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Every test works as the product's role, or the walls would prove nothing."""
    with django_db_blocker.unblock():
        roles.become(embedded.APP)
    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def emptied(case: TransactionTestCase) -> None:
        with roles.emptying():
            for alias in case._databases_names(include_mirrors=False):  # type: ignore[attr-defined]
                empty(alias)

    TransactionTestCase._fixture_teardown = emptied  # type: ignore[attr-defined]
    yield
    TransactionTestCase._fixture_teardown = flush  # type: ignore[attr-defined]
    with django_db_blocker.unblock():
        left = [gap.sentence for alias in roles.ALIASES for gap in gaps.gaps(connections[alias])]
        roles.become(embedded.OWNER)
    assert left == [], "a test has taken a wall down and left it there"


@pytest.fixture(autouse=True)
def _keys_are_forgotten() -> Iterator[None]:
    """Each test's databases are rolled back: a key held in memory would outlive its row."""
    encryption.forget_keys()
    yield
    encryption.forget_keys()


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    """Makes a person who can sign in: `person("maya@studio.example", name="Maya")`."""
    from allauth.account.models import EmailAddress

    def make(email: str, *, name: str = "") -> User:
        user = User.objects.create_user(email, PASSWORD, name=name or email.partition("@")[0].title())
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        return user

    return make


@pytest.fixture
def owner(person: Callable[..., User]) -> User:
    return person("olga@studio.example", name="Olga Owner")


@pytest.fixture
def ws(owner: User) -> Workspace:
    """The owner's workspace, ready to send: it has a postal address."""
    row = create_workspace(owner, name="Studio")
    Workspace.objects.filter(pk=row.pk).update(postal_address="Studio, 14 Quay Lane, Harwick")
    row.refresh_from_db()
    return row


@pytest.fixture
def in_ws(ws: Workspace) -> Iterator[Workspace]:
    """The owner's workspace, open for the whole test."""
    with tenancy.workspace(ws):
        yield ws


@pytest.fixture
def member(person: Callable[..., User], ws: Workspace) -> User:
    user = person("milo@studio.example", name="Milo Member")
    Membership.objects.create(workspace=ws, user=user, role=Role.MEMBER)
    return user


@pytest.fixture
def admin(person: Callable[..., User], ws: Workspace) -> User:
    user = person("ada@studio.example", name="Ada Admin")
    Membership.objects.create(workspace=ws, user=user, role=Role.ADMIN)
    return user


@pytest.fixture
def viewer(person: Callable[..., User], ws: Workspace) -> User:
    user = person("vera@studio.example", name="Vera Viewer")
    Membership.objects.create(workspace=ws, user=user, role=Role.VIEWER)
    return user


@pytest.fixture
def stranger(person: Callable[..., User]) -> User:
    """Somebody with a workspace of their own, elsewhere."""
    user = person("sid@elsewhere.example", name="Sid Stranger")
    create_workspace(user, name="Elsewhere")
    return user


@pytest.fixture
def ex_member(person: Callable[..., User], ws: Workspace) -> User:
    user = person("eva@studio.example", name="Eva Exmember")
    with tenancy.workspace(ws):
        Membership.objects.create(workspace=ws, user=user, role=Role.MEMBER).delete()
    return user


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """A browser in which this person has signed in just now."""

    def make(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        prove(client, user)
        return client

    return make


@pytest.fixture
def later(db: None) -> Callable[..., None]:
    """Moves the product's clock: `later(seconds=90)`."""

    def move(**by: float) -> None:
        clock.advance(dt.timedelta(**by))

    return move


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Running]:
    """One sandbox per test process, at the addresses that the settings name."""
    running = start(
        Path(os.environ["SANDBOX_DIR"]),
        int(os.environ["SANDBOX_HTTP_PORT"]),
        int(os.environ["SANDBOX_TLS_PORT"]),
    )
    yield running
    running.process.terminate()
    running.process.wait(10)


@pytest.fixture
def providers(sandbox_process: Running) -> Running:
    """The product's own Google and Microsoft: empty, and reached through the environment alone."""
    sandbox_process.post("reset")
    return sandbox_process


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, object]) -> dict[str, object]:
    """The machine's own Chromium, without its own sandbox, which root and most containers cannot give it.

    The tests open nothing but the product and the simulated providers on this machine.
    """
    return {
        **browser_type_launch_args,
        "executable_path": os.environ.get("OUTREACH_CHROMIUM") or shutil.which("chromium"),
        "args": ["--no-sandbox"],
    }
