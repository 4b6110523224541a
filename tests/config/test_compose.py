"""`docker-compose.yml`: what production runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

GIVEN = {
    "SECRET_KEY": "s",
    "KEYS": "k1:a",
    "POSTGRES_PASSWORD": "p",
    "KEYSTORE_PASSWORD": "q",
    "POSTGRES_APP_PASSWORD": "r",
    "KEYSTORE_APP_PASSWORD": "t",
    "PUBLIC_BASE_URL": "https://outreach.example",
    "ALLOWED_HOSTS": "outreach.example",
    "EMAIL_URL": "smtp://mail.example",
    "DEFAULT_FROM_EMAIL": "no-reply@outreach.example",
}


PASSWORDS = ("POSTGRES", "KEYSTORE", "POSTGRES_APP", "KEYSTORE_APP")


@pytest.fixture
def compose(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((root / "docker-compose.yml").read_text())
    return loaded


def test_it_runs_every_part(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"migrate", "web", "worker", "beat", "postgres", "keystore", "redis"}


def test_it_watches_the_health_of_every_part(compose: dict[str, Any], root: Path) -> None:
    assert "HEALTHCHECK" in (root / "Dockerfile").read_text()
    for name, service in compose["services"].items():
        own = "healthcheck" in service
        assert own or service.get("build") == ".", name


def test_it_has_no_default_secret(root: Path) -> None:
    text = (root / "docker-compose.yml").read_text()
    secret = [name for name in re.findall(r"\$\{(\w+)[^}]*\}", text) if re.search("KEY|KEKS|PASSWORD", name)]
    passwords = {f"{name}_PASSWORD" for name in PASSWORDS}
    assert set(secret) == {"SECRET_KEY", "KEYS", *passwords}
    for name in secret:
        assert re.findall(rf"\$\{{{name}\b(?!:\?)", text) == [], name


# Left out on purpose: endpoints that only the sandbox moves, and what the image sets by itself.
NOT_PASSED = (
    r"(GOOGLE|MS)_\w*(URI|URL|AUTHORITY|DISCOVERY)|GMAIL_API_BASE|GRAPH_BASE|STATIC\w+|CELERY_\w+|DEBUG"
    r"|EMAIL_BACKEND|FAILPOINTS|OUTBOUND_(NAMES|ALLOW)|OUTREACH_(DEMO|TESTING|ENV_FILE)|(POSTGRES|KEYSTORE)(_APP)?_PASSWORD|WEB_PORT"
)


def test_it_passes_on_every_setting_of_the_example(root: Path, compose: dict[str, Any]) -> None:
    listed = set(
        re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (root / ".env.example").read_text(), flags=re.MULTILINE)
    )
    passed = set(compose["x-outreach"]["environment"])
    assert {name for name in listed - passed if not re.fullmatch(NOT_PASSED, name)} == set()


def test_it_keeps_data_in_named_volumes(compose: dict[str, Any]) -> None:
    assert set(compose["volumes"]) == {"postgres-data", "keystore-data", "redis-data"}
    mounted = {
        volume.split(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
    }
    assert set(compose["volumes"]) < mounted


def test_it_publishes_on_the_loopback_address_only(compose: dict[str, Any]) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_it_runs_as_no_root(root: Path) -> None:
    assert re.search(r"^USER \d+$", (root / "Dockerfile").read_text(), flags=re.MULTILINE)


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="docker-compose is not on this machine")
@pytest.mark.parametrize("missing", ["", *(name for name in GIVEN)])
def test_it_is_accepted_by_docker_compose_when_nothing_is_missing(
    root: Path, tmp_path: Path, missing: str
) -> None:
    for name in ("docker-compose.yml", "Dockerfile"):
        shutil.copy(root / name, tmp_path)
    given = {name: value for name, value in GIVEN.items() if name != missing}
    said = subprocess.run(
        ["docker-compose", "config"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", **given},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if missing:
        assert said.returncode != 0
        assert f"set {missing}" in said.stderr
    else:
        assert said.returncode == 0, said.stderr


def test_it_lets_nobody_but_the_migrations_in_as_the_owner(compose: dict[str, Any]) -> None:
    for name in ("web", "worker", "beat"):
        environment = compose["services"][name]["environment"]
        for setting in ("DATABASE_URL", "KEYSTORE_URL"):
            assert environment[setting].startswith(f"postgres://{environment['DATABASE_ROLE']}:"), name
    migrate = compose["services"]["migrate"]
    assert migrate["environment"]["DATABASE_URL"].startswith("postgres://outreach:")
    assert "check --deploy --database default --database keystore" in migrate["command"][-1]
