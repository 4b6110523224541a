"""How the mail programs introduce a quote in fourteen languages, as text and as HTML."""

from __future__ import annotations

OLD = "our old words, unsubscribe here"
ADDRESS = "a.b@far.example"
WHO = f"A B <{ADDRESS}>"

# Language to what Gmail writes, what Thunderbird writes, and what Apple Mail writes.
WROTE = {
    "en": (
        f"On Mon, Jun 3, 2024 at 10:00 AM {WHO} wrote:",
        "On 6/3/24 10:00, A B wrote:",
        f"On 3 Jun 2024, at 10:00, {WHO} wrote:",
    ),
    "de": (
        f"Am Mo., 3. Juni 2024 um 10:00 Uhr schrieb {WHO}:",
        "Am 03.06.24 um 10:00 schrieb A B:",
        f"Am 03.06.2024 um 10:00 schrieb {WHO}:",
    ),
    "fr": (
        f"Le lun. 3 juin 2024 à 10:00, {WHO} a écrit :",
        "Le 03/06/2024 à 10:00, A B a écrit\u00a0:",
        f"Le 3 juin 2024 à 10:00, {WHO} a écrit :",
    ),
    "es": (
        f"El lun, 3 jun 2024 a las 10:00, A B (<{ADDRESS}>) escribió:",
        "El 3/6/24 a las 10:00, A B escribió:",
        f"El 3 jun 2024, a las 10:00, {WHO} escribió:",
    ),
    "it": (
        f"Il giorno lun 3 giu 2024 alle ore 10:00 {WHO} ha scritto:",
        "Il 03/06/24 10:00, A B ha scritto:",
        f"Il giorno 3 giu 2024, alle ore 10:00, {WHO} ha scritto:",
    ),
    "pt": (
        f"Em seg., 3 de jun. de 2024 às 10:00, {WHO} escreveu:",
        "Em 03/06/2024 10:00, A B escreveu:",
        f"No dia 3 de jun. de 2024, às 10:00, {WHO} escreveu:",
    ),
    "nl": (
        f"Op ma 3 jun 2024 om 10:00 schreef {WHO}:",
        "Op 03-06-2024 om 10:00 schreef A B:",
        f"Op 3 jun. 2024 om 10:00 heeft {WHO} het volgende geschreven:",
    ),
    "da": (
        f"Den man. 3. jun. 2024 kl. 10.00 skrev {WHO}:",
        "Den 03.06.2024 kl. 10.00 skrev A B:",
        f"Den 3. jun. 2024 kl. 10.00 skrev {WHO}:",
    ),
    "sv": (
        f"Den mån 3 juni 2024 kl 10:00 skrev {WHO}:",
        "Den 2024-06-03 kl. 10:00, skrev A B:",
        f"3 juni 2024 kl. 10:00 skrev {WHO}:",
    ),
    "fi": (
        f"ma 3. kesäk. 2024 klo 10.00 A B ({ADDRESS}) kirjoitti:",
        "A B kirjoitti 3.6.2024 klo 10.00:",
        f"{WHO} kirjoitti 3.6.2024 kello 10.00:",
    ),
    "pl": (
        f"pon., 3 cze 2024 o 10:00 {WHO} napisał(a):",
        "W dniu 3.06.2024 o 10:00, A B pisze:",
        f"Wiadomość napisana przez {WHO} w dniu 03.06.2024, o godz. 10:00:",
    ),
    "cs": (
        f"po 3. 6. 2024 v 10:00 odesílatel {WHO} napsal:",
        "Dne 03. 06. 24 v 10:00 A B napsal(a):",
        f"3. 6. 2024 v 10:00, {WHO}:",
    ),
    "ru": (
        f"пн, 3 июн. 2024 г. в 10:00, {WHO}:",
        "03.06.2024 10:00, A B пишет:",
        f"3 июня 2024 г., в 10:00, {WHO} написал(а):",
    ),
    "ja": (
        f"2024年6月3日(月) 10:00 {WHO}:",
        "On 2024/06/03 10:00, A B wrote:",
        f"2024/06/03 10:00、{WHO}のメール:",
    ),
    "zh": (
        f"{WHO} 于2024年6月3日周一 10:00写道：",
        "在 2024/6/3 10:00, A B 写道:",
        f"2024年6月3日 10:00，{WHO} 写道：",
    ),
    "ko": (
        f"2024년 6월 3일 (월) 오전 10:00, {WHO}님이 작성:",
        "2024-06-03 오전 10:00에 A B 이(가) 쓴 글:",
        f"2024. 6. 3. 오전 10:00, {WHO} 작성:",
    ),
    "tr": (
        f"{WHO}, 3 Haz 2024 Pzt, 10:00 tarihinde şunu yazdı:",
        "3.06.2024 10:00 tarihinde A B yazdı:",
        f"{WHO} şunları yazdı (3 Haz 2024 10:00):",
    ),
    "hu": (
        f"{WHO} ezt írta (időpont: 2024. jún. 3., H, 10:00):",
        "2024. 06. 03. 10:00 keltezéssel, A B írta:",
        f"{WHO} írta (2024. jún. 3. 10:00):",
    ),
}
# Language to the labels of Outlook's block: sender, time, recipient, subject.
LABELS = {
    "en": ("From", "Sent", "To", "Subject"),
    "de": ("Von", "Gesendet", "An", "Betreff"),
    "fr": ("De ", "Envoyé ", "À ", "Objet "),
    "es": ("De", "Enviado el", "Para", "Asunto"),
    "it": ("Da", "Inviato", "A", "Oggetto"),
    "pt": ("De", "Enviado", "Para", "Assunto"),
    "nl": ("Van", "Verzonden", "Aan", "Onderwerp"),
    "da": ("Fra", "Sendt", "Til", "Emne"),
    "sv": ("Från", "Skickat", "Till", "Ämne"),
    "fi": ("Lähettäjä", "Lähetetty", "Vastaanottaja", "Aihe"),
    "pl": ("Od", "Wysłano", "Do", "Temat"),
    "cs": ("Od", "Odesláno", "Komu", "Předmět"),
    "ru": ("От", "Отправлено", "Кому", "Тема"),
    "ja": ("差出人", "送信日時", "宛先", "件名"),
    "zh": ("发件人", "发送时间", "收件人", "主题"),
    "ko": ("보낸 사람", "보낸 날짜", "받는 사람", "제목"),
    "tr": ("Kimden", "Gönderildi", "Kime", "Konu"),
    "hu": ("Feladó", "Elküldve", "Címzett", "Tárgy"),
}


