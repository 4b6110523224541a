"""Keys of the API: who calls, how often, what is recorded. The keys themselves are in accounts/keys.py."""
