"""The notice to a workspace's owners of a new key: a stolen session does not mint one in silence."""

from __future__ import annotations

from django.conf import settings
from django.template.loader import render_to_string

from accounts.mail import tell
from accounts.models import ApiKey, Membership, Role, User, Workspace


def tell_owners(key: ApiKey, *, actor: User) -> None:
    """After the commit, one mail to each owner. Mail that does not leave undoes no key."""
    here = Workspace.objects.get(pk=key.workspace_id)
    owners = Membership.objects.filter(workspace=here, role=Role.OWNER, user__is_active=True)
    addresses = owners.order_by("created_at").values_list("user__email", flat=True)
    page = f"{settings.PUBLIC_BASE_URL}/w/{here.slug}/keys/"
    words = {"key": key, "actor": actor, "workspace": here, "page": page}
    text = render_to_string("accounts/email/new_key.txt", words)
    tell(addresses, f"A new key in {here.name}", text)
