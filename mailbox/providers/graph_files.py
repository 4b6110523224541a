"""Files of a draft at Graph: small ones in one request, larger ones through an upload session.

A request holds 4 MB, and a file in it grows by a third (providers.md 7.1). An upload session has an address
of its own that needs no token and is never shown one: it may lie on another host.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from mailbox.errors import Retry
from mailbox.providers import graph_errors
from mailbox.providers.graph_addresses import url_of
from mailbox.providers.graph_messages import PREFER
from mailbox.providers.refusals import refuse
from mailbox.providers.transport import Answer, Line, same_origin
from mailbox.types import OutgoingFile

# Larger ones take a session. Chunks are multiples of 320 KiB, below 4 MB.
MOST_IN_ONE = 2_900_000
CHUNK = 12 * 320 * 1024


def attach(line: Line, path: str, files: Sequence[OutgoingFile]) -> None:
    """Hang `files` on the draft at `path`, in their order. Raises what a request raises."""
    for file in files:
        if len(file.content) <= MOST_IN_ONE:
            _in_one(line, path, file)
        else:
            _in_chunks(line, path, file)


def _in_one(line: Line, path: str, file: OutgoingFile) -> None:
    _post(
        line,
        f"{path}/attachments",
        {
            "@odata.type": "#microsoft.graph.fileAttachment",
            "name": file.name,
            "contentType": file.content_type,
            "contentBytes": base64.b64encode(file.content).decode("ascii"),
        },
    )


def _in_chunks(line: Line, path: str, file: OutgoingFile) -> None:
    size = len(file.content)
    wish = {"attachmentType": "file", "name": file.name, "size": size, "contentType": file.content_type}
    session = _post(line, f"{path}/attachments/createUploadSession", {"AttachmentItem": wish})
    url = str(session.get("uploadUrl", ""))
    if urlsplit(url).scheme != "https" and not same_origin(url, settings.GRAPH_BASE):
        raise Retry("unreadable_answer", "an upload session without a safe address")
    for begin in range(0, size, CHUNK):
        chunk = file.content[begin : begin + CHUNK]
        place = f"bytes {begin}-{begin + len(chunk) - 1}/{size}"
        headers = {"Content-Range": place, "Content-Type": "application/octet-stream"}
        _checked(line.call("PUT", url, body=chunk, headers=headers, bare=True))


def _post(line: Line, path: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {**PREFER, "Content-Type": "application/json"}
    answer = _checked(line.call("POST", url_of(path), body=json.dumps(body).encode(), headers=headers))
    try:
        found = json.loads(answer.body)
    except ValueError as unreadable:
        raise Retry("unreadable_answer", "not JSON") from unreadable
    return found if isinstance(found, dict) else {}


def _checked(answer: Answer) -> Answer:
    if not 200 <= answer.status < 300:
        problem = graph_errors.problem_of(answer.status, answer.headers, answer.body)
        refuse(problem, graph_errors.RULES, once=False)
    return answer