def _block(language: str, bold: str = "") -> str:
    sender, sent, to, subject = LABELS[language]
    lines = ((sender, WHO), (sent, "3. 6. 2024 10:00"), (to, "c@near.example"), (subject, "hello"))
    return "\n".join(f"{bold}{label}:{bold} {value}" for label, value in lines)


def text_layouts(language: str) -> dict[str, str]:
    """Layout to what stands between an answer and OLD in a mail's text."""
    gmail, thunderbird, apple = WROTE[language]
    head, _, tail = gmail.rpartition("<")
    return {
        "gmail": f"{gmail}\n\n> ",
        "gmail folded": f"{head}<\n{tail}\n\n> "
        if head and not tail.startswith("a.b@far.example>)")
        else f"{gmail}\n> ",
        "thunderbird": f"{thunderbird}\n> ",
        "apple": f"{apple}\n\n> ",
        "apple without marks": f"{apple}\n\n",
        "yahoo": f"    {gmail}  \n \n ",
        "proton": f"{gmail}\n\n> ",
        "outlook desktop": f"{_block(language)}\n\n",
        "outlook web": f"________________________________\n{_block(language)}\n\n",
        "outlook mobile": f"________________________________\n{_block(language, '*')}\n\n",
    }


def html_layouts(language: str) -> dict[str, str]:
    """Layout to a quote of OLD in a mail's HTML."""
    gmail, thunderbird, apple = (one.replace("<", "&lt;").replace(">", "&gt;") for one in WROTE[language])
    sender, sent, to, subject = LABELS[language]
    rows = "<br>".join(
        f"<b>{label}:</b> {value}"
        for label, value in (
            (sender, "A B"),
            (sent, "3. 6. 2024"),
            (to, "c@near.example"),
            (subject, "hello"),
        )
    )
    old = f"<p>{OLD}</p>"
    return {
        "gmail": f'<div class="gmail_quote"><div dir="ltr" class="gmail_attr">{gmail}<br></div>'
        f'<blockquote class="gmail_quote">{old}</blockquote></div>',
        "thunderbird": f'<div class="moz-cite-prefix">{thunderbird}<br></div>'
        f'<blockquote type="cite">{old}</blockquote>',
        "apple": f'<div><br><blockquote type="cite"><div>{apple}</div><br>'
        f"<div>{old}</div></blockquote></div>",
        "apple without a mark": f"<div>{apple}<br></div><blockquote>{old}</blockquote>",
        "yahoo": f'<div id="ydp1" class="ydp1yahoo_quoted"><div>{gmail}</div><div>{old}</div></div>',
        "proton": f'<div class="protonmail_quote">{gmail}<br>'
        f'<blockquote class="protonmail_quote">{old}</blockquote></div>',
        "outlook desktop": '<div><div style="border:none;border-top:solid #E1E1E1 1.0pt">'
        f"<p>{rows}</p></div></div>{old}",
        "outlook web": f'<div id="appendonsend"></div><hr><div id="divRplyFwdMsg">{rows}</div>{old}',
        "outlook new": f'<div id="mail-editor-reference-message-container"><div>{rows}</div>{old}</div>',
        "outlook mobile": f'<hr style="width:98%"><div id="divRplyFwdMsg">{rows}</div>{old}',
        "a rule and labels": f"<hr><div>{rows}</div>{old}",
    }


