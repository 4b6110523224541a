"""How mail programs introduce a quote, and how people end a mail, in their languages.

Each pattern looks at one line or at a window of at most a few hundred characters.
"""

from __future__ import annotations

import re

MAX_WINDOW = 600

# "wrote", as Gmail, Outlook, Apple Mail, Yahoo, Thunderbird and Proton put it.
_WROTE = (
    r"wrote|schrieb|a écrit|escribió|ha scritto|escreveu|schreef|skrev|kirjoitti|napisał\S{0,4}|pisze|"
    r"napsal\S{0,4}|napísal\S{0,4}|írta|написал\S{0,3}|пишет|писал\S{0,3}|написав\S{0,3}|пише|yazdı|a scris|"
    r"έγραψε|כתב\S{0,2}|كتب\S{0,2}|đã viết|menulis|napisao|je napisal\S{0,2}|写道|寫道|書きました|のメール|"
    r"het volgende geschreven|napisana przez|님이 작성|쓴 글|작성"
)
WROTE = re.compile(rf"(?:(?<!\w)(?:{_WROTE})(?!\w)|写道|寫道|書きました|작성|쓴 글)", re.IGNORECASE)
_FIRST_PERSON = re.compile(
    r"\b(?:I|we|you|ich|wir|je|nous|yo|io|ik|jag|jeg)\s{1,3}(?:wrote|schrieb|skrev)\b", re.I
)
_OPENS = re.compile(
    r"(?:on|am|le|el|il|op|den|em|no dia|no|pe|în|dnia|w dniu|dne|v|στις|в|on the|ma|ti|ke|to|pe|la|su|"
    r"mon|tue|wed|thu|fri|sat|sun|lun|mar|mer|jeu|ven|sam|dim|"
    r"mo|di|mi|do|fr|sa|so|пн|вт|ср|чт|пт|сб|вс|pon|wt|śr|czw|pt|sob|niedz|po|út|st|čt|pá|ne|在|于|於|"
    r"le\s|\d)(?=[\W\d]|$)",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"\b(?:19|20)\d\d\b|\d{1,2}[:.]\d\d\b|\d{1,2}[./-]\s?\d{1,2}[./-]|\d{4}年|\b\d{1,2}\.?\s\w{3,12}\b"
)
_FULL_WHEN = re.compile(r"(?:\b20\d\d\b|20\d\d年).{0,60}\d{1,2}[:.]\d\d")
_ENDS_IN_ADDRESS = re.compile(r"[<(]\s?\S{1,64}@\S{1,190}[>)]\s?[:：]$")
_MENTIONS_ADDRESS = re.compile(r"\S@\S")

# Labels of the block that Outlook puts over a quote; the first names the sender.
_FROM = (
    r"from|von|de|da|van|från|fra|lähettäjä|od|odesílatel|feladó|от|отправитель|від|kimden|gönderen|de la|"
    r"από|"
    r"מאת|من|发件人|寄件者|寄件人|差出人|送信者|보낸\s?사람"
)
_OTHERS = (
    r"sent|date|to|subject|cc|gesendet|datum|an|betreff|envoyé(?: le)?|à|objet|enviado(?: el| em)?|fecha|"
    r"para|"
    r"asunto|assunto|data|inviato|oggetto|a|verzonden|aan|onderwerp|skickat|till|ämne|sendt|til|emne|"
    r"lähetetty|"
    r"vastaanottaja|aihe|päivämäärä|wysłano|do|temat|odesláno|komu|předmět|küldve|elküldve|címzett|tárgy|"
    r"отправлено|дата|кому|тема|надіслано|gönderildi|tarih|kime|konu|trimis|către|subiect|στάλθηκε|προς|θέμα|"
    r"发送时间|发送日期|寄件日期|收件人|收件者|主题|主旨|日時|送信日時|宛先|件名|보낸 날짜|받는\s?사람|제목"
)
_MARK = r"[*_>\s]{0,4}"
LABEL = re.compile(rf"^{_MARK}(?:{_FROM}){_MARK}[:：]", re.IGNORECASE)
NEXT_LABEL = re.compile(rf"^{_MARK}(?:{_OTHERS}){_MARK}[:：]", re.IGNORECASE)
LABELS_INSIDE = re.compile(rf"(?<!\w)(?:{_OTHERS})[*_ ]{{0,3}}[:：]", re.IGNORECASE)

