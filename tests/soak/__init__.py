"""A long run of the whole product under faults, and the judge of ledger and database (faults.md 7.3)."""
