"""The words that must turn up nowhere else."""

WORD = "kingfisher"


def deep(word: str) -> str:
    """The word of what belongs to one project: who does not see the project does not see it."""
    return f"{word}deep"


def hush(word: str) -> str:
    """The word of replies that only one person reads: whoever connected their mailbox."""
    return f"{word}hush"
