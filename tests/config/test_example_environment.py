"""`.env.example` and the settings name the same variables."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import embedded

# Read by docker-compose.yml, not by the settings.
COMPOSE_ONLY = {
    "POSTGRES_PASSWORD",
    "KEYSTORE_PASSWORD",
    "POSTGRES_APP_PASSWORD",
    "KEYSTORE_APP_PASSWORD",
    "WEB_PORT",
}
REQUIRED = ("SECRET_KEY", "KEYS", "DATABASE_URL", "KEYSTORE_URL")


def names_read(source: str) -> set[str]:
    """The first argument of every `env.something("NAME")`, `env("NAME")` and `os.environ` look-up."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        called = ast.unparse(node.func)
        if re.fullmatch(r"env(\.\w+)?|os\.environ\.\w+|os\.getenv", called):
            found.add(str(node.args[0].value))
    return found


def names_listed(text: str) -> set[str]:
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", text, flags=re.MULTILINE))


def test_it_lists_every_variable_the_settings_read_and_no_other(root: Path) -> None:
    files = [root / "config" / "environment.py", *(root / "config").glob("*settings.py")]
    read = names_read("\n".join(file.read_text() for file in files))
    listed = names_listed((root / ".env.example").read_text())
    assert len(read) > 30
    assert listed - COMPOSE_ONLY == read


def test_it_notices_a_variable_that_is_not_listed() -> None:
    assert names_read('NEW = env.int("BRAND_NEW", default=1)') == {"BRAND_NEW"}


def test_it_explains_every_variable(root: Path) -> None:
    unexplained = []
    comment_above = False
    for line in (root / ".env.example").read_text().splitlines():
        name = re.match(r"^#?([A-Z][A-Z0-9_]+)=", line)
        if name and not comment_above:
            unexplained.append(name[1])
        # Variables that directly follow each other share the line above them.
        comment_above = bool(name and comment_above) or (
            line.startswith("# ") and not line.startswith("# ---")
        )
    # A client's id and secret are explained by the heading of their section.
    assert [name for name in unexplained if "_CLIENT_" not in name] == []


def test_it_carries_no_secret(root: Path) -> None:
    for line in (root / ".env.example").read_text().splitlines():
        name, _, value = line.partition("=")
        if re.fullmatch(r"[A-Z_]*(SECRET|KEKS|PASSWORD|_URL)[A-Z_]*", name) and name != "PUBLIC_BASE_URL":
            assert value == "", name


@pytest.mark.parametrize("missing", REQUIRED)
def test_it_stops_the_start_when_a_required_variable_is_missing(
    root: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.delenv(missing)
    source = compile((root / "config" / "settings.py").read_text(), "settings.py", "exec")
    with pytest.raises(ImproperlyConfigured, match=missing):
        exec(source, {"__file__": str(root / "config" / "settings.py"), "__name__": "probe"})  # noqa: S102


def test_it_points_the_sandbox_at_variables_that_production_uses(root: Path, tmp_path: Path) -> None:
    listed = names_listed((root / ".env.example").read_text())
    own = {"SANDBOX_HTTP_PORT", "SANDBOX_TLS_PORT", "SANDBOX_DIR"}
    libraries = {"REQUESTS_CA_BUNDLE", "OAUTHLIB_INSECURE_TRANSPORT"}
    assert set(embedded.sandbox_environment(1, 2, tmp_path)) - own - libraries - listed == set()
