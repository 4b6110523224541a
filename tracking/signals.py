"""Facts that come up from tracking."""

from django.dispatch import Signal

# Sent inside the workspace's opened block and the transaction that stored the event, with
#   key            UUID of the message
#   kind, source   see tracking.models
#   link           number of the link in the mail, or None
#   detail         for opt-outs "address" or "domain" (the whole company), else ""
#   address_index  for opt-outs 32 bytes, the recipient's blind index from the link, or b"": all there
#                  is to go by once the mail was erased
# A burst may turn earlier clicks into a scanner's: take figures from tracking.record.counts(key).
tracked = Signal()
