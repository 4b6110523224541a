"""Requests made up from the API's own description, by visitors of two workspaces, held against an oracle.

schemathesis makes requests that fit the description and ones that do not, and holds each answer against it;
what is allowed comes from the tables here, which are written by hand and know nothing of the code. The run is
seeded: the same number of examples gives the same requests.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
# Operation → the scope that a key needs; "" where any key that works will do.
SCOPES = {
    "me": "",
    "list_workspaces": "read",
    "get_workspace": "read",
    "list_projects": "read",
    "get_project": "read",
    "list_contacts": "read",
    "get_contact": "read",
    "add_contact": "contacts:write",
    "list_mailboxes": "read",
    "get_mailbox": "read",
    "list_campaigns": "read",
    "get_campaign": "read",
    "launch_campaign": "campaigns:launch",
    "list_campaign_messages": "read",
    "explain_message": "read",
    **dict.fromkeys(["list_groups", "get_group"], "read"),
    **dict.fromkeys(["add_group", "rename_group", "delete_group"], "contacts:write"),
    **dict.fromkeys(["put_into_group", "take_out_of_group"], "contacts:write"),
    "list_texts": "read",
    "add_text": "library:write",
    "get_text": "read",
    "change_text": "library:write",
    "delete_text": "library:write",
    **dict.fromkeys(["check_campaign", "list_steps", "get_step"], "read"),
    **dict.fromkeys(["list_imports", "get_import", "list_import_rejects"], "read"),
    **dict.fromkeys(["begin_import", "match_import", "store_import"], "contacts:write"),
    **dict.fromkeys(["cancel_import", "undo_import"], "contacts:write"),
    **dict.fromkeys(["list_campaign_people", "get_campaign_person"], "read"),
    **dict.fromkeys(["add_campaign", "change_campaign", "delete_campaign"], "campaigns:write"),
    **dict.fromkeys(["pause_campaign", "resume_campaign", "cancel_campaign"], "campaigns:write"),
    **dict.fromkeys(["write_step", "delete_step", "add_campaign_people"], "campaigns:write"),
    **dict.fromkeys(["take_out_campaign_person", "pause_campaign_person"], "campaigns:write"),
    **dict.fromkeys(["resume_campaign_person", "skip_campaign_step"], "campaigns:write"),
}
# Operation → the kind of row that its id names.
NAMES = {
    "get_workspace": "workspace",
    "get_project": "project",
    "get_contact": "contact",
    "get_mailbox": "mailbox",
    "get_campaign": "campaign",
    "launch_campaign": "campaign",
    "list_campaign_messages": "running",
    "explain_message": "message",
    **dict.fromkeys(["get_group", "rename_group", "delete_group"], "group"),
    **dict.fromkeys(["put_into_group", "take_out_of_group"], "group"),
    "get_text": "text",
    "change_text": "text",
    "delete_text": "text",
    **dict.fromkeys(["check_campaign", "change_campaign", "delete_campaign", "cancel_campaign"], "campaign"),
    **dict.fromkeys(["list_steps", "get_step", "write_step", "delete_step"], "campaign"),
    **dict.fromkeys(["get_import", "list_import_rejects", "match_import"], "import"),
    **dict.fromkeys(["store_import", "cancel_import", "undo_import"], "import"),
    **dict.fromkeys(["pause_campaign", "resume_campaign"], "running"),
    **dict.fromkeys(["list_campaign_people", "add_campaign_people"], "running"),
    **dict.fromkeys(["get_campaign_person", "take_out_campaign_person", "skip_campaign_step"], "running"),
    **dict.fromkeys(["pause_campaign_person", "resume_campaign_person"], "running"),
}
# What a further argument names, beside a row that is there.
FURTHER = {"person": "person", "position": 1}
# What a viewer does not see although it changes nothing.
NOT_FOR_VIEWERS = {"list_imports", "get_import", "list_import_rejects"}
# The body is looked at before the row.
BODY_FIRST = {
    "put_into_group",
    "take_out_of_group",
    "launch_campaign",
    "add_campaign_people",
    "skip_campaign_step",
}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_IDS = {
    "id": _UUID,
    "person": _UUID,
    "position": re.compile(r"[0-9]+"),
    "sid": re.compile(r"WS[0-9a-f]{32}"),
}
MOST_FINDINGS = 30


@dataclass(frozen=True)
class Visitor:
    """`works`: whether the credential is good at all. A session without a page's token may `read`."""

    name: str
    headers: dict[str, str]
    home: str
    scopes: frozenset[str] = frozenset()
    works: bool = True
    views_only: bool = False
    cookies: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """Two workspaces: a word that stands in every row of each, and the ids of its rows by kind."""

    words: dict[str, str]
    ids: dict[str, dict[str, str]]
    visitors: list[Visitor]


