"""The real Google client libraries against the sandbox."""

from __future__ import annotations

import base64
import os
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.oauth2 import id_token
from google.oauth2.credentials import Credentials
from google_auth_oauthlib.flow import Flow
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from tests.mailbox.sandbox.conftest import Running, base64url, mail

CLIENT = ("sandbox-google", "sandbox-google-secret")
PREFIX = "https://www.googleapis.com/auth/"
SCOPES = ["openid", PREFIX + "userinfo.email", PREFIX + "gmail.compose", PREFIX + "gmail.readonly"]
CALLBACK = "http://127.0.0.1:9999/callback"
MAYA = "maya@studio.example"


@pytest.fixture(autouse=True)
def relaxed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


def flow(sandbox: Running, verifier: str | None = None) -> Flow:
    client = {
        "client_id": CLIENT[0],
        "client_secret": CLIENT[1],
        "auth_uri": f"{sandbox.http}/google/o/oauth2/v2/auth",
        "token_uri": f"{sandbox.http}/google/token",
    }
    made: Flow = Flow.from_client_config(
        {"web": client}, scopes=SCOPES, redirect_uri=CALLBACK, code_verifier=verifier
    )
    return made


def consent(url: str, decision: str, **fields: Any) -> dict[str, str]:
    """Answer the consent page as a browser would and return what the redirect carries."""
    shown = requests.get(url, timeout=5)
    assert shown.status_code == 200, shown.text
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', shown.text))
    scopes = re.findall(r'name="scope_granted" value="([^"]+)"', shown.text)
    data: dict[str, Any] = {name: value.replace("&amp;", "&") for name, value in hidden.items()}
    data |= {"decision": decision, "scope_granted": scopes, **fields}
    answer = requests.post(url.partition("?")[0], data=data, allow_redirects=False, timeout=5)
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(CALLBACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def gmail(sandbox: Running, email: str = MAYA, **grant: Any) -> Any:
    issued = sandbox.post("grant", provider="google", email=email, **grant)
    return service(sandbox, issued["refresh_token"])


def service(sandbox: Running, refresh_token: str) -> Any:
    uri = f"{sandbox.http}/google/token"
    credentials = Credentials(
        None, refresh_token=refresh_token, token_uri=uri, client_id=CLIENT[0], client_secret=CLIENT[1]
    )  # type: ignore[no-untyped-call]
    options = {"api_endpoint": sandbox.http}
    return build(
        "gmail",
        "v1",
        credentials=credentials,
        static_discovery=True,
        cache_discovery=False,
        client_options=options,
    ).users()


def draft(users: Any, raw: bytes, **message: str) -> Any:
    return users.drafts().create(userId="me", body={"message": {"raw": base64url(raw), **message}}).execute()


def send(users: Any, draft_id: str) -> Any:
    return users.drafts().send(userId="me", body={"id": draft_id}).execute()


def header(users: Any, message_id: str, name: str) -> str:
    got = (
        users.messages().get(userId="me", id=message_id, format="metadata", metadataHeaders=[name]).execute()
    )
    return str(got["payload"]["headers"][0]["value"])


def reason(problem: HttpError) -> tuple[int, str]:
    return problem.status_code, str(problem.error_details[0]["reason"])


def test_it_walks_the_code_flow_with_pkce(sandbox: Running) -> None:
    first = flow(sandbox)
    url, state = first.authorization_url(access_type="offline", prompt="consent")
    values = consent(url, "allow", other=MAYA)
    assert values["state"] == state
    second = flow(sandbox, first.code_verifier)
    second.fetch_token(code=values["code"], include_client_id=True)
    credentials = second.credentials
    assert credentials.refresh_token
    assert set(credentials.granted_scopes) == set(SCOPES)
    certs = f"{sandbox.http}/google/certs"
    claims = id_token.verify_token(credentials.id_token, Request(), audience=CLIENT[0], certs_url=certs)
    assert (claims["iss"], claims["email"]) == ("https://accounts.google.com", MAYA)
    assert (
        service(sandbox, credentials.refresh_token).getProfile(userId="me").execute()["emailAddress"] == MAYA
    )


def test_it_refuses_a_wrong_verifier_and_a_used_code(sandbox: Running) -> None:
    first = flow(sandbox)
    values = consent(first.authorization_url(access_type="offline")[0], "allow", other=MAYA)
    with pytest.raises(Exception, match="invalid_grant"):
        flow(sandbox, "x" * 64).fetch_token(code=values["code"], include_client_id=True)
    with pytest.raises(Exception, match="invalid_grant"):
        flow(sandbox, first.code_verifier).fetch_token(code=values["code"], include_client_id=True)


def test_it_lets_a_scope_be_unticked(sandbox: Running) -> None:
    first = flow(sandbox)
    url = first.authorization_url(access_type="offline")[0]
    values = consent(url, "allow", other=MAYA, scope_granted=[PREFIX + "gmail.readonly"])
    first.fetch_token(code=values["code"], include_client_id=True)
    assert PREFIX + "gmail.compose" not in first.credentials.granted_scopes
    with pytest.raises(HttpError) as caught:
        draft(service(sandbox, first.credentials.refresh_token), mail("a@site.example"))
    assert caught.value.status_code == 403
    assert b"insufficientPermissions" in caught.value.content


def test_it_carries_a_denial_back(sandbox: Running) -> None:
    values = consent(flow(sandbox).authorization_url(state="s1")[0], "deny", other=MAYA)
    assert values == {"error": "access_denied", "state": "s1"}


def test_it_refuses_a_foreign_redirect_address(sandbox: Running) -> None:
    url = flow(sandbox).authorization_url()[0].replace("127.0.0.1%3A9999", "evil.test")
    answer = requests.get(url, timeout=5)
    assert (answer.status_code, "redirect_uri_mismatch" in answer.text) == (400, True)


def test_it_ends_the_whole_grant_on_revoke(sandbox: Running) -> None:
    issued = sandbox.post("grant", provider="google", email=MAYA)
    users = service(sandbox, issued["refresh_token"])
    users.getProfile(userId="me").execute()
    url = f"{sandbox.http}/google/revoke"
    assert requests.post(url, data={"token": issued["refresh_token"]}, timeout=5).status_code == 200
    assert (
        requests.post(url, data={"token": issued["refresh_token"]}, timeout=5).json()["error"]
        == "invalid_token"
    )
    with pytest.raises(RefreshError) as caught:
        service(sandbox, issued["refresh_token"]).getProfile(userId="me").execute()
    assert caught.value.args[1]["error"] == "invalid_grant"
    held = requests.get(
        f"{sandbox.http}/gmail/v1/users/me/profile",
        headers={"Authorization": "Bearer " + issued["access_token"]},
        timeout=5,
    )
    assert held.status_code == 401


def test_it_sends_a_draft_once_under_a_new_id(sandbox: Running) -> None:
    users = gmail(sandbox)
    made = draft(users, mail("ana.silent@site.example"))
    assert users.drafts().get(userId="me", id=made["id"], format="minimal").execute()["message"][
        "labelIds"
    ] == ["DRAFT"]
    sent = send(users, made["id"])
    assert sent["labelIds"] == ["SENT"]
    assert sent["id"] != made["message"]["id"]
    assert sent["threadId"] == made["message"]["threadId"]
    stamped = header(users, sent["id"], "Message-ID")
    assert stamped.endswith("@mail.gmail.com>")
    with pytest.raises(HttpError) as caught:
        send(users, made["id"])
    assert reason(caught.value) == (404, "notFound")
    (entry,) = sandbox.get("ledger")
    assert (entry["mailbox"], entry["to"], entry["message_id"]) == (
        MAYA,
        ["ana.silent@site.example"],
        stamped,
    )
    assert b"From: Maya <maya@studio.example>" in base64.b64decode(entry["raw"])


def test_it_joins_a_thread_only_with_all_three_signs(sandbox: Running) -> None:
    users = gmail(sandbox)
    first = send(users, draft(users, mail("ana.silent@site.example"))["id"])
    stamped = header(users, first["id"], "Message-ID")
    named = {"In-Reply-To": stamped, "References": stamped}
    thread = first["threadId"]
    joined = draft(
        users, mail("ana.silent@site.example", subject="Re: Hello", headers=named), threadId=thread
    )
    other_subject = draft(
        users, mail("ana.silent@site.example", subject="Else", headers=named), threadId=thread
    )
    unnamed = draft(users, mail("ana.silent@site.example"), threadId=thread)
    assert joined["message"]["threadId"] == thread
    assert thread not in (other_subject["message"]["threadId"], unnamed["message"]["threadId"])
    assert send(users, joined["id"])["threadId"] == thread
    with pytest.raises(HttpError) as caught:
        draft(users, mail("ana.silent@site.example", headers=named), threadId="00000000deadbeef")
    assert caught.value.status_code == 404


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({}, (400, "invalidArgument")),
        ({"raw": base64url(mail("no address"))}, (400, "invalidArgument")),
    ],
)
def test_it_refuses_a_bad_draft(sandbox: Running, message: dict[str, str], expected: tuple[int, str]) -> None:
    with pytest.raises(HttpError) as caught:
        gmail(sandbox).drafts().create(userId="me", body={"message": message}).execute()
    assert reason(caught.value) == expected


