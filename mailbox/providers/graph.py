"""Microsoft Graph mail, through plain HTTP."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from django.conf import settings

from mailbox.errors import MailboxError, Refused, Retry
from mailbox.providers import graph_cursor, graph_errors, graph_files, graph_messages, likeness, outgoing
from mailbox.providers.base import Gone, Stale
from mailbox.providers.graph_addresses import first_page, in_filter, in_path, in_utc, url_of
from mailbox.providers.graph_cursor import Place
from mailbox.providers.graph_messages import PREFER, SELECT, key_filter
from mailbox.providers.refusals import refuse
from mailbox.providers.retry_after import provider_time
from mailbox.providers.transport import Answer, Line, same_origin
from mailbox.types import (
    Cursor,
    Draft,
    HeaderPage,
    InboundEmail,
    InboundHeader,
    Outcome,
    OutgoingEmail,
    OutgoingFile,
    SentEmail,
    Verdict,
    Watch,
)

logger = logging.getLogger(__name__)
FOLDERS = ("inbox", "junkemail", "sentitems")
PAGE = 100
OVERLAP = timedelta(days=1)
# How often, and how far back beyond the last time, all other folders are looked through.
ELSEWHERE = timedelta(minutes=10)
LAG = timedelta(hours=1)
# Pages differ on the longest time; this one all allow (7.2).
WATCH = timedelta(minutes=4200)
_IDS = "id,isDraft,conversationId,internetMessageId"
_VERSION = f"{_IDS},changeKey"


class Graph:
    """One Microsoft mailbox (providers.md 3.5, 3.7, 7). See base.py for what each verb promises."""

    serial = True  # Four at a time are allowed and punished: one request in flight (7.3).

    def __init__(self, line: Line) -> None:
        self._line = line

    # --- sending ------------------------------------------------------------------------------

    def prepare(self, mail: OutgoingEmail) -> Draft:
        outgoing.check(mail)
        made = self._reply(mail) if mail.thread else None
        if made is None:
            made = self._json("POST", "/me/messages", body=graph_messages.new(mail))
        draft = _draft(made)
        if mail.files:
            draft = self._attach(draft, mail.files)
        self._line.carried = draft.draft_id
        return draft

    def _reply(self, mail: OutgoingEmail) -> dict[str, Any] | None:
        """A draft in the conversation; None where the mail to answer cannot be found any more."""
        assert mail.thread is not None  # noqa: S101
        answered = mail.thread.last_sent_id
        # The change below puts the text in its place. Until then only this word says whose draft it is.
        comment = {"comment": graph_messages.mark(mail.key)}
        try:
            made = self._json("POST", f"/me/messages/{in_path(answered)}/createReply", body=comment)
        except (Gone, Refused):
            # Its id changes when it is moved to an archive; the Message-ID stays.
            found = self._by_message_id(mail.thread.references[-1]) if mail.thread.references else []
            if not found:
                return None
            made = self._json("POST", f"/me/messages/{in_path(found[0]['id'])}/createReply", body=comment)
        draft = _draft(made)
        try:
            change = graph_messages.follow_up(mail, subject=str(made.get("subject", "")))
            return self._json("PATCH", f"/me/messages/{in_path(draft.draft_id)}", body=change)
        except (MailboxError, Gone) as problem:
            # Not yet tagged: the janitor would have to search for its text.
            self._give_up(draft, problem)

    def _attach(self, draft: Draft, files: Sequence[OutgoingFile]) -> Draft:
        """Hang the files on, and see which version that makes; a draft that cannot have them goes."""
        try:
            graph_files.attach(self._line, f"/me/messages/{in_path(draft.draft_id)}", files)
            lying = self._json("GET", f"/me/messages/{in_path(draft.draft_id)}", query={"$select": _VERSION})
        except (MailboxError, Gone) as problem:
            self._give_up(draft, problem)
        return _draft(lying)

    def _give_up(self, draft: Draft, problem: MailboxError | Gone) -> NoReturn:
        """A draft that is half made goes, and the problem goes on: as one to try again where it is gone."""
        try:
            self.discard(draft)
        except (MailboxError, Gone):
            logger.warning("a half made draft may remain after %s", type(problem).__name__)
        if isinstance(problem, Gone):
            raise Retry("draft_gone", str(problem)) from problem
        raise problem

    def submit(self, draft: Draft, *, not_after: float | None) -> SentEmail | None:
        path = f"/me/messages/{in_path(draft.draft_id)}/send"
        answer = self._line.call(
            "POST", url_of(path), body=b"", headers=PREFER, once=True, not_after=not_after
        )
        # The status wins: a 202 with Retry-After is accepted (F7).
        if not 200 <= answer.status < 300:
            refuse(_problem(answer), graph_errors.RULES, once=True)
        return None

    def confirm(
        self, draft: Draft, *, key: str, to_address: str, attempted_at: datetime, provider_id: str
    ) -> SentEmail | None:
        copy = self._look(draft.draft_id)
        if copy is not None and copy.get("isDraft") is False:
            return _sent(copy)
        return next(iter(self._copies(draft, key)), None)

    def outcome(self, draft: Draft, *, key: str, to_address: str, attempted_at: datetime) -> Outcome:
        lying = self._look(draft.draft_id)
        copies = {one.provider_id: one for one in self._copies(draft, key)}
        if lying is not None and lying.get("isDraft") is False:
            copies.setdefault(str(lying["id"]), _sent(lying))
        if copies:
            return Outcome(Verdict.SENT, next(iter(copies.values())), len(copies))
        return Outcome(Verdict.MISSING if lying is None else Verdict.UNSENT)

    def version(self, draft: Draft) -> str:
        lying = self._look(draft.draft_id, "isDraft,changeKey")
        return str(lying.get("changeKey") or "") if lying and lying.get("isDraft") else ""

    def reads_as(self, draft: Draft, mail: OutgoingEmail) -> bool:
        lying = self._look(draft.draft_id, graph_messages.FACE)
        return not lying or not lying.get("isDraft") or graph_messages.face(lying) == likeness.of(mail)

    def _look(self, provider_id: str, select: str = _IDS) -> dict[str, Any] | None:
        try:
            return self._json("GET", f"/me/messages/{in_path(provider_id)}", query={"$select": select})
        except Gone:
            return None

    def _copies(self, draft: Draft, key: str) -> list[SentEmail]:
        """Sent copies by our own key, else by the Message-ID that the draft had."""
        found = self._sent_items(key_filter(key))
        if not found and draft.message_id:
            found = self._by_message_id(draft.message_id)
        return [_sent(one) for one in found]

    def _by_message_id(self, message_id: str) -> list[dict[str, Any]]:
        return self._sent_items(f"internetMessageId eq '{in_filter(message_id)}'")

    def _sent_items(self, filter_: str) -> list[dict[str, Any]]:
        query = {"$filter": filter_, "$select": _IDS, "$top": "10"}
        found = self._json("GET", "/me/mailFolders/sentitems/messages", query=query)
        return [one for one in found.get("value", []) if not one.get("isDraft")]

    def find(self, key: str, *, to_address: str) -> tuple[Draft, ...]:
        found = self._drafts({"$filter": key_filter(key)})
        try:
            # An answer whose second call never came (F3).
            found += self._drafts({"$search": f'"{graph_messages.mark(key)}"'})
        except Refused as refused:
            logger.warning("drafts could not be searched: %s", refused.reason)
        return tuple({one["id"]: _draft(one) for one in found if one.get("isDraft")}.values())

    def _drafts(self, which: dict[str, str]) -> list[dict[str, Any]]:
        query = {**which, "$select": _IDS, "$top": "10"}
        return list(self._json("GET", "/me/mailFolders/drafts/messages", query=query).get("value", []))

    def discard(self, draft: Draft) -> None:
        # The id may by now name the sent copy, which must stay.
        lying = self._look(draft.draft_id)
        if lying is None or not lying.get("isDraft"):
            return
        try:
            self._ask("DELETE", f"/me/messages/{in_path(draft.draft_id)}")
        except Gone:
            pass

    # --- reading ------------------------------------------------------------------------------

    @staticmethod
    def look_again(cursor: Cursor, since: datetime, *, seen: Cursor | None) -> Cursor:
        return graph_cursor.look_again(cursor, since, seen=seen)

    def headers_since(self, cursor: Cursor | None, *, connected_at: datetime) -> HeaderPage:
        place = Place.read(cursor)
        since = connected_at if place.at is None else max(connected_at, place.at - OVERLAP)
        now: datetime | None = None
        found: dict[str, InboundHeader] = {}
        kept: dict[str, str] = {}
        resynced = cursor is None
        for folder in FOLDERS:
            start = place.links.get(folder)
            try:
                shapes, kept[folder] = self._walk(start or first_page(folder, since))
            except (Stale, Gone, Refused):
                if start is None:
                    raise
                # Too old, even while paging: begin anew, from the last good moment (F30).
                resynced = True
                shapes, kept[folder] = self._walk(first_page(folder, since))
            # The oldest moment of the three: what comes meanwhile is seen twice rather than never.
            now = now or provider_time(self._line.last_headers)
            for shape in shapes:
                if "@removed" not in shape and not shape.get("isDraft"):
                    found.setdefault(shape["id"], self._header(shape, own=folder == "sentitems"))
        now = now or since
        # A new connection has nothing behind it.
        swept, places = place.swept or connected_at, place.places
        if now - swept >= ELSEWHERE:
            places = places or self._places()
            for shape in self._elsewhere(max(connected_at, swept - LAG), places):
                found.setdefault(shape["id"], self._header(shape, own=False))
            swept = now
        if place.again:
            places = places or self._places()
            for shape in self._elsewhere(place.again, []):
                own = shape.get("parentFolderId") == places[FOLDERS.index("sentitems")]
                found.setdefault(shape["id"], self._header(shape, own=own))
        headers = tuple(found.values())
        on = Place(now, kept, swept, places, place.newest_with(headers, now))
        return HeaderPage(headers, on.cursor, resynced)

    def _places(self) -> list[str]:
        """The ids of the folders that are walked."""
        asked = (
            self._json("GET", f"/me/mailFolders/{folder}", query={"$select": "id"}) for folder in FOLDERS
        )
        return [str(one.get("id", "")) for one in asked]

    def _elsewhere(self, since: datetime, places: list[str]) -> Iterator[dict[str, Any]]:
        """What came since and lies in none of `places`: a rule moved it before anybody looked."""
        query = {
            "$filter": f"receivedDateTime ge {in_utc(since)}",
            "$orderby": "receivedDateTime desc",
            "$select": f"{SELECT},parentFolderId",
            "$top": str(PAGE),
        }
        for shape in self._pages(url_of("/me/messages", query)):
            if shape.get("parentFolderId") not in places and not shape.get("isDraft"):
                yield shape

    def headers_in(self, thread_id: str) -> tuple[InboundHeader, ...]:
        return self.conversations([thread_id])

    def conversations(self, thread_ids: Sequence[str]) -> tuple[InboundHeader, ...]:
        sent = self._json("GET", "/me/mailFolders/sentitems", query={"$select": "id"}).get("id")
        found: list[InboundHeader] = []
        for thread_id in thread_ids:
            query = {
                "$filter": f"conversationId eq '{in_filter(thread_id)}'",
                "$select": f"{SELECT},parentFolderId",
                "$top": "50",
            }
            for shape in self._pages(url_of("/me/messages", query)):
                if not shape.get("isDraft"):
                    found.append(self._header(shape, own=shape.get("parentFolderId") == sent))
        return tuple(found)

    def _pages(self, url: str) -> Iterator[dict[str, Any]]:
        """What a list holds, page by page."""
        while url:
            if not same_origin(url, settings.GRAPH_BASE):
                logger.error("a link led away from Graph and was not followed")
                raise Retry("foreign_link", after=900)
            answer = _parsed(self._checked(self._line.call("GET", url, headers=PREFER)))
            yield from answer.get("value", [])
            url = str(answer.get("@odata.nextLink", ""))

    def _walk(self, url: str) -> tuple[list[dict[str, Any]], str]:
        """All pages of a delta, and the link to begin with next time."""
        shapes: list[dict[str, Any]] = []
        headers = {"Prefer": f"{PREFER['Prefer']}, odata.maxpagesize={PAGE}"}
        while True:
            if not same_origin(url, settings.GRAPH_BASE):
                logger.error("a link led away from Graph and was not followed")
                raise Retry("foreign_link", after=900)
            answer = _parsed(self._checked(self._line.call("GET", url, headers=headers)))
            shapes += answer.get("value", [])
            if "@odata.deltaLink" in answer:
                return shapes, str(answer["@odata.deltaLink"])
            url = str(answer.get("@odata.nextLink", ""))

    def _header(self, shape: dict[str, Any], *, own: bool) -> InboundHeader:
        if not own and "internetMessageHeaders" not in shape:
            # Whether a delta carries them is not certain; asked for alone they come.
            query = {"$select": "internetMessageHeaders"}
            try:
                more = self._json("GET", f"/me/messages/{in_path(shape['id'])}", query=query)
            except Gone:
                more = {}
            shape = {**shape, "internetMessageHeaders": more.get("internetMessageHeaders", [])}
        return graph_messages.header(shape, own=own)

    def fetch(self, provider_id: str, *, limit: int, header: InboundHeader | None) -> InboundEmail:
        path = f"/me/messages/{in_path(provider_id)}"
        if header is None:
            header = graph_messages.header(self._json("GET", path, query={"$select": SELECT}), own=False)
        answer = self._checked(self._line.call("GET", url_of(f"{path}/$value"), headers=PREFER, limit=limit))
        return InboundEmail(header, answer.body, truncated=answer.truncated)

    def watch(self, known: str, *, to: str, secret: str) -> Watch | None:
        if not to:
            return None
        until = in_utc(datetime.now(UTC) + WATCH)
        if known:
            try:
                # Renewing is authorizing anew as well.
                change = {"expirationDateTime": until}
                return _watch(self._json("PATCH", f"/subscriptions/{in_path(known)}", body=change))
            except Gone:
                pass
        wish = {
            "changeType": "created",
            "notificationUrl": to,
            # Can be named now only (7.2).
            "lifecycleNotificationUrl": to,
            "resource": "/me/mailFolders/inbox/messages",
            "expirationDateTime": until,
            "clientState": secret,
        }
        return _watch(self._json("POST", "/subscriptions", body=wish))

    def probe(self) -> None:
        self._json("GET", "/me/mailFolders/inbox", query={"$select": "id"})

    # --- calling ------------------------------------------------------------------------------

    def _json(
        self, method: str, path: str, *, query: dict[str, str] | None = None, body: Any = None
    ) -> dict[str, Any]:
        return _parsed(self._ask(method, path, query=query, body=body))

    def _ask(
        self, method: str, path: str, *, query: dict[str, str] | None = None, body: Any = None
    ) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        headers = PREFER if data is None else {**PREFER, "Content-Type": "application/json"}
        return self._checked(self._line.call(method, url_of(path, query), body=data, headers=headers))

    def _checked(self, answer: Answer) -> Answer:
        if not 200 <= answer.status < 300:
            refuse(_problem(answer), graph_errors.RULES, once=False)
        return answer


def _problem(answer: Answer) -> Any:
    return graph_errors.problem_of(answer.status, answer.headers, answer.body)


def _parsed(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except ValueError as unreadable:
        raise Retry("unreadable_answer", "not JSON") from unreadable
    if not isinstance(found, dict):
        raise Retry("unreadable_answer", "not an object")
    return found


def _draft(shape: dict[str, Any]) -> Draft:
    try:
        return Draft(
            str(shape["id"]),
            str(shape["conversationId"]),
            str(shape.get("internetMessageId") or ""),
            version=str(shape.get("changeKey") or ""),
        )
    except KeyError as odd:
        raise Retry("unreadable_answer", "draft without ids") from odd


def _sent(shape: dict[str, Any]) -> SentEmail:
    return SentEmail(
        str(shape["id"]), str(shape.get("conversationId", "")), str(shape.get("internetMessageId") or "")
    )


def _watch(shape: dict[str, Any]) -> Watch:
    try:
        until = datetime.fromisoformat(str(shape["expirationDateTime"]))
        return Watch(str(shape["id"]), until if until.tzinfo else until.replace(tzinfo=UTC))
    except (KeyError, ValueError) as odd:
        raise Retry("unreadable_answer", "a subscription without an end") from odd