_ORIGINAL = (
    r"original(?:e|nachricht|meddelande)?|ursprüngliche|urspr|message d'origine|mensaje original|"
    r"mensagem original|messaggio originale|oorspronkelijk|oprindelig|ursprungligt|opprinnelig|alkuperäinen|"
    r"wiadomość oryginalna|oryginalna|původní|eredeti üzenet|исходное|пересылаемое|переадресова|özgün|"
    r"orijinal|mesaj original|原始邮件|原始郵件|転送|元のメッセージ|원본 메일|원본 메시지|"
    r"weitergeleitete|forwarded|begin forwarded|message transféré|mensaje reenviado|messaggio inoltrato|"
    r"videresendt|vidarebefordra|przekazana|přeposlaná|doorgestuurd|encaminhada"
)
SEPARATOR = re.compile(
    rf"^\W{{0,3}}[-_—]{{2,}}\s{{0,3}}(?:{_ORIGINAL}).{{0,40}}$|^begin forwarded message:$|^_{{20,}}$",
    re.IGNORECASE,
)

# Lines that mail programs put under what was written.
_DEVICE = re.compile(
    r"^\W{0,3}(?:sent (?:from|with|via) |get outlook for|von meinem .{1,30} gesendet|gesendet (?:von|mit|"
    r"aus) |"
    r"hol\w* .{0,10}outlook f|outlook für (?:ios|android)|envoyé (?:de|depuis|à partir d|avec)|"
    r"obtenez outlook|"
    r"télécharger outlook|enviado (?:desde|do|de|a partir d|com|con) |obtener outlook|obter o outlook|"
    r"inviato (?:da|con|dal) |scarica outlook|ottieni outlook|verstuurd vanaf|verzonden (?:vanaf|met|via)|"
    r"outlook voor |sendt fra |skickat från |hämta outlook|hent outlook|lähetetty |wysłan[eoy] z|"
    r"pobierz outlook|"
    r"odesláno z|odosielané z|stáhnout outlook|elküldve|az iphone|отправлено (?:с|из) |надіслано з|"
    r"trimis de pe|στάλθηκε από|yahoo mail: search|發自我的|发自我的|从我的|從我的|"
    r".{1,20}から送信|.{1,20}에서 보냄|나의 .{1,20}에서|.{1,20}(?:dan|den|'\w{1,6}) gönderildi)",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"^(?:(?:with |my )?(?:best|kind|kindest|warm|warmest)(?: wishes| regards)?|(?:with )?(?:kind |"
    r"best )?regards|"
    r"yours(?: sincerely| faithfully| truly)?|sincerely(?: yours)?|cheers|all the best|many thanks|"
    r"(?:mit )?(?:freundlichen?|besten?|herzlichen?|vielen?|schönen?|liebe[nr]?|viele) (?:grüßen?|gruß|"
    r"gruss|grüssen?)|"
    r"mfg|vg|lg|cordialement|bien (?:à vous|cordialement)|(?:très )?cordialement|"
    r"salutations(?: distinguées)?|"
    r"(?:un )?(?:cordial )?saludos?(?: cordiales)?|atentamente|un abrazo|cordiali saluti|distinti saluti|"
    r"saluti|"
    r"atenciosamente|cumprimentos|com os melhores cumprimentos|(?:met )?vriendelijke groet(?:en)?|"
    r"(?:hartelijke )?groeten|"
    r"mvh|(?:med )?(?:vänliga|bästa|vennlig|venlig|bedste|beste) hilsen(?:er)?|(?:med )?(?:vänliga|"
    r"bästa) hälsningar|"
    r"hälsningar|ystävällisin terveisin|terveisin|(?:z )?(?:poważaniem|pozdrowieniami)|pozdrawiam|"
    r"s pozdravem|(?:hezký|pěkný) den|üdvözlettel|tisztelettel|с уважением|з повагою|"
    r"(?:с )?наилучшими пожеланиями|"
    r"saygılarımla|iyi çalışmalar|cu (?:stimă|respect)|με εκτίμηση|敬具|よろしくお願い(?:いた)?します|"
    r"此致|顺祝商祺|祝好|감사합니다)[\s,.!;:，。]{0,4}$",
    re.IGNORECASE,
)
_NOTICE = re.compile(
    r"^\W{0,4}(?:confidentiality (?:notice|note)|disclaimer|legal notice|this (?:e-?mail|"
    r"message)(?: \(?[^.]{0,60})? "
    r"(?:is|may be|contains?) (?:\w+ ){0,4}(?:confidential|privileged)|diese (?:e-?mail|"
    r"nachricht) (?:\w+ ){0,4}vertraulich|"
    r"ce (?:message|courriel|mail) (?:\w+ ){0,6}confidentiel|este (?:mensaje|correo|"
    r"e-?mail) (?:\w+ ){0,6}confidencial|"
    r"questo messaggio (?:\w+ ){0,6}riservat|dit bericht (?:\w+ ){0,6}vertrouwelijk)",
    re.IGNORECASE,
)
_POSTSCRIPT = re.compile(r"^p\.?\s?s\.?\W", re.IGNORECASE)
_CARD = re.compile(r"\d{3}|@|www\.|https?:|[|·•]")

