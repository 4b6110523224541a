"""A person's mailbox at Google or Microsoft. Knows no campaign."""
