"""The keys that content is encrypted under: kept, wrapped, changed."""
