"""Lists of people on their way in: read apart, checked, stored in batches, undone."""
