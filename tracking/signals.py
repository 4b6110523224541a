"""Facts that come up from tracking."""

from django.dispatch import Signal

# Sent with `key` (UUID of the message), `kind` and `source` (see tracking.models), inside the
# workspace's opened block and the transaction that stored the event.
tracked = Signal()