def test_it_tells_what_is_new_since_a_cursor(sandbox: Running) -> None:
    users = gmail(sandbox)
    cursor = users.getProfile(userId="me").execute()["historyId"]
    for number in range(3):
        sandbox.post("inbound", email=MAYA, subject=f"mail {number}", text="x")
    seen, token = [], None
    while True:
        page = users.history().list(
            userId="me", startHistoryId=cursor, historyTypes=["messageAdded"], maxResults=2, pageToken=token
        ).execute()  # fmt: skip
        seen += [
            added["message"]["id"] for record in page.get("history", []) for added in record["messagesAdded"]
        ]
        token = page.get("nextPageToken")
        if not token:
            break
    assert len(seen) == 3
    assert "history" not in users.history().list(userId="me", startHistoryId=page["historyId"]).execute()
    sandbox.post("expire_history", mailbox=MAYA)
    with pytest.raises(HttpError) as caught:
        users.history().list(userId="me", startHistoryId=cursor).execute()
    assert reason(caught.value) == (404, "notFound")


def test_it_searches_as_the_product_does(sandbox: Running) -> None:
    users = gmail(sandbox)
    sandbox.post("accounts", provider="google", email=MAYA, private_mails=20)
    sent = send(
        users, draft(users, mail("ana.silent@site.example", subject="Old links", text="token-77f"))["id"]
    )
    stamped = header(users, sent["id"], "Message-ID")

    def found(query: str) -> list[str]:
        answer = users.messages().list(userId="me", q=query, maxResults=500).execute()
        return [one["id"] for one in answer.get("messages", [])]

    assert found("in:sent to:ana.silent@site.example after:1700000000") == [sent["id"]]
    assert found(f"rfc822msgid:{stamped}") == [sent["id"]]
    assert found("subject:(old links) -in:chats") == [sent["id"]]
    assert found('"token-77f"') == [sent["id"]]
    assert found("to:ana.silent@site.example before:1700000000") == []
    assert len(found("in:inbox newer_than:90d")) == 16
    assert users.messages().list(userId="me", q="nothing-like-it").execute() == {"resultSizeEstimate": 0}


