"""No log line holds a token, a code, a reset key or what somebody searched for."""

from __future__ import annotations

import datetime as dt
import logging
import os
import random
import re
import string
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test import Client
from gunicorn.config import Config

from accounts.models import User, Workspace
from accounts.tenancy import workspace
from config import embedded
from config.celery import app
from config.logs import AccessLog, PlainLines, plain, without_secrets
from tests import roles
from tests.factories import make_mailbox

SECRETS = {
    "/u/AbCdEf123": "/u/…",
    "/o/AbCdEf123": "/o/…",
    "/c/AbCdEf123?x=1": "/c/…",
    "/accounts/password/reset/key/3-abc-def/": "/accounts/password/reset/key/…",
    "/accounts/confirm-email/MQ:1abc:xyz/": "/accounts/confirm-email/…",
    "/stop/WyJhYmMiXQ:1abc:xyz/": "/stop/…",
    "/oauth/google/callback/?code=4/abc&state=s": "/oauth/google/callback/",
    "/w/studio/contacts/?q=ana@site.example": "/w/studio/contacts/",
    "/w/studio/\n2026 ERROR forged": "/w/studio/?2026 ERROR forged",
}


@pytest.mark.parametrize(("given", "said"), SECRETS.items())
def test_it_says_the_page_and_not_the_secret(given: str, said: str) -> None:
    assert plain(given) == said


@pytest.mark.parametrize("address", ["/", "/u/", "/w/studio/contacts/", "/outreach", "/w/c/campaigns/"])
def test_it_leaves_other_addresses_alone(address: str) -> None:
    assert plain(address) == address


def said_of(uri: str, caplog: pytest.LogCaptureFixture) -> str:
    log = AccessLog(Config())
    log.cfg.set("accesslog", "-")
    environ = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": uri,
        "PATH_INFO": uri.partition("?")[0],
        "QUERY_STRING": uri.partition("?")[2],
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "198.51.100.7",
        "HTTP_REFERER": "https://outreach.example/w/studio/?q=ana@site.example",
        "HTTP_USER_AGENT": "a browser",
        "HTTP_COOKIE": "outreach_session=secret",
    }
    answer = SimpleNamespace(status="200 OK", sent=12, headers=[])
    request = SimpleNamespace(headers=[("COOKIE", "outreach_session=secret")])
    atoms = log.atoms(answer, request, environ, dt.timedelta(seconds=1))
    return " ".join(map(str, atoms.values())) + str(log.atoms_wrapper_class(atoms))


@pytest.mark.parametrize("uri", SECRETS)
def test_it_gives_the_access_log_nothing_else(uri: str, caplog: pytest.LogCaptureFixture) -> None:
    said = said_of(uri, caplog)
    for secret in ("AbCdEf123", "3-abc-def", "1abc", "4/abc", "ana@site", "\n", "outreach_session"):
        assert secret not in said


def test_it_keeps_no_ip_of_a_recipient(caplog: pytest.LogCaptureFixture) -> None:
    assert "198.51.100.7" not in said_of("/u/AbCdEf123", caplog)
    assert "198.51.100.7" in said_of("/accounts/login/", caplog)


def test_it_is_what_the_server_runs_with(root: Path) -> None:
    for name in ("Dockerfile", "config/run.py"):
        text = (root / name).read_text()
        assert re.search(r'"--logger-class",\s*"config\.logs\.AccessLog"', text), name


