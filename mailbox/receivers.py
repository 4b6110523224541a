"""Facts about people that end access (threats T14)."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from accounts.models import Membership, User, Workspace
from accounts.signals import member_left
from mailbox.endings import end_access_of


@receiver(member_left)
def access_goes_with_the_member(*, workspace: Workspace, user: User, **_: Any) -> None:
    end_access_of(user, workspace)


@receiver(post_save, sender=User)
def access_goes_with_the_account(*, instance: User, created: bool, **_: Any) -> None:
    """Switched off: in every workspace, in the transaction that says so."""
    if created or instance.is_active:
        return
    for place in Membership.objects.filter(user=instance).select_related("workspace"):
        end_access_of(instance, place.workspace)
