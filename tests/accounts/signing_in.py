"""A person who goes on with Google or Microsoft, through the simulated provider's own pages."""

from __future__ import annotations

from typing import Any

from django.test import Client

from tests.mailbox.consenting import decide


def leave(client: Client, provider: str, process: str = "login", **fields: str) -> str:
    """Press the button; the address of the provider's page."""
    answer = client.post(f"/accounts/with/{provider}/", {"process": process, **fields})
    assert answer.status_code == 200, (answer.status_code, answer.headers.get("Location"))
    wait, _, url = answer["Refresh"].partition("; url=")
    assert wait == "0"
    return str(url)


def come_back(client: Client, provider: str, query: dict[str, str]) -> Any:
    return client.get(f"/accounts/with/{provider}/callback/", query, follow=True)


def go_on_with(client: Client, provider: str, email: str, process: str = "login") -> Any:
    return come_back(client, provider, decide(leave(client, provider, process), email=email))


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def is_in(client: Client) -> bool:
    """Whether this browser is signed in."""
    return "_auth_user_id" in client.session
