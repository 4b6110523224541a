"""The matrix has teeth: a short run of `make mutants`, and what each removal does to a piece of source."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.mutants.places import ROOT, modules, places_of, without
from tests.mutants.removals import REMOVALS

SOURCE = """
@member(Role.ADMIN)
def view(request, pk):
    row = own_or_404(Mailbox.objects.live(), pk)
    if not request.membership.may(Role.OWNER) or row.owner_id != request.user.pk:
        raise PermissionDenied("no")
    return Membership.objects.filter(user=request.user, pk=pk)
"""


def mutated(kind: str) -> list[str]:
    places = [place for place in places_of(SOURCE, "outreach/views/x.py", []) if place.kind == kind]
    return [ast.unparse(without(SOURCE, place)) for place in places]


@pytest.mark.parametrize(
    ("kind", "gone", "stays"),
    [
        ("guard dropped", "@member", "raise PermissionDenied"),
        ("role lowered", "Role.ADMIN", "@member(Role.VIEWER)"),
        ("may", "not request.membership.may(Role.OWNER) or", "may(Role.OWNER) or True"),
        ("whose", "or row.owner_id != request.user.pk:", "row.owner_id != request.user.pk and False"),
        ("refusal", "raise", "pass"),
        ("own row", "= own_or_404(", "any_or_404"),
        ("filter", "user=request.user", "filter(pk=pk)"),
    ],
)
def test_it_takes_away(kind: str, gone: str, stays: str) -> None:
    (only,) = mutated(kind)
    assert gone not in only
    assert stays in only


def test_it_finds_places_in_every_app() -> None:
    found = [
        place
        for path in modules()
        for place in places_of(path.read_text(), str(path.relative_to(ROOT)), ["accounts.Invitation"])
        if place.kind != "viewpoint"
    ]
    assert len(found) > 200
    assert {place.kind for place in found} == set(REMOVALS) - {"viewpoint"}
    assert len({place.lasting for place in found}) == len(found)


def test_it_gives_each_survivor_a_reason() -> None:
    named = tomllib.loads(Path(ROOT / "tests/mutants/survivors.toml").read_text()).get("survivor", [])
    assert all(len(one["reason"]) > 20 for one in named)
    assert len({one["place"] for one in named}) == len(named)


@pytest.mark.slow
def test_it_notices_a_few_that_are_gone() -> None:
    """The whole has its own target; here a seeded handful is taken away from one module."""
    plain = {name: value for name, value in os.environ.items() if name not in _OURS}
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.mutants", "--short", "--seed", "3"],
        cwd=ROOT,
        env=plain,
        capture_output=True,
        text=True,
        timeout=570,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert " 0 survived" in run.stdout


# The run starts servers of its own.
_OURS = {
    "DATABASE_URL", "KEYSTORE_URL", "REDIS_URL", "OUTREACH_TEST_FOLDER", "OUTREACH_TEST_APP_PASSWORD",
    "PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST",
}  # fmt: skip