@pytest.mark.slow
def test_it_holds_in_the_running_server(root: Path, transactional_db: None) -> None:
    port = embedded.free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "1",
         "--threads", "2", "--access-logfile", "-", "--no-control-socket",
         "--logger-class", "config.logs.AccessLog"],
        cwd=root,
        env={**os.environ, **roles.environment(), "DJANGO_SETTINGS_MODULE": "config.settings"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    try:
        for path in ("/healthz", "/u/AbCdEf123", "/oauth/google/callback/?code=4abc&state=s1"):
            _visit(f"http://127.0.0.1:{port}{path}")
    finally:
        server.terminate()
        said, _ = server.communicate(timeout=20)
    assert "GET /healthz" in said
    assert "/u/…" in said
    assert not re.search("AbCdEf123|4abc|state=", said), said


def _visit(url: str) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(url, timeout=5)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            assert time.monotonic() < until, "the server did not answer"
            time.sleep(0.2)


@pytest.mark.django_db
def test_it_holds_for_djangos_own_lines(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert Client().get("/u/AbCdEf123").status_code == 404
        assert Client().get("/nowhere?q=ana@site.example").status_code == 404
    said = [record.getMessage() for record in caplog.records if record.name == "django.request"]
    assert said == ["Not Found: /u/…", "Not Found: /nowhere"]


@pytest.mark.parametrize(
    "name", ["oauthlib", "requests_oauthlib", "urllib3", "msal", "googleapiclient", "google.auth", "httplib2"]
)
def test_it_silences_libraries_that_tell_tokens(name: str) -> None:
    """At DEBUG they write headers, bodies and addresses."""
    assert not logging.getLogger(f"{name}.deeper").isEnabledFor(logging.INFO)


SHAPES = (
    "Authorization: Bearer {}",
    "Authorization: Basic {}",
    "refresh_token={}&grant_type=refresh_token",
    '{{"access_token": "{}", "expires_in": 3599}}',
    "{{'client_secret': '{}'}}",
    "ya29.{}",
    "1//{}",
    "eyJ{}.eyJzdWIiOiIx.c2lnbmF0dXJl",
    "Cookie: __Host-session={}; theme=dark",
    "GET /oauth/google/callback/?code={}&scope=a",
    "password={}",
    "X-CSRFToken: {}",
)
CANARY = "canary-9f2c4e7ab1"


def console() -> logging.StreamHandler[StringIO]:
    return next(
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler) and isinstance(handler.formatter, PlainLines)
    )


def test_it_leaves_no_token_in_a_line_whatever_its_shape() -> None:
    """P7: in the message, in an argument, in an exception's words."""
    dice = random.Random(7)
    for number in range(6_000):
        token = "".join(dice.choices(string.ascii_letters + string.digits + "-_", k=dice.randint(20, 60)))
        words = dice.choice(SHAPES).format(token)
        if number % 3 == 0:
            record = logging.LogRecord("outreach", logging.ERROR, "x.py", 1, words, None, None)
        elif number % 3 == 1:
            record = logging.LogRecord("outreach", logging.ERROR, "x.py", 1, "refused: %s", (words,), None)
        else:
            error = ValueError(words)
            told = (ValueError, error, None)
            record = logging.LogRecord("outreach", logging.ERROR, "x.py", 1, "refused", None, told)
        assert token not in console().format(record), words


@pytest.mark.django_db
def test_it_leaves_no_person_and_no_value_of_the_database_in_a_line() -> None:
    User.objects.create_user("canary.person@site.example", "x")
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        User.objects.create_user("canary.person@site.example", "x")
    assert "canary.person" in str(refused.value)
    told = (IntegrityError, refused.value, None)
    line = console().format(logging.LogRecord("outreach", logging.ERROR, "x.py", 1, "no", None, told))
    assert "canary" not in line
    assert "duplicate key value violates unique constraint" in line


@pytest.mark.parametrize(
    "words",
    [
        "sent message 01a21588-5ab6-7 of mailbox 7",
        "GET /w/studio/ 200",
        "the key store answers",
        "state sent",
    ],
)
def test_it_leaves_other_words_alone(words: str) -> None:
    assert without_secrets(words) == words


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Everything that the console handler writes."""
    written = StringIO()
    monkeypatch.setattr(console(), "stream", written)
    return written.getvalue


@pytest.mark.django_db
def test_it_tells_of_a_fault_in_a_view_without_what_the_request_held(
    ws: Workspace, owner: User, signed_in: Callable[[User], Client], said: Callable[[], str]
) -> None:
    """A mailbox whose address does not open: the page breaks with canaries in headers, query and locals."""
    with workspace(ws):
        row = make_mailbox(address=f"{CANARY}@site.example")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE mailbox_mailbox SET address = signature WHERE id = %s", [row.pk])
    client = signed_in(owner)
    client.raise_request_exception = False
    client.cookies["other"] = CANARY
    answer = client.get(
        f"/w/{ws.slug}/mailboxes/{row.pk}/?q={CANARY}",
        headers={
            "Authorization": f"Bearer {CANARY}",
            "X-Note": CANARY,
            "Referer": f"http://x.example/{CANARY}",
        },
    )
    assert answer.status_code == 500
    assert CANARY not in answer.content.decode()
    told = said()
    assert "Unreadable" in told
    assert "Traceback" in told
    assert CANARY not in told
    assert client.cookies[settings.SESSION_COOKIE_NAME].value not in told


@pytest.mark.django_db
def test_it_tells_of_a_fault_in_a_task_without_its_arguments(ws: Workspace, said: Callable[[], str]) -> None:
    app.loader.import_default_modules()  # also where no other test has asked for the tasks yet
    for arguments in ([f"Bearer {CANARY}-{CANARY}"], [str(ws.pk), f"{CANARY}@site.example"]):
        result = app.tasks["outreach.poll_mailbox"].apply(args=tuple(arguments), task_id=str(uuid.uuid4()))
        assert result.failed() or result.result is None
    assert CANARY not in said()
