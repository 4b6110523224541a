"""The operator's figures: who may see them, what they count, and that no word of a mail is among them."""

from __future__ import annotations

import datetime as dt
import re
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from redis.exceptions import RedisError

from accounts import clock
from accounts.models import Membership, User, Workspace
from accounts.staff import chart, exposition, figures, pulse
from accounts.staff.figures import Family, Minute, Reading, Value
from accounts.tenancy import workspace
from mailbox import failures
from mailbox.models import Mailbox, MailboxIdentity, MailboxState, Provider, SendSlot
from outreach import figures as counted
from outreach.models import CampaignState, MessageState
from tests import factories
from tests.proofs import prove

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
SignedIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _no_pulse() -> Iterator[None]:
    pulse._noted.clear()
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def operator(person: Callable[..., User]) -> User:
    user = person("opal@works.example", name="Opal")
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.refresh_from_db()
    return user


def now(family: Family, *labels: str) -> float | None:
    (found,) = [
        value.value for value in figures.read().values if value.family is family and value.labels == labels
    ]
    return found


# --- who may look ---------------------------------------------------------------------------------------


def test_it_shows_the_page_to_an_operator(signed_in: SignedIn, operator: User) -> None:
    page = signed_in(operator).get("/staff/").content.decode()
    for family in figures.families():
        assert family.title in page
        assert family.name in page


def test_it_is_not_there_for_anybody_else(signed_in: SignedIn, owner: User, ws: Workspace) -> None:
    assert Client().get("/staff/").headers["Location"].startswith("/accounts/login/")
    assert signed_in(owner).get("/staff/").status_code == 404
    part = signed_in(owner).get("/staff/?live", headers={"HX-Request": "true"})
    assert part.status_code == 404


def old_proof(client: Client) -> None:
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - 3600
    session.save()


def test_it_asks_for_a_fresh_proof(signed_in: SignedIn, operator: User) -> None:
    client = signed_in(operator)
    old_proof(client)
    answer = client.get("/staff/")
    assert answer.status_code == 302
    assert "/accounts/reauthenticate/" in answer.headers["Location"]
    # What is fetched again by itself leads nobody away, and shows no figure.
    part = client.get("/staff/?live", headers={"HX-Request": "true"}).content.decode()
    assert "The figures rest" in part
    assert "outreach_" not in part


def test_it_asks_for_the_second_factor_that_an_operator_has(signed_in: SignedIn, operator: User) -> None:
    """A password a moment ago is no proof of somebody who has a factor."""
    client = signed_in(operator)
    Authenticator.objects.create(user=operator, type=Authenticator.Type.TOTP, data={"secret": "x"})
    answer = client.get("/staff/")
    assert answer.status_code == 302
    assert "/accounts/2fa/reauthenticate/" in answer.headers["Location"]
    assert "next=%2Fstaff%2F" in answer.headers["Location"]
    part = client.get("/staff/?live", headers={"HX-Request": "true"}).content.decode()
    assert "outreach_" not in part
    session = client.session
    session["account_authentication_methods"] = [
        *session["account_authentication_methods"],
        {"method": "mfa", "at": time.time(), "type": "totp"},
    ]
    session.save()
    assert client.get("/staff/").status_code == 200


def test_it_makes_and_unmakes_an_operator(owner: User) -> None:
    client = Client()
    client.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    prove(client, owner)
    call_command("make_operator", owner.email)
    assert client.get("/staff/").status_code == 200
    with pytest.raises(CommandError, match="so already"):
        call_command("make_operator", owner.email)
    call_command("make_operator", owner.email, "--remove")
    assert client.get("/staff/").status_code == 302  # signed out everywhere
    with pytest.raises(CommandError, match="No account"):
        call_command("make_operator", "nobody@works.example")


# --- /metrics -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Basic tok", "tok", "Bearer tök", "Bearer tok tok"]
)
def test_it_gives_metrics_for_the_token_alone(settings: Any, header: str) -> None:
    settings.METRICS_TOKEN = ""
    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    settings.METRICS_TOKEN = "tok"
    refused = Client().get("/metrics", headers={"Authorization": header})
    assert refused.status_code == 401
    assert b"outreach_" not in refused.content
    given = Client().get("/metrics", headers={"Authorization": "Bearer tok"})
    assert (given.status_code, given["Content-Type"]) == (200, exposition.CONTENT_TYPE)