@dataclass
class Report:
    """What a run did. `findings` are sentences; none when all is well."""

    examples: int = 0
    operations: set[str] = field(default_factory=set)
    statuses: dict[int, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    processor: float = 0.0

    def note(self, sentence: str) -> None:
        if sentence not in self.findings and len(self.findings) < MOST_FINDINGS:
            self.findings.append(sentence)

    def __str__(self) -> str:
        counts = ", ".join(f"{status}: {count:,}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.examples:,} examples over {len(self.operations)} operations in {self.seconds:.0f} s "
            f"({self.processor:.0f} s of one processor); "
            f"{len(self.findings)} findings; answers {counts}"
        )


def allowed(visitor: Visitor, operation: str, whose: str) -> set[int] | None:
    """The only statuses that the policy leaves; None where the visitor may, and the row is theirs or made up.

    `whose` is the workspace that the named row belongs to, "nobody" for an id of the right form that is made
    up, "malformed" for one of the wrong form, "" where no row is named.
    """
    if whose == "malformed":
        return {404}
    if not visitor.works:
        return {401}
    scope = SCOPES[operation]
    if (scope and scope not in visitor.scopes) or (visitor.views_only and operation in NOT_FOR_VIEWERS):
        return {403}
    if whose and whose != visitor.home:
        return {400, 404, 415} if operation in BODY_FIRST else {400, 404}
    return None


def run(world: World, *, examples: int, only: Collection[str] = (), number: int = 1) -> Report:
    """So many requests in all, spread over the operations and over fitting and unfitting ones."""
    with _connections_stay_open():
        return _run(world, examples=examples, only=only, number=number)


@contextmanager
def _connections_stay_open() -> Iterator[None]:
    """A test's transaction spans its requests: none of them may end the connection, as a server's would."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


def _run(world: World, *, examples: int, only: Collection[str], number: int) -> Report:
    schema = schemathesis.openapi.from_wsgi("/api/schema/", get_wsgi_application())
    schema.config.generation.update(with_security_parameters=False)
    report, began, worked = Report(), time.monotonic(), time.process_time()
    operations = [cast("Any", found).ok() for found in schema.get_all_operations()]
    named = {operation.definition.raw["operationId"]: operation for operation in operations}
    if set(named) != set(SCOPES):
        report.note(f"the tables do not name the same operations: {sorted(set(named) ^ set(SCOPES))}")
    wanted = sorted(set(named) & set(SCOPES) & (set(only) or set(named)))
    runs = [(name, mode) for name in wanted for mode in schemathesis.GenerationMode]
    for place, (name, mode) in enumerate(runs):
        share = examples // len(runs) + (place < examples % len(runs))
        if share and (mode.is_positive or _can_be_wrong(named[name])):
            _walk(world, named[name], name, mode, share, number + place, report)
        elif share:
            _walk(
                world, named[name], name, schemathesis.GenerationMode.POSITIVE, share, number + place, report
            )
    report.seconds, report.processor = time.monotonic() - began, time.process_time() - worked
    return report


def _can_be_wrong(operation: Any) -> bool:
    """Whether anything of the request can fail to fit: an operation without parameters takes everything."""
    return bool(operation.path_parameters or operation.query or operation.body)


def _walk(
    world: World, operation: Any, name: str, mode: Any, examples: int, number: int, report: Report
) -> None:
    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operation.as_strategy(generation_mode=mode),
        visitor=st.sampled_from(world.visitors),
        home=st.sampled_from(sorted(world.ids)),
        real=st.integers(0, 3),
        _=st.integers(0, 10**6),
    )
    def one(case: Any, visitor: Visitor, home: str, real: int, _: int) -> None:
        whose = _place(world, case, name, home if real else "")
        report.examples += 1
        report.operations.add(name)
        # What a request did is taken back: each meets the same rows.
        with transaction.atomic():
            answer = case.call(headers=visitor.headers, cookies=visitor.cookies)
            transaction.set_rollback(True)
        report.statuses[answer.status_code] = report.statuses.get(answer.status_code, 0) + 1
        _judge(world, case, name, visitor, whose, answer, report)

    one()


def _place(world: World, case: Any, name: str, home: str) -> str:
    """Name a real row of `home` where the id fits at all; whose row is named now (see `allowed`)."""
    if name not in NAMES:
        return ""
    given = case.path_parameters
    if not all(_IDS[argument].fullmatch(str(text)) for argument, text in given.items()):
        return "malformed"
    if not home:
        return "nobody"
    ids = world.ids[home]
    for argument in given:
        further = FURTHER.get(argument, NAMES[name])
        given[argument] = ids[further] if isinstance(further, str) else further
    return home


def _judge(
    world: World, case: Any, name: str, visitor: Visitor, whose: str, answer: Any, report: Report
) -> None:
    where = f"{case.method} {name} as {visitor.name}"
    try:
        case.validate_response(answer, checks=CHECKS)
    except (Failure, FailureGroup) as wrong:
        causes = wrong.exceptions if isinstance(wrong, FailureGroup) else [wrong]
        for cause in causes:
            what = str(cause).splitlines()[0]
            report.note(f"{case.method} {name}: {answer.status_code}, {what}: {case.body!r:.200}")
    statuses = allowed(visitor, name, whose)
    if statuses is not None and answer.status_code not in statuses:
        report.note(f"{where}: {answer.status_code}, and the policy leaves {sorted(statuses)}")
    if statuses is None and answer.status_code in (401, 403):
        report.note(f"{where}: refused with {answer.status_code}, and the policy allows it")
    if statuses is None and whose == visitor.home and whose and answer.status_code == 404:
        report.note(f"{where}: a row of its own is not found")
    text = answer.content.decode(errors="replace").lower()
    for home, word in world.words.items():
        if word in text and (home != visitor.home or not visitor.works):
            report.note(f"{where}: words of the other workspace")
