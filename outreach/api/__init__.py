"""The HTTP API below /api/v1/: thin operations over the functions that the pages call."""
