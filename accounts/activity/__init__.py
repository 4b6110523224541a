"""Behind the activity log: its chain, its seals, how it is read. Lines are written by accounts/audit.py."""
