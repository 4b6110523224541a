"""A connected mailbox and its credential."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.clock import Now
from accounts.encryption import EncryptedTextField
from accounts.inventory import Data, Kept
from accounts.tenancy import WorkspaceManager, WorkspaceModel, WorkspaceQuerySet
from accounts.viewpoint import Everybody


class Provider(models.TextChoices):
    GOOGLE = "google", "Gmail"
    MICROSOFT = "microsoft", "Microsoft 365"

    @property
    def company(self) -> str:
        return "Google" if self is Provider.GOOGLE else "Microsoft"


class MailboxState(models.TextChoices):
    CONNECTED = "connected", "Connected"
    THROTTLED = "throttled", "Waiting for the provider"
    BROKEN = "broken", "Needs reconnecting"
    REVOKED = "revoked", "Access removed"


class Replies(models.TextChoices):
    """Who may read what comes back to a mailbox."""

    SHARED = "shared", "Everybody who sees the project"
    PRIVATE = "private", "Only the person who connected it"


# May be called now, or after a provider's wait.
USABLE = (MailboxState.CONNECTED, MailboxState.THROTTLED)


class MailboxQuerySet(WorkspaceQuerySet["Mailbox"]):
    def live(self) -> models.QuerySet[Mailbox]:
        """Not revoked: shown in lists, and the bin is beside them."""
        return self.exclude(state=MailboxState.REVOKED)

    def usable(self) -> models.QuerySet[Mailbox]:
        """May be called now or after a provider's wait."""
        return self.filter(state__in=USABLE)


MailboxManager = WorkspaceManager.from_queryset(MailboxQuerySet)


class Mailbox(WorkspaceModel):
    """One mailbox, keyed by the provider's subject.

    `identity` is a platform-wide HMAC of provider and subject: at most one live connection of an
    account exists (T10), and caps survive a reconnect. `generation` grows at each revoke and
    reconnect; every provider call checks it. `cursor` is the poll's place, opaque.
    """

    inventory = Kept(
        Data.CONTENT, "Sending and looking for replies", "As long as the workspace; access ends by the bin"
    )
    project_path = Everybody("a mailbox works for all projects; what comes back to it has its own rows")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    provider = models.CharField(max_length=10, choices=Provider.choices)
    identity = models.BinaryField(max_length=32)
    subject = EncryptedTextField()
    address = EncryptedTextField()
    address_index = models.BinaryField(max_length=32)
    display_name = EncryptedTextField()
    signature = EncryptedTextField()
    state = models.CharField(max_length=10, choices=MailboxState.choices, default=MailboxState.CONNECTED)
    state_reason = models.CharField(max_length=60, blank=True)
    state_at = models.DateTimeField(null=True)
    generation = models.PositiveIntegerField(default=1)
    scopes = models.JSONField(default=list)
    replies = models.CharField(max_length=7, choices=Replies.choices, default=Replies.SHARED)
    throttled_until = models.DateTimeField(null=True)
    daily_cap = models.PositiveIntegerField(default=50)
    cursor = EncryptedTextField(null=True)
    connected_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    next_poll_at = models.DateTimeField(null=True)
    last_poll_at = models.DateTimeField(null=True)
    poll_lease_until = models.DateTimeField(null=True)
    next_send_at = models.DateTimeField(null=True)
    full_reads = models.PositiveIntegerField(default=0)
    # Microsoft's name of the subscription that tells us of new mail; None where there is none.
    watch_id = EncryptedTextField(null=True)

    objects = MailboxManager()  # type: ignore[misc]

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["identity"], condition=~Q(state="revoked"), name="one_live_connection_per_account"
            )
        ]

    @property
    def company(self) -> str:
        return Provider(self.provider).company

    @property
    def is_live(self) -> bool:
        return self.state != MailboxState.REVOKED


class Credential(WorkspaceModel):
    """The provider's secret: a row of its own, so that revoking deletes it in one statement.

    `refresh_lease` and `refresh_until` say who refreshes now and until when nobody else may; `refusals`
    counts "invalid_grant" answers in a row (F12: one alone does not disconnect). `claims`: what Microsoft
    asked the next access token to be fetched with, until one is.
    """

    inventory = Kept(Data.CONTENT, "Access to the mailbox", "The bin, in the same transaction")
    project_path = Everybody("never shown to anybody")

    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, related_name="credential")
    generation = models.PositiveIntegerField()
    secret = EncryptedTextField()
    access_token = EncryptedTextField(null=True)
    access_expires_at = models.DateTimeField(null=True)
    claims = EncryptedTextField(null=True)
    refresh_lease = models.UUIDField(null=True)
    refresh_until = models.DateTimeField(null=True)
    refusals = models.PositiveSmallIntegerField(default=0)


