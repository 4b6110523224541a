"""The notice to a workspace's owners of a new key: a stolen session does not mint one in silence."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string

from accounts.models import ApiKey, Membership, Role, User, Workspace


def tell_owners(key: ApiKey, *, actor: User) -> None:
    """After the commit, one mail to each owner. Mail that does not leave undoes no key."""
    here = Workspace.objects.get(pk=key.workspace_id)
    owners = Membership.objects.filter(workspace=here, role=Role.OWNER, user__is_active=True)
    addresses = list(owners.order_by("created_at").values_list("user__email", flat=True))
    page = f"{settings.PUBLIC_BASE_URL}/w/{here.slug}/keys/"
    words = {"key": key, "actor": actor, "workspace": here, "page": page}
    text = render_to_string("accounts/email/new_key.txt", words)

    def send() -> None:
        for address in addresses:
            send_mail(f"A new key in {here.name}", text, None, [address])

    transaction.on_commit(send, robust=True)
