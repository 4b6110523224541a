"""What is taken away: for each kind of check, how it is known in a syntax tree and what stands there without.

A removal only ever permits more. Names stay in use, so that what is left compiles.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

# Filters by whose a row is. Within a workspace and a person's own rows, other filters choose; these permit.
WHOSE = {"user", "owner", "workspace", "workspace__slug", "workspace__sid", "membership", "memberships__user"}
REFUSALS = {
    "PermissionDenied", "ForeignWorkspace", "NoWorkspace", "OtherProject",
    "BadCredential", "NotAuthenticated",
}  # fmt: skip
# Somebody who is looked at: what they may do lets nobody in.
OTHERS = {"them", "row", "target"}
# Where a 404, or an early answer, is itself the refusal; among the keys an answer that names the reason.
# Elsewhere a 404 says that there is no such thing.
DOORS = {
    "accounts/access.py", "accounts/middleware.py", "accounts/apikeys/callers.py", "accounts/keys.py",
    "accounts/staff/access.py",
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    what: str
    detail: str = ""


@dataclass(frozen=True)
class Removal:
    find: Callable[[ast.AST, str, list[str]], Iterator[Found]]
    make: Callable[[Any, Found], ast.AST]


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _statement(text: str) -> ast.stmt:
    return ast.parse(text).body[0]


def _called(node: ast.AST) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


# --- decorators -----------------------------------------------------------------------------------------


def _guards(node: ast.AST, path: str, _: list[str]) -> Iterator[Found]:
    if isinstance(node, ast.FunctionDef):
        for number, one in enumerate(node.decorator_list):
            text = ast.unparse(one)
            if text.startswith("member(") or text in ("signed_in", "login_required", "access.operator"):
                yield Found(f"@{text} on {node.name}", str(number))


def _unguarded(node: ast.FunctionDef, found: Found) -> ast.AST:
    del node.decorator_list[int(found.detail)]
    return node


def _high_guards(node: ast.AST, path: str, labels: list[str]) -> Iterator[Found]:
    for found in _guards(node, path, labels):
        if found.what.startswith("@member(") and "Role.VIEWER" not in found.what:
            yield found


def _lowered(node: ast.FunctionDef, found: Found) -> ast.AST:
    number = int(found.detail)
    node.decorator_list[number] = ast.copy_location(
        _expression("member(Role.VIEWER)"), node.decorator_list[number]
    )
    return node


# --- questions ------------------------------------------------------------------------------------------


def _asked(node: ast.AST, path: str, _: list[str]) -> Iterator[Found]:
    who = _called(node).rpartition(".")[0]
    if (_called(node).endswith(".may") and who not in OTHERS) or _called(node) == "may_act_on":
        yield Found(ast.unparse(node))


def _whose(node: ast.AST, path: str, _: list[str]) -> Iterator[Found]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        text = ast.unparse(node)
        if isinstance(node.ops[0], ast.Eq | ast.NotEq | ast.GtE | ast.LtE) and any(
            word in text for word in (".rank", "owner_id", "request.user.pk")
        ):
            yield Found(text)


def _granted(node: ast.expr, _: Found) -> ast.AST:
    """Asked as before, and the answer is yes."""
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.NotEq):
        return ast.BoolOp(ast.And(), [node, ast.Constant(False)])
    return ast.BoolOp(ast.Or(), [node, ast.Constant(True)])


# --- refusals -------------------------------------------------------------------------------------------


def _refused(node: ast.AST, path: str, _: list[str]) -> Iterator[Found]:
    if isinstance(node, ast.Raise) and node.exc is not None:
        name = ast.unparse(node.exc).partition("(")[0].rpartition(".")[2]
        if name in REFUSALS or (name == "Http404" and path in DOORS):
            yield Found(ast.unparse(node.exc)[:90])


def _answered(node: ast.AST, path: str, _: list[str]) -> Iterator[Found]:
    if path not in DOORS or not isinstance(node, ast.If) or not isinstance(node.body[-1], ast.Return):
        return
    given = node.body[-1].value
    if path != "accounts/keys.py" or (isinstance(given, ast.Constant) and isinstance(given.value, str)):
        yield Found(f"if {ast.unparse(node.test)}")


def _never(node: ast.If, _: Found) -> ast.AST:
    node.test = ast.BoolOp(ast.And(), [node.test, ast.Constant(False)])
    return node


def _nothing(node: ast.AST, _: Found) -> ast.AST:
    return ast.Pass()


# --- rows -----------------------------------------------------------------------------------------------


def _fetched(node: ast.AST, path: str, _: list[str]) -> Iterator[Found]:
    if _called(node) == "own_or_404":
        yield Found(ast.unparse(node))


def _fetched_anyhow(node: ast.Call, _: Found) -> ast.AST:
    node.func = _expression("__import__('tests.mutants.bypass', fromlist=['x']).any_or_404")
    return node


def _filtered(node: ast.AST, path: str, _: list[str]) -> Iterator[Found]:
    if isinstance(node, ast.Call) and _called(node).rpartition(".")[2] in ("filter", "get", "exclude", "Q"):
        for one in node.keywords:
            if one.arg in WHOSE:
                yield Found(f"{one.arg}={ast.unparse(one.value)}", one.arg)


def _unfiltered(node: ast.Call, found: Found) -> ast.AST:
    node.keywords = [one for one in node.keywords if one.arg != found.detail]
    return node


def _managed(node: ast.AST, path: str, labels: list[str]) -> Iterator[Found]:
    if path == "accounts/tenancy.py" and isinstance(node, ast.FunctionDef) and node.name == "get_queryset":
        yield from (Found(f"the manager of {label}", label) for label in labels)


def _unmanaged(node: ast.FunctionDef, found: Found) -> ast.AST:
    node.body.insert(
        0,
        _statement(f"if self.model._meta.label == {found.detail!r}: return super().get_queryset()"),
    )
    return node


def _narrowed(node: ast.AST, path: str, labels: list[str]) -> Iterator[Found]:
    if path == "accounts/viewpoint.py" and isinstance(node, ast.FunctionDef) and node.name == "narrowing":
        from django.apps import apps

        for label in labels:
            model = apps.get_model(label)
            if isinstance(getattr(model, "project_path", None), str):
                yield Found(f"the projects of {label}", f"projects {label}")
            if getattr(model, "mailbox_path", None):
                yield Found(f"the mailboxes of {label}", f"mailboxes {label}")


def _unnarrowed(node: ast.FunctionDef, found: Found) -> ast.AST:
    part, _, label = found.detail.partition(" ")
    for one in ast.walk(node):
        if isinstance(one, ast.If) and part in ast.unparse(one.test):
            one.test = ast.BoolOp(ast.And(), [one.test, _expression(f"model._meta.label != {label!r}")])
            return node
    raise LookupError(f"narrowing() does not ask for {part}: say in tests/mutants/removals.py what it does")


def _claimed(node: ast.AST, path: str, _: list[str]) -> Iterator[Found]:
    if isinstance(node, ast.Expr) and _called(node.value) in ("_claim", "viewpoint.refuse_other_project"):
        yield Found(ast.unparse(node))


def _seen_as(node: ast.AST, path: str, _: list[str]) -> Iterator[Found]:
    if _called(node) == "looking_as":
        yield Found(ast.unparse(node))


def _seen_whole(node: ast.AST, _: Found) -> ast.AST:
    return _expression("__import__('contextlib').nullcontext()")


# --- the API --------------------------------------------------------------------------------------------


def _scoped(node: ast.AST, path: str, _: list[str]) -> Iterator[Found]:
    if isinstance(node, ast.Call) and _called(node) == "Policy.member" and node.keywords:
        yield Found(f"the scope of {ast.unparse(node)}", "scope")


def _ranked(node: ast.AST, path: str, _: list[str]) -> Iterator[Found]:
    if not isinstance(node, ast.Call) or _called(node) != "Policy.member":
        return
    if ast.unparse(node.args[0]) not in ("Role.VIEWER", "least"):
        yield Found(f"the role of {ast.unparse(node)}")


def _for_viewers(node: ast.Call, _: Found) -> ast.AST:
    node.args[0] = _expression("Role.VIEWER")
    return node


REMOVALS: dict[str, Removal] = {
    "guard dropped": Removal(_guards, _unguarded),
    "role lowered": Removal(_high_guards, _lowered),
    "may": Removal(_asked, _granted),
    "whose": Removal(_whose, _granted),
    "refusal": Removal(_refused, _nothing),
    "early answer": Removal(_answered, _never),
    "own row": Removal(_fetched, _fetched_anyhow),
    "filter": Removal(_filtered, _unfiltered),
    "manager": Removal(_managed, _unmanaged),
    "viewpoint": Removal(_narrowed, _unnarrowed),
    "claim": Removal(_claimed, _nothing),
    "looking": Removal(_seen_as, _seen_whole),
    "scope": Removal(_scoped, _unfiltered),
    "policy role": Removal(_ranked, _for_viewers),
}