MAX_SIGNATURE = 30  # lines
MAX_CLOSED = 9  # lines with words below "Best regards"
MAX_CARD_WORDS = 7


def introduces(window: str) -> bool:
    """Whether a line, or a few joined, says who wrote what follows, and when."""
    window = window.strip()
    if len(window) > MAX_WINDOW or not window.endswith((":", "：")):
        return False
    if _ENDS_IN_ADDRESS.search(window[-300:]) and _FULL_WHEN.search(window):
        return True
    if not WROTE.search(window) or not _WHEN.search(window) or _FIRST_PERSON.search(window):
        return False
    return bool(_OPENS.match(window) or _MENTIONS_ADDRESS.search(window)) or _written_on(window)


def _written_on(window: str) -> bool:
    """Finnish and a few others put the time behind the verb: "A B kirjoitti 3.6.2024 klo 10.00:"."""
    match = WROTE.search(window)
    return bool(match and match.start() < 80 and _FULL_WHEN.search(window[match.end() :]))


def signature_at(lines: list[str]) -> int:
    """The index of the line at which a signature begins, or the number of lines."""
    end = len(lines)
    first = max(0, end - MAX_SIGNATURE)
    for index in range(end - 1, first - 1, -1):
        if lines[index].rstrip() == "--" or lines[index].strip() in ("—", "-- "):
            end = index
            break
    for index in range(max(0, end - MAX_SIGNATURE), end):
        line = lines[index].strip()[:200]
        if (
            line
            and (_DEVICE.match(line) or _NOTICE.match(line))
            and len(line) <= 160 + 40 * bool(_NOTICE.match(line))
        ):
            end = index
            break
    for index in range(max(0, end - MAX_SIGNATURE), end):
        if _CLOSING.match(lines[index].strip()[:80]) and _is_card(lines[index + 1 : end]):
            return index
    return end


def _is_card(lines: list[str]) -> bool:
    """Names, titles and numbers; a sentence below the greeting is still something that was said."""
    kept = [line.strip() for line in lines if line.strip()]
    return len(kept) <= MAX_CLOSED and not any(
        _POSTSCRIPT.match(line) or (len(line.split()) > MAX_CARD_WORDS and not _CARD.search(line))
        for line in kept
    )
