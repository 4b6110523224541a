"""Whether a person's own words plainly ask us to stop: a short rule that may only stop, never start (F41).

Looked at is only what is new in the reply; the quoted rest holds our own opt-out wording. Anything that a
person could mean otherwise stays for a person: "stop by on Monday" is no opt-out.
"""

from __future__ import annotations

import re

MAX_CHARACTERS = 2000
MAX_WORDS = 60

# A whole short answer.
_ALONE = re.compile(
    r"(?:please )?(?:stop|unsubscribe|remove(?: me)?|opt[ -]?out|stopp|abmelden|abbestellen|austragen|"
    r"désinscrire|désabonner|desinscrire|stop svp|baja|darme de baja|cancelar suscripción)"
    r"(?: please| bitte)?",
    re.IGNORECASE,
)
# A request inside a longer one.
_ASKED = re.compile(
    r"""
      \b(?:stop|quit|cease)\s+(?:mailing|e-?mailing|contacting|writing(?:\s+to)?|sending|messaging|spamming)
        (?:\s+(?:to\s+)?(?:me|us))?\b
    | \b(?:do\s+not|don['’]?t|never)\s+(?:e-?mail|mail|contact|write(?:\s+to)?|message)\s+(?:me|us)\b
    | \b(?:remove|delete|take)\s+(?:me|us|my\s+\S{1,20}(?:\s+address)?)\s+(?:from|off)\s+(?:your|this|the|all)
        \s+(?:\S+\s+){0,3}(?:list|lists|database|mailing|distribution)\b
    | \bunsubscribe\s+(?:me|us)\b | \bopt\s+(?:me|us)\s+out\b
    | \bkeine\s+(?:weiteren\s+)?(?:e-?mails?|mails|nachrichten|werbung)\s+mehr\b
    | \b(?:schreiben|kontaktieren|mailen)\s+sie\s+(?:mir|mich|uns)\s+(?:bitte\s+)?nicht\s+(?:mehr|wieder)\b
    | \b(?:mich|uns|meine\s+adresse)\s+(?:bitte\s+)?(?:aus|von)\s+(?:ihrem|ihrer|dem|der|deinem|deiner)\s+
        (?:\S+\s+){0,2}(?:verteiler|liste|mailingliste|datenbank)
    | \bne\s+(?:me|nous)\s+(?:contactez|écrivez|ecrivez|envoyez)\s+plus\b
    | \b(?:retirez|supprimez|enlevez|désinscrivez|désabonnez)[- ](?:moi|nous)\b
    | \bno\s+(?:me|nos)\s+(?:escriban?|contacten?|env[ií]en?|manden?)\s+(?:m[áa]s|nunca|ning[úu]n)
    | \b(?:elim[ií]n(?:en|e|a)(?:me|nos)|qu[ií]t(?:en|e|a)(?:me|nos)|d[ée]n?me\s+de\s+baja|borren?me)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)


def asks_to_stop(text: str) -> bool:
    """True only for a short text that plainly asks for no more mail, in en, de, fr or es."""
    words = text[:MAX_CHARACTERS].split()
    if not words or len(words) > MAX_WORDS:
        return False
    first_line = next(line for line in text.splitlines() if line.strip())
    alone = re.sub(r"[\s.,;:!\"'()*_-]+", " ", first_line[:120]).strip()
    return bool(_ALONE.fullmatch(alone) or _ASKED.search(" ".join(words)))
