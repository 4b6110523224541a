"""The operator's console: figures of the whole installation, and no content (docs/operating.md, Figures)."""
