"""Gmail's answers against the discovery document that google-api-python-client ships."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import googleapiclient
import pytest
import requests

from tests.mailbox.sandbox.conftest import ROOT, Running, base64url, mail

MAYA = "maya@studio.example"
DOCUMENT = json.loads(
    (Path(googleapiclient.__file__).parent / "discovery_cache/documents/gmail.v1.json").read_text()
)
SCHEMAS: dict[str, Any] = DOCUMENT["schemas"]


def check(value: Any, schema: dict[str, Any], where: str) -> None:
    """Every name is in the schema and every value of its type."""
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"]]
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    assert isinstance(value, kinds[schema["type"]]), where
    if isinstance(value, list):
        for one in value:
            check(one, schema["items"], where + "[]")
    if isinstance(value, dict):
        for name, inner in value.items():
            assert name in schema["properties"], f"{where}.{name}"
            check(inner, schema["properties"][name], f"{where}.{name}")


def test_it_answers_in_the_shapes_of_the_discovery_document(sandbox: Running) -> None:
    issued = sandbox.post("grant", provider="google", email=MAYA)
    base = f"{sandbox.http}/gmail/v1/users/me"
    session = requests.Session()
    session.headers["Authorization"] = "Bearer " + issued["access_token"]

    def call(method: str, path: str, schema: str, **options: Any) -> Any:
        answer = session.request(method, base + path, timeout=5, **options)
        assert answer.status_code == 200, answer.text
        check(answer.json(), SCHEMAS[schema], schema)
        return answer.json()

    raw = base64url(mail("ana.silent@site.example", html="<p>Hi</p>"))
    start = call("GET", "/profile", "Profile")["historyId"]
    draft = call("POST", "/drafts", "Draft", json={"message": {"raw": raw}})
    call("GET", f"/drafts/{draft['id']}", "Draft")
    call("PUT", f"/drafts/{draft['id']}", "Draft", json={"message": {"raw": raw}})
    call("GET", "/drafts", "ListDraftsResponse")
    sent = call("POST", "/drafts/send", "Message", json={"id": draft["id"]})
    for format_ in ("full", "metadata", "minimal", "raw"):
        call("GET", f"/messages/{sent['id']}?format={format_}", "Message")
        if format_ != "raw":
            call("GET", f"/threads/{sent['threadId']}?format={format_}", "Thread")
    call("GET", "/messages?q=in:sent", "ListMessagesResponse")
    call("GET", "/threads", "ListThreadsResponse")
    call("GET", f"/history?startHistoryId={start}", "ListHistoryResponse")
    call("GET", "/settings/sendAs", "ListSendAsResponse")
    call("GET", "/labels", "ListLabelsResponse")
    call("POST", "/watch", "WatchResponse", json={"topicName": "projects/p/topics/t"})
    assert session.post(base + "/stop", timeout=5).status_code == 204


def test_it_would_notice_a_foreign_name() -> None:
    with pytest.raises(AssertionError, match=r"Message\.body"):
        check({"id": "1", "body": "x"}, SCHEMAS["Message"], "Message")


def test_it_imports_nothing_of_the_product() -> None:
    foreign = []
    for path in (ROOT / "mailbox" / "sandbox").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                top = name.partition(".")[0]
                product = top in {"accounts", "config", "outreach", "tracking", "django", "celery"}
                if product or (top == "mailbox" and not name.startswith("mailbox.sandbox")):
                    foreign.append(f"{path.name}: {name}")
    assert foreign == []
