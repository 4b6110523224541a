"""Subjects of machines and of people, and days of return, in the languages in which mail is answered."""

from __future__ import annotations

from datetime import date

# Language to subjects that machines give …
MACHINES = {
    "en": (
        "Automatic reply: Your page",
        "Out of Office: Your page",
        "Out of office until 10 June",
        "OOO: Your page",
        "I am out of the office",
        "On vacation Re: Your page",
        "On annual leave",
    ),
    "de": (
        "Automatische Antwort: Ihre Seite",
        "Abwesenheitsnotiz: Ihre Seite",
        "Abwesend bis 10.6.",
        "Im Urlaub",
    ),
    "fr": (
        "Réponse automatique : Votre page",
        "Absence du bureau : Votre page",
        "Message d'absence",
        "En congés",
    ),
    "es": ("Respuesta automática: Su página", "Fuera de la oficina: Su página", "Ausente hasta el lunes"),
    "it": ("Risposta automatica: La sua pagina", "Fuori ufficio: La sua pagina", "In ferie fino al 10/6"),
    "pt": ("Resposta automática: Sua página", "Ausência temporária", "Fora do escritório: Sua página"),
    "nl": (
        "Automatisch antwoord: Uw pagina",
        "Afwezig: Uw pagina",
        "Afwezigheidsbericht",
        "Op vakantie tot 10 juni",
    ),
    "da": ("Automatisk svar: Din side", "Autosvar: Din side", "Ikke på kontoret", "På ferie til 10. juni"),
    "sv": ("Automatiskt svar: Din sida", "Frånvaromeddelande", "Frånvarande: Din sida", "På semester"),
    "no": ("Automatisk svar: Siden din", "Fraværsmelding", "Ikke på kontoret: Siden din"),
    "fi": ("Automaattinen vastaus: Sivusi", "Poissa toimistolta: Sivusi", "Lomalla"),
    "pl": (
        "Odpowiedź automatyczna: Strona",
        "Automatyczna odpowiedź: Strona",
        "Poza biurem",
        "Na urlopie do 10.06",
    ),
    "cs": ("Automatická odpověď: Stránka", "Mimo kancelář: Stránka", "Na dovolené"),
    "hu": ("Automatikus válasz: Az oldala", "Házon kívül: Az oldala", "Szabadságon"),
    "ru": ("Автоматический ответ: Страница", "Автоответ: Страница", "В отпуске", "Вне офиса: Страница"),
    "ja": ("自動応答: ページについて", "自動返信: ページ", "不在通知", "休暇中"),
    "zh": ("自动回复: 您的页面", "自動回覆: 您的頁面", "不在办公室"),
    "ko": ("자동 회신: 페이지", "자동응답: 페이지", "부재중"),
    "tr": ("Otomatik yanıt: Sayfanız", "Ofis dışında: Sayfanız", "İzindeyim"),
    "ro": ("Răspuns automat: Pagina", "În concediu"),
    "el": ("Αυτόματη απάντηση: Η σελίδα", "Εκτός γραφείου"),
    "uk": ("Автоматична відповідь: Сторінка",),
}
# … and what people write, about the same things.
PEOPLE = {
    "en": (
        "Re: Your page",
        "Re: Automatic reply: Your page",
        "Fwd: Out of Office: Your page",
        "Out of office furniture and your page",
        "Automatic replies on our site",
        "Vacation rentals and a link",
        "Absence of the link",
        "On holiday homes",
        "Away from home: an article",
    ),
    "de": (
        "AW: Ihre Seite",
        "AW: Automatische Antwort: Ihre Seite",
        "Urlaub am Meer",
        "Abwesenheitsmanagement im Büro",
    ),
    "fr": ("RE : Votre page", "Absence de lien", "Vacances en France", "En congé menstruel : un article"),
    "es": ("RE: Su página", "Vacaciones en España", "De vacaciones por España"),
    "it": ("R: La sua pagina", "Ferie e permessi", "In ferie con i bambini"),
    "pt": ("RE: Sua página", "Férias no Brasil", "De férias em família"),
    "nl": ("Antw: Uw pagina", "Vakantie in Zeeland", "Op vakantie naar Spanje"),
    "da": ("SV: Din side", "Ferie i Danmark"),
    "sv": ("SV: Din sida", "Semester i Sverige"),
    "no": ("SV: Siden din", "Ferie i Norge"),
    "fi": ("VS: Sivusi", "Loma Suomessa"),
    "pl": ("Odp: Strona", "Urlop w Polsce"),
    "cs": ("Re: Stránka", "Dovolená v Česku"),
    "hu": ("Vá: Az oldala", "Szabadság és munka"),
    "ru": ("Re: Страница", "Отпуск в Крыму"),
    "ja": ("Re: ページについて", "休暇の過ごし方", "自動車の記事"),
    "zh": ("回复: 您的页面", "休假旅行", "自动化文章"),
    "ko": ("Re: 페이지", "휴가 여행", "자동차 기사"),
    "tr": ("Ynt: Sayfanız", "İzin günleri"),
    "ro": ("Re: Pagina", "Concediu la mare"),
    "el": ("Απ: Η σελίδα", "Διακοπές στην Ελλάδα"),
    "uk": ("Re: Сторінка",),
}
# What a machine says of the return; its mail is of Monday, 3 June 2024.
RETURNS = {
    "en": (
        ("I will be back on Monday, June 10th.", date(2024, 6, 10)),
        ("I am out of the office until Friday 7 June.", date(2024, 6, 7)),
        ("Away from June 5 to June 20, 2024.", date(2024, 6, 20)),
        ("Away through 2024-06-20.", date(2024, 6, 21)),
        ("I return on\nJuly 1,\n2024", date(2024, 7, 1)),
        ("Out until Monday.", date(2024, 6, 10)),
        ("Back on January 7.", date(2025, 1, 7)),
        ("I am back 06/03/2024 or so.", None),
        ("Back on 31 June.", None),
        ("I was away until 3 June 2020.", None),
        ("Away until further notice. Call me on 5 June.", None),
        ("Back at 10:30.", None),
        ("I am out of the office. Please do call 5 June Street.", None),
    ),
    "de": (
        ("Ich bin bis zum 14.06.2024 im Urlaub.", date(2024, 6, 14)),
        ("Vom 3. bis einschließlich 12. Juni bin ich abwesend.", date(2024, 6, 13)),
        ("Ab dem 3. Juli bin ich wieder erreichbar.", date(2024, 7, 3)),
        ("Ich bin am Montag, 10. 6. 2024 wieder da: ab 10. 6. 2024.", date(2024, 6, 10)),
    ),
    "fr": (
        ("Je suis absente jusqu'au 12 juin 2024 inclus.", date(2024, 6, 13)),
        ("En congés du 3 au 15 juin.", date(2024, 6, 15)),
        ("De retour le 17/06/2024", date(2024, 6, 17)),
        ("Je serai de retour lundi.", date(2024, 6, 10)),
    ),
    "es": (
        ("Estoy fuera de la oficina hasta el 3 de julio.", date(2024, 7, 3)),
        ("Vuelvo el lunes.", date(2024, 6, 10)),
        ("Regreso el 17 de junio de 2024.", date(2024, 6, 17)),
    ),
    "it": (
        ("Sono in ferie fino al 14 giugno 2024.", date(2024, 6, 14)),
        ("Rientrerò il 17/06/2024.", date(2024, 6, 17)),
        ("Sarò assente dal 3 al 14 giugno compreso.", date(2024, 6, 15)),
    ),
    "pt": (
        ("Estou de férias até 14 de junho de 2024.", date(2024, 6, 14)),
        ("Retorno em 17/06/2024.", date(2024, 6, 17)),
        ("Estarei ausente até o dia 20 de junho.", date(2024, 6, 20)),
    ),
    "nl": (
        ("Ik ben afwezig tot 14 juni.", date(2024, 6, 14)),
        ("Ik ben op vakantie tot en met 14 juni 2024.", date(2024, 6, 15)),
        ("Maandag 17 juni ben ik weer bereikbaar, vanaf 17 juni.", date(2024, 6, 17)),
    ),
    "da": (
        ("Jeg er på ferie til 14. juni.", date(2024, 6, 14)),
        ("Jeg er tilbage den 17. juni 2024.", date(2024, 6, 17)),
    ),
    "sv": (
        ("Jag är på semester till och med 14 juni.", date(2024, 6, 15)),
        ("Jag är tillbaka den 17 juni 2024.", date(2024, 6, 17)),
        ("Jag är åter måndag.", date(2024, 6, 10)),
    ),
    "no": (("Jeg er tilbake 17. juni.", date(2024, 6, 17)), ("På ferie til 14.6.2024.", date(2024, 6, 14))),
    "fi": (
        ("Olen lomalla 14.6.2024 asti.", date(2024, 6, 14)),
        ("Palaan töihin 17. kesäkuuta.", date(2024, 6, 17)),
    ),
    "pl": (
        ("Jestem na urlopie do 14 czerwca 2024.", date(2024, 6, 14)),
        ("Wracam 17.06.2024.", date(2024, 6, 17)),
        ("Jestem na urlopie do 14 czerwca włącznie.", date(2024, 6, 15)),
    ),
    "cs": (
        ("Jsem na dovolené do 14. 6. 2024.", date(2024, 6, 14)),
        ("Vrátím se 17. června.", date(2024, 6, 17)),
    ),
    "hu": (
        ("Szabadságon vagyok 2024. június 14-ig.", date(2024, 6, 14)),
        ("Június 17-én térek vissza.", date(2024, 6, 17)),
    ),
    "ru": (
        ("Я в отпуске до 14 июня 2024.", date(2024, 6, 14)),
        ("Я в отпуске по 14 июня включительно.", date(2024, 6, 15)),
        ("Вернусь 17.06.2024.", date(2024, 6, 17)),
    ),
    "ja": (
        ("6月14日まで不在にしております。", date(2024, 6, 14)),
        ("2024年6月17日に戻ります。", date(2024, 6, 17)),
    ),
    "zh": (("我正在休假，6月17日回来。", date(2024, 6, 17)), ("休假至2024年6月14日。", date(2024, 6, 14))),
    "ko": (
        ("6월 14일까지 부재중입니다.", date(2024, 6, 14)),
        ("2024년 6월 17일에 복귀합니다.", date(2024, 6, 17)),
    ),
    "tr": (
        ("14 Haziran 2024 tarihine kadar izindeyim.", date(2024, 6, 14)),
        ("17 Haziran tarihinde ofiste olacağım.", date(2024, 6, 17)),
    ),
}
