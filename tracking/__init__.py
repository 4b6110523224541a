"""Opens, clicks, opt-outs. Knows only opaque keys."""