_LINE = re.compile(r'(outreach_[a-z_]+)(\{[a-z]+="[a-z0-9_]+"(,[a-z]+="[a-z0-9_]+")*\})? (\d+(\.\d+)?)')


def test_it_writes_what_prometheus_reads(settings: Any, in_ws: Workspace) -> None:
    """Text format 0.0.4: each line is a comment or a sample; each family has its help and type once."""
    settings.METRICS_TOKEN = "tok"
    factories.make_message(state=MessageState.DOUBT, attempted_at=clock.now())
    text = Client().get("/metrics", headers={"Authorization": "Bearer tok"}).content.decode()
    assert text.endswith("\n")
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(_LINE.fullmatch(line) for line in samples), samples
    assert len(samples) == len({line.rpartition(" ")[0] for line in samples})
    assert 'outreach_mails_in_doubt{provider="google"} 1' in samples
    for family in figures.families():
        kind = "counter" if family.name.endswith("_total") else "gauge"
        assert text.count(f"# HELP {family.name} ") == text.count(f"# TYPE {family.name} {kind}\n") == 1


def test_it_counts_the_problems_of_each_provider(settings: Any) -> None:
    settings.METRICS_TOKEN = "tok"
    text = Client().get("/metrics", headers={"Authorization": "Bearer tok"}).content.decode()
    assert 'outreach_provider_failures_total{provider="google",problem="throttled"} 0\n' in text
    for provider, kind in (("google", "throttled"), ("google", "throttled"), ("microsoft", "auth")):
        failures.note(provider, failures.Kind(kind))
    text = Client().get("/metrics", headers={"Authorization": "Bearer tok"}).content.decode()
    assert 'outreach_provider_failures_total{provider="google",problem="throttled"} 2\n' in text
    assert 'outreach_provider_failures_total{provider="microsoft",problem="auth"} 1\n' in text
    assert 'outreach_provider_failures_total{provider="microsoft",problem="throttled"} 0\n' in text


def test_it_escapes_what_prometheus_would_misread() -> None:
    family = Family("outreach_x", "G", "T", "a\\b\nc", "act", ("word",))
    values = [Value(family, 1.5, ('a"b\n\\',)), Value(family, None, ("gone",))]
    help_, type_, sample = exposition.exposition([family], values).splitlines()
    assert help_ == r"# HELP outreach_x a\\b\nc"
    assert type_ == "# TYPE outreach_x gauge"
    assert sample == r'outreach_x{word="a\"b\n\\"} 1.500'


def test_it_names_nobody(settings: Any, in_ws: Workspace) -> None:
    """No address, name or id is a label, whatever stands in the rows."""
    settings.METRICS_TOKEN = "tok"
    row = factories.make_message(state=MessageState.DOUBT, attempted_at=clock.now())
    text = Client().get("/metrics", headers={"Authorization": "Bearer tok"}).content.decode()
    assert "@" not in text
    assert not re.search(r"[0-9a-f]{8}-", text)
    for word in (in_ws.slug, in_ws.name, str(row.pk), "fernhill"):
        assert word not in text


def test_it_says_in_the_handbook_what_to_do() -> None:
    handbook = (ROOT / "docs/operating.md").read_text()
    for family in figures.families():
        assert f"`{family.name}`" in handbook, family.name


def test_it_refuses_a_name_twice() -> None:
    before = figures.families()
    counted.install()
    assert figures.families() == before
    with pytest.raises(ValueError, match="is taken"):
        figures.register(figures.Source((counted.READY,), lambda: Reading()))
    with pytest.raises(ValueError, match="does not begin"):
        figures.register(figures.Source((Family("mails", "", "", "", ""),), lambda: Reading()))


# --- what is counted --------------------------------------------------------------------------------------


@pytest.fixture
def both(in_ws: Workspace, stranger: User) -> tuple[Workspace, Workspace]:
    return in_ws, Membership.objects.get(user=stranger).workspace


