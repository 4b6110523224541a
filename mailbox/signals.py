"""Facts that come up from a mailbox."""

from django.dispatch import Signal

# Sent with `mailbox` (Mailbox) and `fact`: "connected", "hint" (push: look now), "broken", and
# "revoked". "revoked" is sent inside the transaction that revokes, so that its receivers' work
# commits or rolls back with it.
mailbox_changed = Signal()
