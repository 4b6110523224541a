"""docs/architecture.md says what is there; and what no module may do is looked for in its source."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator

import pytest

from tests.config.conftest import PACKAGES, ROOT, modules

PAGE = (ROOT / "docs/architecture.md").read_text()
# The only modules that may know the stand-in: itself, and what starts everything on one machine.
SANDBOX = ("mailbox/sandbox/", "config/run.py", "config/embedded.py")
LOGGERS = {"log", "logger"}
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
# What a log line may hold of a value: an id, a stable code, a class's name, the provider's own code.
SAYABLE = {"pk", "id", "reason", "code", "value", "provider", "__name__", "detail"}


def rows_under(heading: str) -> list[str]:
    """The first cells of the table under a heading, without their backticks."""
    part = PAGE.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^\| `([^`]+)`", part, flags=re.MULTILINE)


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in modules(*PACKAGES):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def test_it_lists_every_app_and_no_other() -> None:
    named = re.findall(r"^\| `(\w+)/` \|", PAGE, flags=re.MULTILINE)
    with_code = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert set(named) == set(PACKAGES) == with_code


def test_it_lists_every_stage_and_no_other() -> None:
    stages = {path.stem for path in (ROOT / "outreach/pipeline").glob("*.py")} - {"__init__"}
    assert set(rows_under("A message is a row")) == stages


def test_it_lists_every_contract_and_no_other() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = [contract["id"] for contract in settings["tool"]["importlinter"]["contracts"]]
    assert sorted(rows_under("Borders")) == sorted(contracts)


def test_it_names_only_what_is_there() -> None:
    named = re.findall(r"`([\w/]+/[\w./]*|\w+\.(?:py|toml))`", PAGE)
    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).exists()] == []
    targets = re.findall(r"`make (\w+)`", PAGE)
    makefile = (ROOT / "Makefile").read_text()
    assert [name for name in targets if not re.search(rf"^{name}:", makefile, flags=re.MULTILINE)] == []


def knows_sandbox(tree: ast.Module) -> list[str]:
    """Names and look-up words that only make sense with the stand-in; sentences may speak of it."""
    found = []
    for node in ast.walk(tree):
        words: list[str] = []
        if isinstance(node, ast.Name):
            words = [node.id]
        elif isinstance(node, ast.Attribute):
            words = [node.attr]
        elif isinstance(node, ast.arg):
            words = [node.arg]
        elif isinstance(node, ast.alias):
            words = [node.name]
        elif isinstance(node, ast.ImportFrom):
            words = [node.module or ""]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            words = [node.name]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
            words = [node.value]
        found += [word for word in words if re.search("sandbox|//(127[.]|localhost)", word, re.IGNORECASE)]
    return found


def test_it_has_no_path_that_knows_the_sandbox() -> None:
    """The product reaches its stand-in by settings alone, as it would reach Google and Microsoft."""
    knowing = {
        name: found
        for name, tree in sources()
        if not name.startswith((*SANDBOX, "config/")) and (found := knows_sandbox(tree))
    }
    assert knowing == {}
    # Settings, and what looks at this machine's own server, may name the local host and nothing more.
    local = {"http://localhost:8000", "redis://127.0.0.1:6379/0", "smtp://localhost:25"}
    for name, tree in sources():
        if name.startswith("config/") and not name.startswith(SANDBOX):
            assert [
                word for word in knows_sandbox(tree) if word not in local and "healthz" not in word
            ] == [], name


@pytest.mark.parametrize(
    "planted", ["if settings.SANDBOX: pass", "def sandbox_send(): pass", "BASE = 'http://127.0.0.1:9000'"]
)
def test_it_notices_a_path_that_knows_the_sandbox(planted: str) -> None:
    assert knows_sandbox(ast.parse(planted))


def loose_lines(tree: ast.Module) -> list[str]:
    """Logging calls that say more than ids and codes (threats T13)."""
    found = []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        if ast.unparse(node.func.value) not in LOGGERS or node.func.attr not in LEVELS:
            continue
        form, *values = node.args
        fixed = isinstance(form, ast.Constant)
        kept = all(_is_sayable(value) for value in values)
        extra = any(keyword.arg in ("extra", "stack_info") for keyword in node.keywords)
        if not fixed or not kept or extra:
            found.append(ast.unparse(node))
    return found


def _is_sayable(value: ast.expr) -> bool:
    name = value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""
    return name in SAYABLE


def test_it_logs_ids_and_codes_only() -> None:
    """And the host of an address that a stranger named: a log of what goes out must say where to."""
    loose = {
        name: found
        for name, tree in sources()
        if not name.startswith("mailbox/sandbox/") and (found := loose_lines(tree))
    }
    (line,) = loose.pop("accounts/outbound.py")
    assert line.endswith("purpose.value, host, address, took, outcome)")
    assert loose == {}
    assert any("log.warning" in path.read_text() for path in modules("outreach")), "nothing was looked at"


@pytest.mark.parametrize(
    "planted",
    [
        "log.info(f'sent to {row.to_address}')",
        "log.info('sent to %s', row.to_address)",
        "logger.warning('text %s', message.text)",
        "log.exception(error)",
        "log.error('refused', extra={'body': body})",
    ],
)
def test_it_notices_a_line_with_content(planted: str) -> None:
    assert loose_lines(ast.parse(planted))


def loose_tasks(tree: ast.Module) -> list[str]:
    """Calls that put more than ids into the broker (threats T39, P7)."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called.rpartition(".")[2] in (
            "delay",
            "apply_async",
            "send_task",
        ) and "task.apply_async(ids" not in ast.unparse(node):
            found.append(ast.unparse(node))
        if called.rpartition(".")[2] == "ring" and not all(_is_id(value) for value in node.args[1:]):
            found.append(ast.unparse(node))
    return found


def _is_id(value: ast.expr) -> bool:
    return bool(re.fullmatch(r"str\(([\w.]+\.)?(pk|id|\w+_id)( or '')?\)|\*ids|\w+_id", ast.unparse(value)))


def test_it_gives_tasks_ids_only() -> None:
    assert {name: found for name, tree in sources() if (found := loose_tasks(tree))} == {}


@pytest.mark.parametrize(
    "planted", ["ring(send, str(row.pk), row.text)", "send.delay(row.text)", "app.send_task('x', [text])"]
)
def test_it_notices_a_task_with_content(planted: str) -> None:
    assert loose_tasks(ast.parse(planted))


def trusted_html() -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {line.strip()[:90]}"
        for path in sorted((ROOT / "templates").rglob("*.html"))
        for line in path.read_text().splitlines()
        if re.search(r"\|\s*safe\b|autoescape\s+off|safeseq", line)
    ]


def test_it_trusts_html_at_two_named_places() -> None:
    """A reply's HTML was made safe when it was stored and stands in a closed frame; help texts are ours."""
    assert [line.partition(":")[0] for line in trusted_html()] == [
        "templates/outreach/reply_frame.html",
        "templates/parts/_field.html",
    ]


def test_it_has_no_inline_script_or_style() -> None:
    """The page's policy forbids them; a page that needs one would break in silence."""
    loose = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "templates").rglob("*.html"))
        if re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=\"|javascript:", path.read_text())
    ]
    assert loose == []