def test_it_counts_over_all_workspaces_and_leaves_none_open(both: tuple[Workspace, Workspace]) -> None:
    for here in both:
        with workspace(here):
            for provider in (Provider.GOOGLE, Provider.MICROSOFT):
                campaign = factories.make_campaign(
                    mailbox=factories.make_mailbox(provider), state=CampaignState.RUNNING
                )
                for state in (MessageState.DOUBT, MessageState.SUBMITTING, MessageState.QUEUED):
                    factories.make_message(factories.make_enrollment(campaign), state=state)
                factories.make_message(
                    factories.make_enrollment(campaign), state=MessageState.REFUSED, ended_at=clock.now()
                )
    with workspace(both[0]), connection.cursor() as cursor:
        for named in ("google", "microsoft"):
            assert now(counted.DOUBT, named) == 2
            assert now(counted.SUBMITTING, named) == 2
            assert now(counted.REFUSED, named) == 2
            assert now(counted.MAILBOXES, named, "connected") == 2
        assert now(counted.WAITING, "queued") == 4
        # The walls stand as before: the statement after it sees the open workspace alone.
        cursor.execute("SELECT count(DISTINCT workspace_id) FROM outreach_message")
        assert cursor.fetchone() == (1,)


def test_it_runs_with_the_products_own_rights() -> None:
    """Decisions 12: it is no function of the owner's, and gives numbers only."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT prosecdef, pg_get_function_result(oid) FROM pg_proc WHERE proname = 'outreach_figures'"
        )
        assert cursor.fetchall() == [
            (False, "TABLE(figure text, company text, word text, number double precision)")
        ]


def test_it_puts_the_open_workspace_back_within_its_statement(both: tuple[Workspace, Workspace]) -> None:
    """Or the rest of the same statement would look into the workspace that came last."""
    after = "SELECT n, current_setting('app.workspace') FROM (SELECT count(*) n FROM outreach_figures()) f"
    for here in both:
        with workspace(here), connection.cursor() as cursor:
            cursor.execute(after)
            assert cursor.fetchone()[1] == str(here.pk)


def test_it_asks_two_statements_however_many_workspaces_there_are(
    in_ws: Workspace, person: Callable[..., User]
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            counted.read()
        return len(seen)

    few = asked()
    for number in range(5):
        Workspace.objects.create(name=f"W{number}", slug=f"w{number}")
    assert asked() == few == 2


def test_it_tells_the_age_of_what_only_we_hold_back(in_ws: Workspace) -> None:
    ago = clock.now() - dt.timedelta(minutes=10)
    row = factories.make_message(state=MessageState.QUEUED, due_at=ago)
    age = now(counted.READY)
    assert age is not None
    assert 600 <= age < 660
    for model, values in (
        (type(row), {"reason": "window", "not_before": clock.now() + dt.timedelta(hours=1)}),
        (type(row), {"reason": "cap_reached"}),
        (type(row), {"due_at": clock.now() + dt.timedelta(hours=1)}),
        (Mailbox, {"state": MailboxState.BROKEN}),
        (Mailbox, {"next_send_at": clock.now() + dt.timedelta(minutes=1)}),
        (type(row.campaign), {"state": CampaignState.PAUSED}),
        (Workspace, {"suspended_at": clock.now()}),
    ):
        before = dict(zip(values, model.objects.values_list(*values).get(), strict=True))  # type: ignore[union-attr]
        model.objects.update(**values)  # type: ignore[union-attr]
        assert now(counted.READY) == 0, values
        model.objects.update(**before)  # type: ignore[union-attr]
    assert now(counted.READY)


def test_it_tells_the_oldest_of_several_mailboxes(in_ws: Workspace) -> None:
    """A mailbox whose turn has not come, or one mail that a gate holds, hides nobody else's wait."""
    campaigns = [
        factories.make_campaign(mailbox=factories.make_mailbox(provider), state=CampaignState.RUNNING)
        for provider in (Provider.GOOGLE, Provider.MICROSOFT)
    ]
    first, second = campaigns
    for campaign, minutes, reason in (
        (first, 50, ""), (second, 40, "cap_reached"), (second, 20, ""), (second, 10, ""),
    ):  # fmt: skip
        due = clock.now() - dt.timedelta(minutes=minutes)
        person = factories.make_enrollment(campaign)
        factories.make_message(person, state=MessageState.QUEUED, due_at=due, reason=reason)
    assert 3000 <= (now(counted.READY) or 0) < 3060
    later = clock.now() + dt.timedelta(minutes=1)
    Mailbox.objects.filter(provider=Provider.GOOGLE).update(next_send_at=later)
    assert 1200 <= (now(counted.READY) or 0) < 1260
    before = clock.now() - dt.timedelta(minutes=5)
    Mailbox.objects.filter(provider=Provider.MICROSOFT).update(next_send_at=before)
    assert 300 <= (now(counted.READY) or 0) < 360
    assert now(counted.WAITING, "queued") == 4


