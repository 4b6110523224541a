"""Gmail, through google-api-python-client over our own transport."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.conf import settings

from mailbox.errors import Refused, Retry, Uncertain
from mailbox.providers import gmail_errors, inbound, likeness, outgoing
from mailbox.providers import gmail_shapes as shapes
from mailbox.providers.base import Gone, Stale
from mailbox.providers.gmail_calls import Calls
from mailbox.providers.gmail_shapes import Place
from mailbox.providers.refusals import refuse
from mailbox.types import (
    Cursor,
    Draft,
    HeaderPage,
    InboundEmail,
    InboundHeader,
    Outcome,
    OutgoingEmail,
    SentEmail,
    Verdict,
    Watch,
)

# One look costs at most 150 * 20 of the 6,000 units that a user has a minute; sending needs the rest.
MOST_HEADERS = 150
PAGE = 500
JSON_SLACK = 16_384  # What stands around a mail's text in an answer.
# How far the provider's clock may be behind ours when a copy without our tag is judged by its time.
SKEW = timedelta(minutes=2)
OVERLAP = timedelta(days=1)
_TAGS = ["Message-ID", outgoing.KEY_HEADER, "To"]
# Labels of what is no mail that came or left.
UNWANTED = {"DRAFT", "CHAT"}
_RAW = re.compile(rb'"raw"\s*:\s*"([A-Za-z0-9_\-]*)')


class Gmail(Calls):
    """One Gmail mailbox (providers.md 3.4, 3.7, 5). See base.py for what each verb promises."""

    serial = False

    # --- sending ------------------------------------------------------------------------------

    def prepare(self, mail: OutgoingEmail) -> Draft:
        message: dict[str, Any] = {"raw": base64.urlsafe_b64encode(outgoing.as_mime(mail)).decode()}
        thread = mail.thread.thread_id if mail.thread else ""
        try:
            made = self._create(message | ({"threadId": thread} if thread else {}))
        except Gone:
            if not thread:
                raise Retry("no_answer", "404 on a new draft") from None
            # The person deleted the conversation: References still lead the recipient's side to it.
            made = self._create(message)
        try:
            draft = Draft(
                draft_id=made["id"],
                thread_id=made["message"]["threadId"],
                version=str(made["message"].get("id") or ""),
            )
        except (KeyError, TypeError) as odd:
            raise Retry("unreadable_answer", "draft without ids") from odd
        self._line.carried = draft.draft_id
        return draft

    def _create(self, message: dict[str, Any]) -> dict[str, Any]:
        return self._run(self._api.drafts.create(userId="me", body={"message": message}))

    def submit(self, draft: Draft, *, not_after: float | None) -> SentEmail | None:
        request = self._api.drafts.send(userId="me", body={"id": draft.draft_id})
        sent = self._run(request, once=True, not_after=not_after)
        if not sent.get("id"):
            raise Uncertain("unreadable_answer", "a success without an id")
        return SentEmail(str(sent["id"]), str(sent.get("threadId") or draft.thread_id), "")

    def confirm(
        self, draft: Draft, *, key: str, to_address: str, attempted_at: datetime, provider_id: str
    ) -> SentEmail | None:
        if not provider_id:
            return next(iter(self._copies(draft, key, to_address, attempted_at)), None)
        try:
            return shapes.sent_email(self._metadata(provider_id, _TAGS))
        except Gone:
            return None

    def outcome(self, draft: Draft, *, key: str, to_address: str, attempted_at: datetime) -> Outcome:
        try:
            self._run(self._api.drafts.get(userId="me", id=draft.draft_id, format="minimal"))
        except Gone:
            copies = self._copies(draft, key, to_address, attempted_at)
            if copies:
                return Outcome(Verdict.SENT, copies[0], len(copies))
            return Outcome(Verdict.MISSING)
        return Outcome(Verdict.UNSENT)

    def _copies(
        self, draft: Draft, key: str, to_address: str, attempted_at: datetime
    ) -> tuple[SentEmail, ...]:
        """Our mail's sent copies, oldest first: in its conversation where that is known, else by search."""
        sent: list[dict[str, Any]] = []
        if draft.thread_id:
            request = self._api.threads.get(
                userId="me", id=draft.thread_id, format="metadata", metadataHeaders=_TAGS
            )
            try:
                found = self._run(request).get("messages", [])
            except Gone:
                found = []
            sent = [one for one in found if "SENT" in shapes.labels(one)]
        tagged = [one for one in sent if shapes.tag(one) == key]
        if not tagged:
            # Gmail may drop our header. Then only this conversation's mails to the same person, since.
            tagged = [
                one
                for one in sent
                if not shapes.tag(one)
                and shapes.received(one) >= attempted_at - SKEW
                and shapes.is_to(one, to_address)
            ]
        if not tagged:
            after = int((attempted_at - SKEW).timestamp())
            query = f"in:sent to:{to_address} after:{after}"
            listed = self._run(self._api.messages.list(userId="me", q=query, maxResults=20))
            tagged = [one for one in self._each(listed.get("messages", []), _TAGS) if shapes.tag(one) == key]
        return tuple(shapes.sent_email(one) for one in sorted(tagged, key=shapes.received))

    def version(self, draft: Draft) -> str:
        return str(self._draft(draft, "minimal").get("id", ""))

    def reads_as(self, draft: Draft, mail: OutgoingEmail) -> bool:
        lying = self._draft(draft, "raw")
        if not lying:
            return True
        try:
            raw = base64.urlsafe_b64decode(str(lying["raw"]))
        except (KeyError, ValueError) as odd:
            raise Retry("unreadable_answer", "a draft without its text") from odd
        return likeness.of_raw(raw) == likeness.of(mail)

    def _draft(self, draft: Draft, form: str) -> dict[str, Any]:
        """The message in the draft, a new one with each time it is saved; empty where it is gone."""
        try:
            found = self._run(self._api.drafts.get(userId="me", id=draft.draft_id, format=form))
        except Gone:
            return {}
        return cast(dict[str, Any], found.get("message") or {})

    def find(self, key: str, *, to_address: str) -> tuple[Draft, ...]:
        found = self._run(self._api.drafts.list(userId="me", q=f"to:{to_address}", maxResults=50))
        drafts = {one["message"]["id"]: one for one in found.get("drafts", [])}
        candidates = self._each([one["message"] for one in drafts.values()], _TAGS)
        ours = [one for one in candidates if shapes.tag(one) == key]
        return tuple(Draft(drafts[one["id"]]["id"], one["threadId"]) for one in ours)

    def discard(self, draft: Draft) -> None:
        try:
            self._run(self._api.drafts.delete(userId="me", id=draft.draft_id))
        except Gone:
            pass

    # --- reading ------------------------------------------------------------------------------

    @staticmethod
    def look_again(cursor: Cursor, since: datetime, *, seen: Cursor | None) -> Cursor:
        return shapes.look_again(cursor, since, seen=seen)

    def headers_since(self, cursor: Cursor | None, *, connected_at: datetime) -> HeaderPage:
        place = Place.read(cursor)
        if place is not None and not place.since:
            try:
                return self._history(place)
            except (Gone, Stale, Refused):
                pass  # Too old, or no place at all: the gap is searched.
        return self._resync(place, connected_at)

    def _history(self, place: Place) -> HeaderPage:
        # Told before it was there: asked for once more (providers.md 10, 12).
        short: dict[str, dict[str, Any]] = {one: {"id": one} for one in place.late}
        history, page, more = place.history, "", True
        # Behind how many of them each record ends.
        ends: list[tuple[int, str]] = []
        while more:
            request = self._api.history.list(
                userId="me",
                startHistoryId=place.history,
                historyTypes=["messageAdded"],
                maxResults=PAGE,
                **({"pageToken": page} if page else {}),
            )
            answer = self._run(request)
            for record in answer.get("history", []):
                for added in record.get("messagesAdded", []):
                    short.setdefault(added["message"]["id"], added["message"])
                history = str(record["id"])
                ends.append((len(short), history))
                if len(short) >= MOST_HEADERS:
                    break
            else:
                page = answer.get("nextPageToken", "")
                more = bool(page)
                history = history if more else str(answer["historyId"])
                continue
            break
        headers, gone, seen, stopped = self._headers(short.values())
        if stopped is not None:
            history = next((record for count, record in reversed(ends) if count <= seen), "")
            if not history:
                raise stopped
            on = place.behind(headers, gone, self._now(), history=history)
            return HeaderPage(headers, on.cursor, more=True, stopped=stopped)
        on = place.behind(headers, gone, self._now(), history=history, at=self._now())
        if on.again and not more:
            on, more = on.searching(), True
        return HeaderPage(headers, on.cursor, more=more)

    def _resync(self, place: Place | None, connected_at: datetime) -> HeaderPage:
        """Search what the dead cursor missed, newest first, in bounded pieces: the cursor goes on."""
        begun = False
        if place is None or not place.since:
            # The new place first: what comes during the search is seen twice rather than never.
            history = str(self._run(self._api.users.getProfile(userId="me"))["historyId"])
            since = int(connected_at.timestamp())
            if place is not None:
                since = max(since, place.at - int(OVERLAP.total_seconds()))
                since = min(since, place.again or since)
            late, newest = (place.late, place.newest) if place else ((), 0.0)
            place = Place(history, self._now(), since=since, late=late, newest=newest)
        else:
            begun = True
        query = f"after:{place.since} -in:chats" + (f" before:{place.before}" if place.before else "")
        short = [{"id": one} for one in place.late]
        headers: tuple[InboundHeader, ...] = ()
        gone: list[str] = []
        before, page, stopped = place.before, "", None
        # A search counts in whole seconds: a page that reaches no earlier one is turned within this look.
        while before == place.before:
            request = self._api.messages.list(
                userId="me",
                q=query,
                includeSpamTrash=True,
                maxResults=MOST_HEADERS,
                **({"pageToken": page} if page else {}),
            )
            answer = self._run(request)
            found, missing, seen, stopped = self._headers([*short, *answer.get("messages", [])])
            if stopped is not None and seen <= len(short):
                raise stopped
            headers, gone, short = headers + found, gone + missing, []
            page = answer.get("nextPageToken", "")
            if not page and stopped is None:
                break
            if headers:
                # A second of overlap: ids tell doubles apart.
                before = int(min(one.received_at for one in headers).timestamp()) + 1
            if stopped is not None:
                if before == place.before:
                    raise stopped
                on = place.behind(headers, gone, self._now(), since=place.since, before=before)
                return HeaderPage(headers, on.cursor, resynced=True, more=True, stopped=stopped)
        since, before = (place.since, before) if page else (0, 0)
        on = place.behind(headers, gone, self._now(), since=since, before=before)
        if on.again and not page:
            on, begun = on.searching(), True
        # What came since a search of several pieces began is still to be seen.
        return HeaderPage(headers, on.cursor, resynced=True, more=bool(page) or begun)

    def headers_in(self, thread_id: str) -> tuple[InboundHeader, ...]:
        return ()  # History knows every label, also those that a filter sets.

    def conversations(self, thread_ids: Sequence[str]) -> tuple[InboundHeader, ...]:
        found: list[dict[str, Any]] = []
        for thread_id in thread_ids:
            request = self._api.threads.get(
                userId="me", id=thread_id, format="metadata", metadataHeaders=list(inbound.WANTED)
            )
            try:
                found += self._run(request).get("messages", [])
            except Gone:
                continue
        return tuple(shapes.header(one) for one in found if not UNWANTED & set(shapes.labels(one)))

    def _headers(
        self, short: Iterable[dict[str, Any]]
    ) -> tuple[tuple[InboundHeader, ...], list[str], int, Retry | None]:
        """Of mails that a list names, those that came or left, and the ids of what is not there.

        And how many were looked at until the failure that ended it, if one did.
        """
        found, gone, seen = list[InboundHeader](), list[str](), 0
        for one in short:
            if not UNWANTED & set(shapes.labels(one)):
                try:
                    mail = self._metadata(one["id"], list(inbound.WANTED))
                except Gone:
                    gone.append(str(one["id"]))
                except Retry as failed:
                    if not seen or not inbound.may_go_on(failed, self._line.last_headers):
                        raise
                    return tuple(found), gone, seen, failed
                else:
                    if not UNWANTED & set(shapes.labels(mail)):
                        found.append(shapes.header(mail))
            seen += 1
        return tuple(found), gone, seen, None

    def fetch(self, provider_id: str, *, limit: int, header: InboundHeader | None) -> InboundEmail:
        header = header or shapes.header(self._metadata(provider_id, list(inbound.WANTED)))
        request = self._api.messages.get(userId="me", id=provider_id, format="raw")
        answer = self._line.call(
            "GET", request.uri, headers=request.headers, limit=limit * 4 // 3 + JSON_SLACK
        )
        if answer.status != 200:
            problem = gmail_errors.problem_of(answer.status, answer.headers, answer.body)
            refuse(problem, gmail_errors.RULES, once=False)
        found = _RAW.search(answer.body)
        if found is None:
            raise Retry("unreadable_answer", "a mail without its text")
        text = found.group(1)
        text = text[: len(text) // 4 * 4] if answer.truncated else text + b"=" * (-len(text) % 4)
        raw = base64.urlsafe_b64decode(text)
        return InboundEmail(header, raw[:limit], truncated=answer.truncated or len(raw) > limit)

    def watch(self, known: str, *, to: str, secret: str) -> Watch | None:
        if not settings.GOOGLE_PUSH_TOPIC:
            return None
        # What we send is no news. What a filter files away is found by the poll, which is no filter's.
        wish = {
            "topicName": settings.GOOGLE_PUSH_TOPIC,
            "labelIds": ["INBOX", "SPAM"],
            "labelFilterBehavior": "include",
        }
        made = self._run(self._api.users.watch(userId="me", body=wish))
        try:
            return Watch("", datetime.fromtimestamp(int(made["expiration"]) / 1000, UTC))
        except (KeyError, ValueError, OverflowError) as odd:
            raise Retry("unreadable_answer", "a watch without an end") from odd

    def probe(self) -> None:
        self._run(self._api.users.getProfile(userId="me"))
