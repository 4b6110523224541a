"""Every place in the source where something is permitted or refused, and the product without it.

A place is one node of a module's syntax tree. Found in the source, never listed: a new check is a new place.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.removals import REMOVALS, Found

ROOT = Path(__file__).resolve().parents[2]
APPS = ("accounts", "mailbox", "outreach", "tracking", "config")
# The stand-in for the providers, the demo's rows and commands of an operator answer no visitor.
NOT_SERVED = {"migrations", "sandbox", "demo", "management"}


@dataclass(frozen=True)
class Place:
    """`first_line` is that of the function around it as the interpreter counts it; 0 outside of one."""

    path: str
    line: int
    kind: str
    what: str
    node: int
    detail: str
    first_line: int

    @property
    def name(self) -> str:
        return f"{self.path}:{self.line} {self.kind}: {self.what}"

    @property
    def lasting(self) -> str:
        """The same without the line, for the list of survivors."""
        return f"{self.path} {self.kind}: {self.what}"


def modules() -> Iterator[Path]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if not NOT_SERVED & set(path.relative_to(ROOT).parts):
                yield path


def every_place(labels: list[str]) -> list[Place]:
    """`labels` are those of the tenant models: the manager is one place for each of them."""
    found = []
    for path in modules():
        found += places_of(path.read_text(), str(path.relative_to(ROOT)), labels)
    return found


def places_of(source: str, path: str, labels: list[str]) -> list[Place]:
    tree = ast.parse(source)
    around = _functions(tree)
    found = []
    for number, node in enumerate(ast.walk(tree)):
        for kind, removal in REMOVALS.items():
            for hit in removal.find(node, path, labels):
                first = around.get(node, 0)
                found.append(Place(path, node.lineno, kind, hit.what, number, hit.detail, first))  # type: ignore[attr-defined]
    return _told_apart(found)


def without(source: str, place: Place) -> ast.Module:
    """The module as it would be if this one check were not there."""
    tree = ast.parse(source)
    node = list(ast.walk(tree))[place.node]
    made = REMOVALS[place.kind].make(node, Found(place.what, place.detail))
    if made is not node:
        _replace(tree, node, made)
    return ast.fix_missing_locations(tree)


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list) and any(one is old for one in value):
                value[:] = [new if one is old else one for one in value]


def _functions(tree: ast.Module) -> dict[ast.AST, int]:
    """Node → the first line of the innermost function around it, its decorators counted."""
    found: dict[ast.AST, int] = {}

    def walk(node: ast.AST, first: int) -> None:
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        found[node] = first
        for child in ast.iter_child_nodes(node):
            walk(child, first)

    walk(tree, 0)
    return found


def _told_apart(places: list[Place]) -> list[Place]:
    """Two places of a module with the same words get a number, so that each can be named."""
    seen: dict[str, int] = {}
    found = []
    for place in places:
        seen[place.lasting] = nth = seen.get(place.lasting, 0) + 1
        what = f"{place.what} #{nth}" if nth > 1 else place.what
        found.append(Place(**{**place.__dict__, "what": what}))
    return found
