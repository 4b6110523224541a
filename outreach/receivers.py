"""The only listener to the two signals that come up: mailbox_changed and tracked."""
