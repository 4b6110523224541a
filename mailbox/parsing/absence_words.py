"""The words of absence: months, days and "back on" in the languages in which people are away.

Fourteen languages of Europe by words, Japanese, Chinese and Korean by their date marks.
"""

from __future__ import annotations

_MONTHS = {
    1: "january januar janvier enero gennaio janeiro januari tammikuuta stycznia ledna január января ocak "
    "ianuarie jan ene janv gen sty янв",
    2: "february februar février fevrier febrero febbraio fevereiro februari helmikuuta lutego února február "
    "февраля şubat februarie feb fév févr fev lut фев",
    3: "march märz maerz mars marzo março maart marts maaliskuuta marca března március марта mart martie "
    "mar mär mrz mrt мар",
    4: "april avril abril aprile huhtikuuta kwietnia dubna április апреля nisan aprilie apr abr avr kwi апр",
    5: "may mai mayo maggio maio mei maj toukokuuta maja května május мая mayıs mag",
    6: "june juni juin junio giugno junho kesäkuuta czerwca června június июня haziran iunie jun giu cze июн",
    7: "july juli juillet julio luglio julho heinäkuuta lipca července július июля temmuz iulie jul juil "
    "lug lip июл",
    8: "august août aout agosto augustus augusti elokuuta sierpnia srpna augusztus августа ağustos aug ago "
    "sie авг",
    9: "september septembre septiembre setiembre settembre setembro syyskuuta września září szeptember "
    "сентября eylül septembrie sep sept set wrz сен",
    10: "october oktober octobre octubre ottobre outubro lokakuuta października října október октября ekim "
    "octombrie oct okt ott out paź окт",
    11: "november novembre noviembre novembro marraskuuta listopada listopadu ноября kasım noiembrie "
    "nov lis ноя",
    12: "december dezember décembre decembre diciembre dicembre dezembro desember joulukuuta grudnia "
    "prosince декабря aralık decembrie dec dez déc dic des gru дек",
}
_WEEKDAYS = {
    0: "monday montag lundi lunes lunedì segunda segunda-feira maandag mandag måndag maanantaina "
    "poniedziałek poniedziałku pondělí hétfőn hétfő понедельник понедельника pazartesi luni",
    1: "tuesday dienstag mardi martes martedì terça terça-feira dinsdag tirsdag tisdag tiistaina wtorek "
    "wtorku úterý kedden kedd вторник вторника salı marți",
    2: "wednesday mittwoch mercredi miércoles miercoles mercoledì quarta quarta-feira woensdag onsdag "
    "keskiviikkona środa środę środy středa středu středy szerdán szerda среда среду среды çarşamba miercuri",
    3: "thursday donnerstag jeudi jueves giovedì quinta quinta-feira donderdag torsdag torstaina czwartek "
    "czwartku čtvrtek čtvrtka csütörtökön csütörtök четверг четверга perşembe joi",
    4: "friday freitag vendredi viernes venerdì sexta sexta-feira vrijdag fredag perjantaina piątek piątku "
    "pátek pátku pénteken péntek пятница пятницу пятницы cuma vineri",
    5: "saturday samstag samedi sábado sabado sabato zaterdag lørdag lördag lauantaina sobota sobotę soboty "
    "sobotu szombaton суббота субботу cumartesi sâmbătă",
    6: "sunday sonntag dimanche domingo domenica zondag søndag söndag sunnuntaina niedziela niedzielę "
    "niedzieli neděle neděli vasárnap воскресенье pazar duminică",
}
MONTH_OF = {word: number for number, words in _MONTHS.items() for word in words.split()}
WEEKDAY_OF = {word: number for number, words in _WEEKDAYS.items() for word in words.split()}