class PendingConsent(WorkspaceModel):
    """A consent under way: used once, at most 10 minutes (threats T5, T6).

    Bound to the user and the workspace by its columns, and to the browser by the session, which alone
    holds the id. `flow` is JSON: state, nonce and the PKCE verifier of one that has left for the provider.
    `answer` is JSON too: what came back, until a person has said on our page that it may be kept.
    `mailbox` is set for a reconnect. `used_at`: decided; nothing secret is left in the row.
    """

    inventory = Kept(Data.CONTENT, "A consent that is under way", "10 minutes")
    project_path = Everybody("looked up by its own person only")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    provider = models.CharField(max_length=10, choices=Provider.choices)
    mailbox = models.ForeignKey(Mailbox, null=True, on_delete=models.CASCADE, related_name="+")
    flow = EncryptedTextField()
    answer = EncryptedTextField(null=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class MailboxIdentity(models.Model):
    """An account at a provider across all workspaces and reconnects: the row that caps lock.

    `live_in` and `live_mailbox` say where its one live connection is, so that a second workspace is refused
    and a move ends the first. A directory table (decisions 12): an HMAC, ids and times, no content.
    """

    inventory = Kept(
        Data.USAGE, "Limits of an account across reconnects, by HMAC", "As long as the installation"
    )

    identity = models.BinaryField(primary_key=True, max_length=32)
    consumer = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField(db_default=Now())
    live_in = models.ForeignKey("accounts.Workspace", null=True, on_delete=models.SET_NULL, related_name="+")
    live_mailbox = models.UUIDField(null=True)


class SendSlot(models.Model):
    """One mail's place in the rolling 24 h of an account; `key` is the message's id. A directory table."""

    inventory = Kept(Data.USAGE, "When mails left an account, for the daily limit", "48 hours")

    id = models.BigAutoField(primary_key=True)
    identity = models.ForeignKey(MailboxIdentity, on_delete=models.CASCADE, related_name="+")
    key = models.UUIDField(unique=True)
    taken_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["identity", "taken_at"], name="slot_by_time")]


class PollTurn(models.Model):
    """When a mailbox is to be looked at next, for one look across all workspaces. A directory table.

    `id` is the mailbox's. A trigger on the mailbox's row keeps it (migration 0008): there is none for a
    mailbox that cannot be called, and one that is in hand or waits for its provider is due behind that.
    """

    inventory = Kept(Data.USAGE, "When a mailbox is looked at next: ids and a time", "With its mailbox")

    id = models.UUIDField(primary_key=True)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    due_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="poll_turn_by_time")]


class PushRoute(models.Model):
    """How a provider's push finds its mailbox, and when the push has to be asked for anew. A directory table.

    `id` is the mailbox's. `route` is an HMAC of what the push names (the address at Google, the subscription
    at Microsoft), `proof` a hash of the secret that the push repeats. `until`: pushes come so long.
    """

    inventory = Kept(Data.USAGE, "Finds the mailbox that a push is about, by HMAC", "The bin")

    id = models.UUIDField(primary_key=True)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    route = models.BinaryField(max_length=32, null=True, unique=True)
    proof = models.BinaryField(max_length=32, null=True)
    renew_at = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["renew_at"], name="push_route_by_renewal")]


class Receipt(WorkspaceModel):
    """What the bin did, line by line, without mail content. Kept after the mailbox is gone."""

    inventory = Kept(Data.CONTENT, "What the bin did, without mail content", "As long as the workspace")
    project_path = Everybody("proves to everybody that access ended, without mail content")

    mailbox = models.ForeignKey(Mailbox, null=True, on_delete=models.SET_NULL, related_name="receipts")
    provider = models.CharField(max_length=10, choices=Provider.choices)
    address = EncryptedTextField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField(db_default=Now())
    # Ids of the projects whose mail a person chose to keep; always empty for Google.
    kept_projects = models.JSONField(default=list)
    cancelled = models.PositiveIntegerField(default=0)
    to_delete = models.PositiveIntegerField(default=0)
    deleted = models.PositiveIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0)
    connected_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)


class StepState(models.TextChoices):
    DOING = "doing", "Doing now"
    DONE = "done", "Done"
    YOUR_TURN = "your_turn", "Your turn"


class ReceiptStep(WorkspaceModel):
    """One line of a receipt: a stable `code`, its state, and the sentence a person reads."""

    inventory = Kept(Data.CONTENT, "One line of a receipt", "With its receipt")
    project_path = Everybody("a line of a receipt")

    receipt = models.ForeignKey(Receipt, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=30)
    state = models.CharField(max_length=9, choices=StepState.choices, default=StepState.DOING)
    sentence = EncryptedTextField()
    link = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["receipt", "code"], name="one_line_per_code")]