def test_it_tells_what_is_overdue(in_ws: Workspace) -> None:
    ago = clock.now() - dt.timedelta(minutes=5)
    assert now(counted.SETTLE) == now(counted.POLL) == 0
    assert now(counted.POLLED) is None
    factories.make_message(state=MessageState.SUBMITTING, settle_at=ago, attempted_at=ago)
    Mailbox.objects.update(next_poll_at=ago, last_poll_at=ago)
    for family in (counted.SETTLE, counted.POLL, counted.POLLED):
        age = now(family)
        assert age is not None
        assert 300 <= age < 360


def test_it_counts_what_was_handed_over_by_minute(in_ws: Workspace) -> None:
    identity = MailboxIdentity.objects.get(pk=factories.make_mailbox().identity)
    for minutes in (0.5, 2, 2, 30, 70):
        SendSlot.objects.create(
            identity=identity, key=uuid.uuid4(), taken_at=clock.now() - dt.timedelta(minutes=minutes)
        )
    assert now(counted.HANDED, "5m") == 3
    assert now(counted.HANDED, "60m") == 4
    drawn = chart.of(figures.read().minutes)
    assert drawn.mails == 4
    assert len(drawn.bars) == 60
    assert drawn.bars[-3].mails == 2


# --- the processes ----------------------------------------------------------------------------------------


def test_it_hears_the_beat_and_a_worker() -> None:
    assert now(pulse.ALIVE, "beat") is None
    pulse._rung(sender="outreach.send_batch")
    assert now(pulse.ALIVE, "beat") is None  # rung by whoever; only the beat wakes
    pulse._rung(sender="outreach.wake_senders")
    pulse._began()
    for part in ("beat", "worker"):
        assert now(pulse.ALIVE, part) is not None
    assert now(pulse.REDIS) == 1
    assert {value.labels for value in pulse.read().values if value.family is pulse.QUEUE} == {
        ("wake",), ("mail",), ("poll",),
    }  # fmt: skip


def test_it_writes_a_pulse_once_in_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    store = SimpleNamespace(set=lambda key, *_, **__: written.append(key))
    monkeypatch.setattr("accounts.staff.pulse.cache", store)
    at = iter([100.0, 100.5, 101.5])
    ticking = SimpleNamespace(monotonic=lambda: next(at), time=time.time)
    monkeypatch.setattr("accounts.staff.pulse.time", ticking)
    for _ in range(3):
        pulse.note("beat")
    assert written == ["pulse:beat", "pulse:beat"]


def test_it_says_that_redis_is_gone(
    signed_in: SignedIn, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F16: the page answers without it, and nothing hangs on the pulse."""

    def gone(*_: Any, **__: Any) -> None:
        raise RedisError

    client = signed_in(operator)
    monkeypatch.setattr("accounts.staff.pulse.cache", SimpleNamespace(get=gone, set=gone))
    pulse.note("worker")
    assert [(value.family, value.value) for value in pulse.read().values] == [(pulse.REDIS, 0)]
    assert client.get("/staff/").status_code == 200


def test_it_says_spans_in_words_and_draws_a_quiet_hour() -> None:
    spans = {0: "0 s", 119: "119 s", 120: "2 min", 7200: "2 h", 200_000: "2 days"}
    assert {seconds: chart.span(seconds) for seconds in spans} == spans
    assert (chart.of([]).most, chart.of([]).mails, chart.of([Minute(0, 7)]).most) == (2, 0, 8)  # a quiet hour