def any_of(words: dict[str, int]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


# Between these and the date stand at most 40 letters of the same sentence …
CUE = r"""(?:
    \b(?:until|till|through|back|return(?:ing|s)?|available[ ]again|resume)\b|
    \bfrom[ ][^\n!?]{1,40}?[ ](?:to|-|–)[ ]|
    \b(?:bis|ab|wieder|zurück|zurueck|erreichbar)\b|
    \bjusqu['’](?:au|à)|\b(?:retour|à[ ]partir[ ]du|reviens|reviendrai|disponible)\b|
    \bdu[ ][^\n!?]{1,30}?[ ]au[ ]|
    \b(?:hasta|regreso|regresaré|vuelvo|volveré|vuelta|a[ ]partir[ ]del)\b|\bdel[ ][^\n!?]{1,30}?[ ]al[ ]|
    \b(?:fino[ ]a|sino[ ]a|rientro|rientrerò|torno|tornerò|ritorno|ritornerò|a[ ]partire[ ]dal)|
    \bdal[ ][^\n!?]{1,30}?[ ]al[ ]|
    \b(?:regresso|regressarei|retorno|retornarei|volto|voltarei|a[ ]partir[ ]de)\b|
    \b(?:terug|weer[ ](?:aanwezig|bereikbaar)|vanaf)\b|
    \b(?:tilbage|tilbake|igen|igjen|tillbaka|åter|från[ ]och[ ]med)\b|
    \b(?:palaan|paikalla|tavoitettavissa|takaisin)\b|
    \b(?:wracam|wrócę|powracam|powrót|ponownie)\b|\b(?:vrátím|vracím|zpět|opět)\b|
    \b(?:vissza|visszatérek)\b|\b(?:вернусь|возвращаюсь|возвращения|снова)\b|
    \b(?:revin|până)\b
    )"""
# … these stand right before it …
NEAR_CUE = r"""\b(?:do|až[ ]do|til(?:l)?|t\.?o\.?m\.?|tot|t/m|tot[ ]en[ ]met|até|до|по)[ ]
    (?:dnia[ ]|den[ ]|d\.[ ]?|och[ ]med[ ]|og[ ]med[ ]|o[ ]dia[ ]|ao[ ]dia[ ]|en[ ]met[ ])?"""
# … and these right behind it.
AFTER_CUE = r"""['’]?\s?(?:まで|に戻り|に復帰|から出社|より出社|回来|返回|返岗|前|之前|恢复|까지|
    에[ ]복귀|부터|    (?:asti|saakka|alkaen)\b|-ig\b|-[áé]n\b|-t[őó]l\b|
    (?:\w{1,4}[ ])?(?:tarihine[ ]kadar|kadar|tarihinde|itibaren)\b)"""
EAST_CUE = r"(?:至|到|直到|将于|將於)"
THROUGH = (
    r"\bthrough\b|einschließlich|inclus|t/m|tot en met|included|incluido|compreso|och med|og med|włącznie|"
    r"včetně|включительно|inclusief|t\.?o\.?m"
)
AWAY = r"""out[ ]of[ ](?:the[ ]|my[ ])?office|(?:on|annual|parental|maternity|sick)[ ](?:vacation|holiday|
    leave)\b|
    away[ ]from[ ](?:my[ ]|the[ ])?(?:desk|office|e-?mail)|limited[ ]access[ ]to[ ](?:my[ ])?e-?mail|
    (?:bin|ist|befinde)\b.{0,60}?(?:abwesend|außer[ ]haus|im[ ]urlaub|nicht[ ](?:im[ ]büro|im[ ]haus|
    erreichbar|am[ ]platz))|
    nicht[ ]im[ ]büro|absent(?:e)?[ ](?:du[ ]bureau|jusqu|du[ ])|en[ ](?:congés?|vacances)|
    actuellement[ ]absent|
    fuera[ ]de[ ](?:la[ ])?oficina|de[ ]vacaciones|estoy[ ]ausente|estaré[ ]ausente|no[ ]estaré[ ]disponible|
    fuori[ ]ufficio|sono[ ](?:in[ ]ferie|assente)|in[ ]ferie|fora[ ]d[oe][ ]escritório|de[ ]férias|
    estou[ ]ausente|
    ausente[ ]do[ ]escritório|ben[ ]ik[ ](?:afwezig|niet[ ]aanwezig)|(?:met|op)[ ]vakantie|afwezig|
    (?:er|jeg[ ]er)[ ](?:på[ ]ferie|ikke[ ]på[ ]kontoret)|på[ ](?:semester|ferie|kontoret[ ]igen)|
    inte[ ]på[ ]kontoret|
    olen[ ](?:lomalla|poissa)|poissa[ ]toimistolta|jestem[ ]na[ ]urlopie|nieobecn|poza[ ]biurem|
    (?:jsem|mimo)[ ](?:na[ ]dovolené|kancelář)|na[ ]dovolené|nejsem[ ](?:v[ ]kanceláři|přítom)|
    szabadságon|nem[ ]vagyok[ ]az[ ]irodában|в[ ]отпуске|нет[ ]на[ ]месте|вне[ ]офиса|отсутствую|
    izindeyim|izinde|ofis[ ]dışında|sunt[ ](?:în[ ]concediu|plecat)|
    不在に|不在の|休暇(?:中|を)|外出中|休假|不在办公室|出差|부재중|휴가"""