def test_it_notes_which_bodies_were_read(sandbox: Running) -> None:
    users = gmail(sandbox)
    decoys = sandbox.post("accounts", provider="google", email=MAYA, private_mails=3)["private"]
    assert sorted(decoys) == sorted(sandbox.get("private", mailbox=MAYA))
    users.messages().get(userId="me", id=decoys[0], format="metadata", metadataHeaders=["From"]).execute()
    users.messages().get(userId="me", id=decoys[0], format="minimal").execute()
    assert not [call for call in sandbox.get("calls", mailbox=MAYA) if call["full_read"]]
    users.messages().get(userId="me", id=decoys[1], format="raw").execute()
    users.messages().get(userId="me", id=decoys[2]).execute()
    read = [call["message_id"] for call in sandbox.get("calls", mailbox=MAYA) if call["full_read"]]
    assert read == [decoys[1], decoys[2]]


def test_it_counts_quota_units_and_refuses_over_the_limit(sandbox: Running) -> None:
    users = gmail(sandbox)
    sandbox.post("settings", units_per_minute=120)
    send(users, draft(users, mail("ana.silent@site.example"))["id"])
    assert sum(call["units"] for call in sandbox.get("calls", mailbox=MAYA)) == 110
    with pytest.raises(HttpError) as caught:
        users.messages().get(userId="me", id="0000000000000000").execute()
    assert reason(caught.value) == (429, "rateLimitExceeded")


def test_it_asks_for_a_refresh_once_a_token_is_old(sandbox: Running) -> None:
    issued = sandbox.post("grant", provider="google", email=MAYA)
    sandbox.post("expire_access", email=MAYA)
    answer = requests.get(
        f"{sandbox.http}/gmail/v1/users/me/profile",
        headers={"Authorization": "Bearer " + issued["access_token"]},
        timeout=5,
    )
    assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (401, "authError")
    assert service(sandbox, issued["refresh_token"]).getProfile(userId="me").execute()


def test_it_names_the_account_as_its_only_alias(sandbox: Running) -> None:
    (alias,) = gmail(sandbox).settings().sendAs().list(userId="me").execute()["sendAs"]
    assert (alias["sendAsEmail"], alias["isPrimary"]) == (MAYA, True)