# What stands under a mail, by language: what a phone adds, and how a person ends.
SIGNATURES = {
    "en": ("Sent from my iPhone", "Best regards,\nAnn Smith\nHead of Links\n+1 555 0100"),
    "de": ("Von meinem iPhone gesendet", "Mit freundlichen Grüßen\nAnn Schmidt\nGeschäftsführerin"),
    "fr": ("Envoyé de mon iPhone", "Cordialement,\nAnn Petit\nTél. 01 23 45 67 89"),
    "es": ("Enviado desde mi iPhone", "Un saludo,\nAna"),
    "it": ("Inviato da iPhone", "Cordiali saluti\nAnna Rossi"),
    "pt": ("Enviado do meu iPhone", "Atenciosamente,\nAna Silva"),
    "nl": ("Verstuurd vanaf mijn iPhone", "Met vriendelijke groet,\nAnn de Vries"),
    "da": ("Sendt fra min iPhone", "Med venlig hilsen\nAnn Hansen"),
    "sv": ("Skickat från min iPhone", "Med vänliga hälsningar\nAnn Svensson"),
    "fi": ("Lähetetty iPhonesta", "Ystävällisin terveisin\nAnn Virtanen"),
    "pl": ("Wysłane z iPhone'a", "Z poważaniem\nAnna Nowak"),
    "cs": ("Odesláno z iPhonu", "S pozdravem\nAnna Nováková"),
    "ru": ("Отправлено с iPhone", "С уважением,\nАнна"),
    "ja": ("iPhoneから送信", "よろしくお願いいたします。\n山田"),
    "zh": ("发自我的iPhone", "此致\n王安"),
    "ko": ("나의 iPhone에서 보냄", "감사합니다.\n김안"),
    "tr": ("iPhone'umdan gönderildi", "Saygılarımla,\nAyşe"),
    "hu": ("Elküldve az iPhone-omról", "Üdvözlettel,\nAnna"),
}
