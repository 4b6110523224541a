"""Sign-in with Google and Microsoft: who somebody is, and nothing of their mail."""
