"""Files of a draft at Graph: hung on in one request, or through an upload session in chunks."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from mailbox.sandbox import graph_drafts
from mailbox.sandbox.accounts import Account
from mailbox.sandbox.bearer import graph_account
from mailbox.sandbox.context import SANDBOX
from mailbox.sandbox.mailstore import Stored
from mailbox.sandbox.mime import File
from mailbox.sandbox.refusals import Refusal, json_object

MESSAGE = "/v1.0/me/messages/{id}"
# Graph takes 4 MB in a request, and less than 3 MB of a file in one.
MOST_REQUEST = 4 * 1024 * 1024
MOST_IN_ONE = 3 * 1024 * 1024
MOST_FILE = 150 * 1024 * 1024
STEP = 320 * 1024
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass
class Session:
    """An upload under way."""

    account: Account
    draft: str
    name: str
    content_type: str
    size: int
    got: bytearray = field(default_factory=bytearray)


# By the word in its address, which is all that an upload shows.
_sessions: dict[str, Session] = {}


def routes() -> list[web.RouteDef]:
    return [
        web.post(f"{MESSAGE}/attachments", add),
        web.post(f"{MESSAGE}/attachments/createUploadSession", open_session),
        web.put("/upload/{word}", take_chunk),
    ]


async def add(request: web.Request) -> web.Response:
    account = graph_account(request, "Mail.ReadWrite")
    text = await request.text()
    if len(text) > MOST_REQUEST:
        raise Refusal(413, "ErrorMessageSizeExceeded", "The request is larger than 4 MB.")
    wish = json_object(text, code="BadRequest")
    if wish.get("@odata.type") != "#microsoft.graph.fileAttachment":
        raise Refusal(400, "RequestBodyRead", "An attachment needs its @odata.type.")
    try:
        content = base64.b64decode(str(wish.get("contentBytes", "")), validate=True)
    except binascii.Error:
        raise Refusal(400, "ErrorInvalidRequest", "contentBytes is not base64.") from None
    if len(content) >= MOST_IN_ONE:
        raise Refusal(413, "ErrorAttachmentSizeLimitExceeded", "Use an upload session for this file.")
    file = File(str(wish.get("name") or ""), str(wish.get("contentType") or ""), content)
    return web.json_response(_hung(request, account, _draft(request, account), file), status=201)


async def open_session(request: web.Request) -> web.Response:
    account = graph_account(request, "Mail.ReadWrite")
    item = json_object(await request.text(), code="BadRequest").get("AttachmentItem")
    if not isinstance(item, dict) or item.get("attachmentType") != "file" or not item.get("name"):
        raise Refusal(400, "ErrorInvalidRequest", "AttachmentItem needs attachmentType, name and size.")
    size = int(item.get("size") or 0)
    if not 0 < size <= MOST_FILE:
        raise Refusal(400, "ErrorAttachmentSizeLimitExceeded", "The size is out of range.")
    word = secrets.token_urlsafe(24)
    _sessions[word] = Session(
        account, _draft(request, account).id, str(item["name"]), str(item.get("contentType") or ""), size
    )
    url = f"{request.scheme}://{request.host}/upload/{word}"
    return web.json_response({"uploadUrl": url, "nextExpectedRanges": ["0-"]}, status=201)


async def take_chunk(request: web.Request) -> web.Response:
    """No token is shown here: one that is shown is refused, so that a leak is seen."""
    if "Authorization" in request.headers:
        raise Refusal(401, "InvalidAuthenticationToken", "An upload takes no Authorization header.")
    word = request.match_info["word"]
    session = _sessions.get(word)
    place = _RANGE.fullmatch(request.headers.get("Content-Range", ""))
    if session is None:
        raise Refusal(404, "ErrorItemNotFound", "The upload session was not found.")
    chunk = await request.read()
    begin, end, size = (int(number) for number in place.groups()) if place else (-1, -1, -1)
    last = end + 1 == session.size
    whole = size == session.size and begin == len(session.got) and end - begin + 1 == len(chunk)
    if not whole or len(chunk) > MOST_REQUEST or (not last and len(chunk) % STEP):
        raise Refusal(416, "ErrorInvalidRange", "The range does not follow the one before.")
    session.got += chunk
    if not last:
        return web.json_response({"nextExpectedRanges": [f"{len(session.got)}-"]})
    del _sessions[word]
    draft = request.app[SANDBOX].mail.get(session.account, session.draft)
    if draft is None:
        raise Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    file = File(session.name, session.content_type, bytes(session.got))
    return web.json_response(_hung(request, session.account, draft, file), status=201)


def _hung(request: web.Request, account: Account, draft: Stored, file: File) -> dict[str, Any]:
    graph_drafts.attach(request.app[SANDBOX], account, draft, file)
    return {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "id": secrets.token_urlsafe(16),
        "name": file.name,
        "contentType": file.content_type,
        "size": len(file.content),
    }


def _draft(request: web.Request, account: Account) -> Stored:
    stored = request.app[SANDBOX].mail.get(account, request.match_info["id"])
    if stored is None:
        raise Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    return stored
