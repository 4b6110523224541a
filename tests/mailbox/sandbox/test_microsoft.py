"""MSAL and plain HTTP to Graph against the sandbox."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import msal
import pytest
import requests

from tests.mailbox.sandbox.conftest import Running, mail
from tests.mailbox.sandbox.test_google import CALLBACK, consent

CLIENT = ("sandbox-microsoft", "sandbox-microsoft-secret")
SCOPES = ["Mail.ReadWrite", "Mail.Send", "User.Read"]
NOA = "noa@contoso.example"
KEY = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name OutreachSendKey"


def application(sandbox: Running, cache: Any = None, secret: str = CLIENT[1]) -> Any:
    session = requests.Session()
    session.verify = sandbox.ca
    session.trust_env = False
    return msal.ConfidentialClientApplication(
        CLIENT[0],
        client_credential=secret,
        authority=f"{sandbox.tls}/common",
        instance_discovery=False,
        token_cache=cache,
        http_client=session,
    )


class Graph:
    """Plain HTTP with a bearer token."""

    def __init__(self, sandbox: Running, token: str) -> None:
        self.base = f"{sandbox.tls}/v1.0"
        self.session = requests.Session()
        self.session.verify = sandbox.ca
        self.session.trust_env = False
        self.session.headers.update({"Authorization": f"Bearer {token}", "Prefer": 'IdType="ImmutableId"'})

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        url = path if path.startswith("https://") else self.base + path
        return self.session.request(method, url, timeout=5, **options)

    def get(self, path: str, **options: Any) -> Any:
        answer = self.call("GET", path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def draft(self, to: str = "ana.silent@site.example", **message: Any) -> Any:
        message = {
            "subject": "Hello",
            "body": {"contentType": "html", "content": "<p>Hi <b>Ana</b></p>"},
            "toRecipients": [{"emailAddress": {"name": "Ana", "address": to}}],
            **message,
        }
        answer = self.call("POST", "/me/messages", json=message)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def send(self, draft_id: str) -> int:
        return self.call("POST", f"/me/messages/{draft_id}/send").status_code


def graph(sandbox: Running, email: str = NOA, **grant: Any) -> Graph:
    return Graph(sandbox, sandbox.post("grant", provider="microsoft", email=email, **grant)["access_token"])


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_it_walks_the_code_flow_with_msal(sandbox: Running) -> None:
    cache = msal.SerializableTokenCache()
    app = application(sandbox, cache)
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=CALLBACK)
    result = app.acquire_token_by_auth_code_flow(flow, consent(flow["auth_uri"], "allow", other=NOA))
    assert "error" not in result, result
    claims = result["id_token_claims"]
    assert claims["preferred_username"] == NOA
    assert claims["oid"]
    assert claims["tid"]
    assert Graph(sandbox, result["access_token"]).get("/me")["mail"] == NOA
    again = application(sandbox, cache)
    (account,) = again.get_accounts()
    silent = again.acquire_token_silent_with_error(SCOPES, account=account)
    assert silent["access_token"] == result["access_token"]
    fresh = again.acquire_token_silent_with_error(SCOPES, account=account, force_refresh=True)
    assert fresh["access_token"] != result["access_token"]


def test_it_rotates_the_refresh_token(sandbox: Running) -> None:
    issued = sandbox.post("grant", provider="microsoft", email=NOA)
    cache = msal.SerializableTokenCache()
    cache.deserialize(issued["msal_cache"])
    app = application(sandbox, cache)
    (account,) = app.get_accounts()
    assert account["username"] == NOA
    held = app.acquire_token_silent_with_error(SCOPES, account=account)
    assert held["access_token"] == issued["access_token"]
    app.acquire_token_silent_with_error(SCOPES, account=account, force_refresh=True)
    (kept,) = json.loads(cache.serialize())["RefreshToken"].values()
    assert kept["secret"] != issued["refresh_token"]


def test_it_answers_invalid_grant_after_a_revoke_at_the_provider(sandbox: Running) -> None:
    issued = sandbox.post("grant", provider="microsoft", email=NOA)
    assert sandbox.post("revoke_grant", email=NOA) == {"revoked": 1}
    cache = msal.SerializableTokenCache()
    cache.deserialize(issued["msal_cache"])
    app = application(sandbox, cache)
    result = app.acquire_token_silent_with_error(SCOPES, account=app.get_accounts()[0], force_refresh=True)
    assert (result["error"], "AADSTS50173" in result["error_description"]) == ("invalid_grant", True)
    assert code(Graph(sandbox, issued["access_token"]).call("GET", "/me")) == (
        401,
        "InvalidAuthenticationToken",
    )


@pytest.mark.parametrize(
    ("decision", "error", "words"),
    [("deny", "access_denied", "AADSTS65004"), ("admin", "consent_required", "AADSTS90094")],
)
def test_it_carries_a_refusal_back(sandbox: Running, decision: str, error: str, words: str) -> None:
    app = application(sandbox)
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=CALLBACK)
    result = app.acquire_token_by_auth_code_flow(flow, consent(flow["auth_uri"], decision, other=NOA))
    assert (result["error"], words in result["error_description"]) == (error, True)


def test_it_lets_the_admin_approve(sandbox: Running) -> None:
    query = f"client_id={CLIENT[0]}&state=s&redirect_uri={quote(CALLBACK)}"
    values = consent(f"{sandbox.http}/microsoft/common/adminconsent?{query}", "allow", other=NOA)
    assert (values["admin_consent"], values["state"]) == ("True", "s")
    assert values["tenant"]


def test_it_names_a_wrong_secret_as_the_apps_own_fault(sandbox: Running) -> None:
    app = application(sandbox, secret="wrong")
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=CALLBACK)
    result = app.acquire_token_by_auth_code_flow(flow, consent(flow["auth_uri"], "allow", other=NOA))
    assert (result["error"], "AADSTS7000215" in result["error_description"]) == ("invalid_client", True)


def test_it_keeps_an_unticked_permission_back(sandbox: Running) -> None:
    app = application(sandbox)
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=CALLBACK)
    ticked = ["User.Read", "Mail.ReadWrite", "offline_access"]
    values = consent(flow["auth_uri"], "allow", other=NOA, scope_granted=ticked)
    result = app.acquire_token_by_auth_code_flow(flow, values)
    assert "Mail.Send" not in result["scope"].split()
    client = Graph(sandbox, result["access_token"])
    assert code(client.call("POST", f"/me/messages/{client.draft()['id']}/send")) == (
        403,
        "ErrorAccessDenied",
    )


def test_it_sends_a_draft_and_shows_the_sent_copy(sandbox: Running) -> None:
    client = graph(sandbox)
    made = client.draft(singleValueExtendedProperties=[{"id": KEY, "value": "row-1"}])
    assert made["isDraft"] is True
    assert made["internetMessageId"].endswith("PROD.OUTLOOK.COM>")
    assert client.send(made["id"]) == 202
    sent = client.get(f"/me/messages/{made['id']}?$select=id,isDraft,internetMessageId,parentFolderId")
    assert sent["isDraft"] is False
    assert sent["parentFolderId"] == client.get("/me/mailFolders/sentitems")["id"]
    assert set(sent) >= {"id", "isDraft", "internetMessageId", "parentFolderId"}
    assert client.send(made["id"]) == 404
    (entry,) = sandbox.get("ledger", mailbox=NOA)
    assert (entry["to"], entry["message_id"]) == (["ana.silent@site.example"], made["internetMessageId"])
    assert entry["properties"] == {KEY: "row-1"}


def test_it_finds_the_sent_copy_by_our_own_key(sandbox: Running) -> None:
    client = graph(sandbox)
    for number in range(3):
        made = client.draft(singleValueExtendedProperties=[{"id": KEY, "value": f"row-{number}"}])
        client.send(made["id"])

    def found(key: str, value: str) -> list[Any]:
        wish = f"singleValueExtendedProperties/Any(ep: ep/id eq '{key}' and ep/value eq '{value}')"
        expand = f"singleValueExtendedProperties($filter=id eq '{KEY}')"
        query = {"$filter": wish, "$select": "id,subject", "$expand": expand}
        return list(client.get("/me/mailFolders/sentitems/messages", params=query)["value"])

    (one,) = found(KEY, "row-1")
    assert one["singleValueExtendedProperties"] == [{"id": KEY, "value": "row-1"}]
    assert found(KEY.replace("OutreachSendKey", "outreachsendkey"), "row-1") == []
    assert found(KEY, "row-9") == []


def test_it_answers_in_the_conversation(sandbox: Running) -> None:
    client = graph(sandbox)
    first = client.draft()
    client.send(first["id"])
    answer = client.call("POST", f"/me/messages/{first['id']}/createReply", json={})
    assert answer.status_code == 201
    reply = answer.json()
    assert (reply["subject"], reply["conversationId"]) == ("RE: Hello", first["conversationId"])
    assert reply["toRecipients"][0]["emailAddress"]["address"] == NOA
    patch = {
        "body": {"contentType": "text", "content": "A second word"},
        "toRecipients": [{"emailAddress": {"address": "ana.silent@site.example"}}],
        "singleValueExtendedProperties": [{"id": KEY, "value": "row-2"}],
    }
    assert client.call("PATCH", f"/me/messages/{reply['id']}", json=patch).status_code == 200
    client.send(reply["id"])
    raw = base64.b64decode(sandbox.get("ledger")[-1]["raw"]).decode()
    assert f"In-Reply-To: {first['internetMessageId']}" in raw
    assert f"References: {first['internetMessageId']}" in raw
    both = {"comment": "x", "message": {"body": {"contentType": "text", "content": "y"}}}
    refused = client.call("POST", f"/me/messages/{first['id']}/createReply", json=both)
    assert refused.status_code == 400
    other = client.call("PATCH", f"/me/messages/{client.draft()['id']}", json={"subject": "Else"}).json()
    assert other["conversationId"] != first["conversationId"]


def test_it_refuses_headers_that_are_not_x(sandbox: Running) -> None:
    client = graph(sandbox)
    message = {
        "subject": "s",
        "internetMessageHeaders": [{"name": "List-Unsubscribe", "value": "<http://x>"}],
    }
    assert code(client.call("POST", "/me/messages", json=message)) == (400, "InvalidInternetMessageHeader")
    kept = client.draft(internetMessageHeaders=[{"name": "X-Outreach-Id", "value": "abc"}])
    client.send(kept["id"])
    assert b"X-Outreach-Id: abc" in base64.b64decode(sandbox.get("ledger")[0]["raw"])


def test_it_takes_a_draft_as_mime(sandbox: Running) -> None:
    client = graph(sandbox)
    raw = mail("ana.silent@site.example", headers={"X-Outreach-Id": "k1"})
    headers = {"Content-Type": "text/plain"}
    answer = client.call("POST", "/me/messages", data=base64.b64encode(raw), headers=headers)
    assert answer.status_code == 201
    assert answer.json()["internetMessageId"] == "<ours@outreach.example>"
    assert client.call("GET", f"/me/messages/{answer.json()['id']}/$value").content == raw
    bad = client.call("POST", "/me/messages", data=b"%%%", headers=headers)
    assert code(bad) == (400, "ErrorMimeContentInvalidBase64String")


def test_it_walks_a_folder_and_then_tells_its_changes(sandbox: Running) -> None:
    client = graph(sandbox)
    sandbox.post("accounts", provider="microsoft", email=NOA, private_mails=25)
    select = "$select=id,conversationId,internetMessageId,from,subject,receivedDateTime"
    since = "$filter=receivedDateTime ge 2020-01-01T00:00:00Z"
    path = f"/me/mailFolders/inbox/messages/delta?changeType=created&{select}&{since}"

    def walk(link: str) -> tuple[list[Any], str]:
        seen: list[Any] = []
        while True:
            page = client.get(link, headers={"Prefer": "odata.maxpagesize=8"})
            seen += page["value"]
            if "@odata.deltaLink" in page:
                return seen, str(page["@odata.deltaLink"])
            link = page["@odata.nextLink"]

    first, link = walk(path)
    assert len(first) == 20
    assert walk(link)[0] == []
    for number in range(10):
        sandbox.post("inbound", email=NOA, subject=f"mail {number}", text="x", **{"from": "a@b.example"})
    new, link = walk(link)
    assert sorted(one["subject"] for one in new) == [f"mail {number}" for number in range(10)]
    assert "body" not in new[0]
    assert not [call for call in sandbox.get("calls", mailbox=NOA) if call["full_read"]]
    sandbox.post("expire_history", mailbox=NOA)
    gone = client.call("GET", link)
    assert code(gone) == (410, "SyncStateNotFound")
    assert gone.headers["Location"].endswith("$deltatoken=")
    assert code(client.call("GET", path + " and subject eq 'x'")) == (400, "ErrorInvalidUrlQueryFilter")


def test_it_notes_a_body_read_wherever_a_body_goes_out(sandbox: Running) -> None:
    client = graph(sandbox)
    ids = sandbox.post("accounts", provider="microsoft", email=NOA, private_mails=3)["private"]
    client.get(f"/me/messages/{ids[0]}?$select=id,subject,bodyPreview")
    client.get("/me/messages?$select=id")
    assert not [call for call in sandbox.get("calls", mailbox=NOA) if call["full_read"]]
    client.get(f"/me/messages/{ids[0]}")
    client.get(f"/me/messages/{ids[1]}?$select=id,body")
    client.call("GET", f"/me/messages/{ids[2]}/$value")
    client.get("/me/messages")
    read = [call["message_ids"] for call in sandbox.get("calls", mailbox=NOA) if call["full_read"]]
    assert read[:3] == [[ids[0]], [ids[1]], [ids[2]]]
    assert sorted(read[3]) == sorted(ids)


def test_it_pages_and_filters_messages(sandbox: Running) -> None:
    client = graph(sandbox)
    for number in range(5):
        sandbox.post("inbound", email=NOA, subject=f"mail {number}", text="x", **{"from": "a@b.example"})
    page = client.get("/me/mailFolders/inbox/messages?$top=3&$select=id,subject,conversationId")
    rest = client.get(page["@odata.nextLink"])
    subjects = [one["subject"] for one in page["value"] + rest["value"]]
    assert subjects == [f"mail {number}" for number in (4, 3, 2, 1, 0)]
    assert "@odata.nextLink" not in rest
    conversation = page["value"][0]["conversationId"]
    query = {"$filter": f"conversationId eq '{conversation}'", "$select": "id,subject"}
    assert [one["subject"] for one in client.get("/me/messages", params=query)["value"]] == ["mail 4"]
    bad = {"$filter": f"conversationId eq '{conversation}'", "$orderby": "receivedDateTime"}
    assert code(client.call("GET", "/me/messages", params=bad)) == (400, "InefficientFilter")
    assert code(client.call("GET", "/me/messages?$select=nonsense")) == (400, "RequestBroker--ParseUri")


def test_it_changes_ids_and_moves_late_when_hostile(sandbox: Running) -> None:
    sandbox.post("settings", profile="hostile")
    client = graph(sandbox)
    made = client.draft(singleValueExtendedProperties=[{"id": KEY, "value": "row-1"}])
    answer = client.call("POST", f"/me/messages/{made['id']}/send")
    assert (answer.status_code, answer.headers.get("Retry-After")) == (202, "20")
    assert client.get(f"/me/messages/{made['id']}")["isDraft"] is True
    assert len(sandbox.get("ledger")) == 1
    sandbox.post("clock", advance=300)
    sandbox.wait(lambda: client.call("GET", f"/me/messages/{made['id']}").status_code == 404)
    wish = f"singleValueExtendedProperties/Any(ep: ep/id eq '{KEY}' and ep/value eq 'row-1')"
    query = {"$filter": wish, "$select": "id,internetMessageId"}
    (sent,) = client.get("/me/mailFolders/sentitems/messages", params=query)["value"]
    assert sent["id"] != made["id"]
    assert sent["internetMessageId"] != made["internetMessageId"]
