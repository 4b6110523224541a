"""A row named by a request is fetched by own_or_404 and in no other way (threats T1)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EDGES = [
    *(ROOT / "accounts/views").glob("*.py"),
    *(ROOT / "outreach/views").glob("*.py"),
    *(ROOT / "outreach/api").glob("*.py"),
    ROOT / "mailbox/views.py",
    ROOT / "config/api.py",
]
LOADS = {"get", "first", "last", "earliest", "latest", "in_bulk", "aget", "afirst"}
BY_ID = {"pk", "id", "pk__in", "id__in", "pk__exact", "id__exact"}
SHORTCUTS = {"get_object_or_404", "aget_object_or_404", "get_list_or_404"}
# Known, and why: file, function, what it loads.
ALLOWED = {
    ("accounts/views/person.py", "profile"): "the person's own row, by the session",
}


def _by_id(node: ast.Call) -> bool:
    """`.get(pk=…)`, `.filter(…_id=…).first()`, `.in_bulk(…)`: a row chosen by a value of somebody's."""
    return any(keyword.arg in BY_ID for keyword in node.keywords)


def _chain(node: ast.expr) -> list[ast.Call]:
    """The calls of `Model.objects.filter(…).order_by(…).first()`, the outermost first."""
    found = []
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        found.append(node)
        node = node.func.value
    return found


def other_doors(source: str, name: str) -> list[str]:
    """Where a module loads a single row by its id without own_or_404."""
    found = []
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef) or (name, function.name) in ALLOWED:
            continue
        for node in ast.walk(function):
            if not isinstance(node, ast.Call):
                continue
            called = node.func
            if isinstance(called, ast.Name) and called.id in SHORTCUTS:
                found.append(f"{name}:{node.lineno} {called.id}")
            if isinstance(called, ast.Attribute) and called.attr in LOADS:
                chain = _chain(node)
                if chain and any(_by_id(call) for call in chain):
                    found.append(f"{name}:{node.lineno} {ast.unparse(node)[:80]}")
    return sorted(set(found))


def test_it_loads_rows_by_id_through_one_door() -> None:
    found = []
    for path in EDGES:
        if path.exists():
            found += other_doors(path.read_text(), str(path.relative_to(ROOT)))
    assert found == []


def test_it_looks_at_every_edge() -> None:
    assert len([path for path in EDGES if path.exists()]) > 30


@pytest.mark.parametrize(
    "planted",
    [
        "Contact.objects.get(pk=pk)",
        "Contact.objects.get(id=request.GET['id'])",
        "get_object_or_404(Contact, pk=pk)",
        "Contact.objects.filter(pk=pk).first()",
        "Contact.objects.filter(pk=request.POST['contact']).select_related('site').get()",
        "QuerySet(Contact).filter(id=pk).order_by('pk').last()",
        "row.replies.filter(pk=uuid.UUID(named)).first()",
        "Contact.objects.filter(pk__in=ids).in_bulk()",
    ],
)
def test_it_notices_another_door(planted: str) -> None:
    source = f"def view(request, pk):\n    return {planted}\n"
    assert len(other_doors(source, "planted.py")) == 1


@pytest.mark.parametrize(
    "fine", ["own_or_404(Contact, pk)", "request.GET.get('page')", "rows.filter(kind='reply').first()"]
)
def test_it_lets_the_rest_be(fine: str) -> None:
    assert other_doors(f"def view(request, pk):\n    return {fine}\n", "planted.py") == []
