"""Headers and cookies: what a page may run, load and be embedded in, and what a production start sets."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User, Workspace
from tests.roles import app_url

pytestmark = pytest.mark.django_db
SCRIPT = re.compile(r"<script\b[^>]*>", re.IGNORECASE)
CHECK = ("manage.py", "check", "--deploy", "--fail-level", "WARNING", "--database", "keystore")
PRODUCTION = {
    "PUBLIC_BASE_URL": "https://outreach.example",
    "TRACKING_BASE_URL": "https://outreach.example",
    "ALLOWED_HOSTS": "outreach.example",
    "OUTREACH_TESTING": "false",
    "OUTREACH_DEMO": "false",
    "DEBUG": "false",
    # The tests' own is a row of one letter, which Django's check rightly calls weak.
    "SECRET_KEY": "".join(map(chr, range(40, 110))),
    "DJANGO_ALLOW_ASYNC_UNSAFE": "",
    "EMAIL_URL": "smtp+tls://user:password@mail.example:587",
}


def child(*command: str, root: Path, **more: str) -> subprocess.CompletedProcess[str]:
    addresses = {"DATABASE_URL": app_url("default"), "KEYSTORE_URL": app_url("keystore")}
    return subprocess.run(
        [sys.executable, *command],
        cwd=root,
        env={**os.environ, **PRODUCTION, **addresses, **more},
        capture_output=True,
        text=True,
        timeout=120,
    )


def policy(header: str) -> dict[str, list[str]]:
    return {part.split()[0]: part.split()[1:] for part in header.split(";") if part.strip()}


def test_it_runs_only_scripts_that_carry_the_nonce_of_the_page(
    ws: Workspace, owner: User, signed_in: Callable[[User], Client]
) -> None:
    client = signed_in(owner)
    seen = set()
    for path in ("/accounts/login/", f"/w/{ws.slug}/", f"/w/{ws.slug}/campaigns/", "/nowhere/"):
        answer = client.get(path, follow=True)
        rules = policy(answer["Content-Security-Policy"])
        nonce = next(r for r in rules["script-src"] if r.startswith("'nonce-"))[7:-1]
        assert rules["script-src"] == [f"'nonce-{nonce}'", "'strict-dynamic'"], path
        scripts = SCRIPT.findall(answer.content.decode())
        assert len(scripts) >= 5
        assert all(f'nonce="{nonce}"' in script for script in scripts), scripts
        seen.add(nonce)
    assert len(seen) == 4


def test_it_gives_every_script_of_a_template_the_nonce(root: Path) -> None:
    bare = [
        (path.name, script)
        for path in (root / "templates").rglob("*.html")
        for script in SCRIPT.findall(path.read_text())
        if 'nonce="{{ csp_nonce }}"' not in script
    ]
    assert bare == []


def test_it_lets_nothing_in_from_elsewhere_and_is_framed_by_nobody() -> None:
    answer = Client().get("/accounts/login/")
    rules = policy(answer["Content-Security-Policy"])
    for name in ("default-src", "object-src", "base-uri", "frame-ancestors"):
        assert rules[name] == ["'none'"], name
    for name, allowed in rules.items():
        assert set(allowed) <= {"'self'", "'none'", "'strict-dynamic'", "data:"} or name == "script-src", name
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]
    assert "publickey-credentials-get=(self)" in answer["Permissions-Policy"]


def test_it_lets_mails_elsewhere_show_the_pixel_and_nothing_else() -> None:
    assert Client().get("/o/x")["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert Client().get("/u/x")["Cross-Origin-Resource-Policy"] == "same-origin"


def test_it_sets_host_cookies_and_hsts_in_production(root: Path, owner: User) -> None:
    """A child process with production's environment answers one visit to the sign-in page."""
    said = child(
        "-c",
        "import django, json; django.setup()\n"
        "from django.test import Client\n"
        "answer = Client(headers={'host': 'outreach.example'}).get('/accounts/login/', secure=True)\n"
        "plain = Client(headers={'host': 'outreach.example'}).get('/accounts/login/')\n"
        "print(json.dumps({'headers': dict(answer.headers),\n"
        "  'plain': [plain.status_code, plain['Location']],\n"
        "  'cookies': [c.OutputString() for c in answer.cookies.values()]}))\n"
        "from django.conf import settings as s\n"
        "print(json.dumps([s.SESSION_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY,\n"
        "  s.SESSION_COOKIE_SAMESITE, s.SESSION_COOKIE_PATH, s.SESSION_COOKIE_DOMAIN]))",
        root=root,
        DJANGO_SETTINGS_MODULE="config.settings",
        STATICFILES_BACKEND="django.contrib.staticfiles.storage.StaticFilesStorage",
    )
    assert said.returncode == 0, said.stderr
    got, session = map(json.loads, said.stdout.splitlines()[-2:])
    assert got["headers"]["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert got["plain"] == [301, "https://outreach.example/accounts/login/"]
    assert session == ["__Host-session", True, True, "Lax", "/", None]
    (csrf,) = got["cookies"]
    assert csrf.startswith("__Host-csrf=")
    for wanted in ("Secure", "Path=/", "SameSite=Lax", "HttpOnly"):
        assert wanted in csrf
    assert "Domain" not in csrf


def test_it_ties_every_cookie_of_ours_to_the_host_in_production(root: Path) -> None:
    """The list of the cookie page, which a test compares with what is really set."""
    said = child(
        "-c",
        "import django; django.setup()\n"
        "from accounts.views.legal import COOKIES\n"
        "print([one['name'] for one in COOKIES])",
        root=root,
        DJANGO_SETTINGS_MODULE="config.settings",
    )
    names = re.findall(r"'([^']+)'", said.stdout)
    assert len(names) >= 4, said.stderr
    assert [name for name in names if not name.startswith("__Host-")] == []


@pytest.mark.slow
def test_it_has_no_warning_at_a_production_start(root: Path) -> None:
    checked = child(*CHECK, root=root)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.slow
def test_it_warns_where_a_production_start_is_not_safe(root: Path) -> None:
    checked = child(
        *CHECK, root=root,
        PUBLIC_BASE_URL="http://outreach.example", DEBUG="true",
    )  # fmt: skip
    assert checked.returncode == 1
    assert {"security.W004", "security.W012", "security.W018"} <= set(
        re.findall(r"security\.W\d+", checked.stderr)
    )
