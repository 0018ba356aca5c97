"""What mail clients write around a quote and under a message, in the languages they write it in.

Each table holds regular expressions of a few words, separated by ` | ` or a line end.
"""

from __future__ import annotations

import re


def any_of(table: str) -> str:
    """One group of all expressions of a table."""
    found = (phrase.strip() for line in table.strip().splitlines() for phrase in line.split(" | "))
    return "(?:" + "|".join(phrase for phrase in found if phrase) + ")"


_WROTE = any_of(r"""
wrote | writes | schrieb | schreibt | a écrit | écrit | escribió | escribio | escreveu | ha scritto | scrisse
schreef | skrev | kirjoitti | napisał | napisała | pisze | написал | написала | пишет | писал | написав | пише
έγραψε | yazdı | a scris | írta | napsal | napsala | napísal | napísala | je napisao | je napisal | menulis
đã viết | viết
""")
_WROTE_UNSPACED = any_of(r"""
写道 | 寫道 | のメール | さんは書きました | 님이 작성 | 작성: | كتب | كتبت | بواسطة | כתב | نے لکھا | ने लिखा | เขียนว่า
""")
#: "… wrote:" of an attribution line, wherever the language puts the verb.
WROTE = re.compile(rf"\b{_WROTE}\b|napisał\(a\)|{_WROTE_UNSPACED}", re.IGNORECASE)

#: "On Monday I wrote:" is the writer's own sentence, not a client's.
OF_THE_WRITER = re.compile(
    r"\b(?:i|we|ich|wir|je|j['’]ai|nous|yo|nosotros|io|noi|eu|nós|ik|wij|jeg|vi|jag|ja|я|мы)\b", re.IGNORECASE
)

_ORIGINAL = any_of(r"""
original message | original appointment | reply message | reply separator | ursprüngliche nachricht
original-?nachricht | weitergeleitete nachricht | message d'origine | message original | mensaje original
messaggio originale | mensagem original | oorspronkelijk bericht | ursprungligt meddelande
oprindelig meddelelse | opprinnelig melding | alkuperäinen viesti | wiadomość oryginalna
oryginalna wiadomość | původní zpráva | pôvodná správa | eredeti üzenet | mesaj original
исходное сообщение | оригинальное сообщение | оригінальне повідомлення | αρχικό μήνυμα
orijinal mesaj | orijinal ileti | özgün ileti | pesan asli | tin nhắn gốc | 原始邮件 | 原始郵件 | 原邮件
元のメッセージ | 원본 메시지 | 원본 메세지 | الرسالة الأصلية | ההודעה המקורית | اصل پیغام
""")
#: A line of its own between a message and the one it answers; dashes or equal signs around it.
ORIGINAL = re.compile(
    rf"^[\s>*]*(?:[-_=–—]{{2,}}\s*{_ORIGINAL}\s*[-_=–—]{{2,}}|-{{6,}}\s*original\s*-{{6,}}"
    rf"|-{{3,}}+.{{3,200}}\b{_WROTE}\s*:?\s*-{{3,}})\s*$",
    re.IGNORECASE,
)

#: The same without dashes, which is one only where a header stands below it.
BARE_ORIGINAL = re.compile(rf"^\s*{_ORIGINAL}\s*$", re.IGNORECASE)

#: The line that a help desk puts above its own words, so as to find the answer again.
REPLY_ABOVE = re.compile(
    r"^\W{2,20}(?=.{0,60}\b(?:reply|respond|type|write|antwort|schreib|répon|écri|respon|escrib|escrev|rispo|scriv|antwoord"
    r"|svar|odpowie))(?=.{0,90}\b(?:above|oberhalb|über|au-dessus|ci-dessus|arriba|encima|sopra|acima|boven|ovanför|over"
    r"|powyżej)\b).{5,120}\W{2,20}$",
    re.IGNORECASE,
)

_FORWARDED = any_of(r"""
forwarded message | forwarded by | weitergeleitete nachricht | message transféré | mensaje reenviado
messaggio inoltrato | mensagem encaminhada | doorgestuurd bericht | vidarebefordrat meddelande
videresendt meddelelse | wiadomość przekazana dalej | пересылаемое сообщение | пересланное сообщение
转发的邮件 | 轉寄郵件 | 転送メッセージ | 전달된 메일 | رسالة مُعاد توجيهها
""")
_BEGIN_FORWARDED = any_of(r"""
begin forwarded message | anfang der weitergeleiteten nachricht | anfang der weitergeleiteten e-mail
début du message transféré | inicio del mensaje reenviado | inizio messaggio inoltrato
início da mensagem encaminhada
""")
#: A forwarded message follows: often the very matter the customer writes about.
FORWARDED = re.compile(rf"^[\s*]*(?:[-_=–—]{{2,}}\s*{_FORWARDED}.{{0,80}}|{_BEGIN_FORWARDED}\s?:?)\s*$", re.IGNORECASE)

# The four kinds of label in the header that Outlook and others put above a quote.
_FROM = any_of(r"""
from | von | de | da | van | från | fra | lähettäjä | od | от | від | από | kimden | gönderen | feladó | de la
dari | 发件人 | 寄件者 | 寄件人 | 差出人 | 送信者 | 보낸 ?사람 | من | מאת
""")
_SENT = any_of(r"""
sent | date | gesendet | datum | envoyé | envoyé le | enviado | enviado el | enviada em | fecha | data
inviato | verzonden | skickat | sendt | dato | lähetetty | päivämäärä | wysłano | wysłane | odesláno
odoslané | отправлено | дата | надіслано | ημερομηνία | στάλθηκε | gönderildi | tarih | gönderme tarihi
elküldve | dátum | trimis | tanggal | 发送时间 | 发送日期 | 日期 | 時間 | 寄件日期 | 送信日時 | 日時
보낸 ?날짜 | 날짜 | تاريخ الإرسال | التاريخ | إرسال | נשלח | תאריך
""")
_TO = any_of(r"""
to | an | à | a | para | aan | till | til | vastaanottaja | do | komu | кому | προς | kime | alıcı | címzett
către | kepada | 收件人 | 收件者 | 宛先 | 받는 ?사람 | إلى | אל | cc | kopie | copie | copia | kopia | kopi
копия | 抄送 | 副本 | 참조 | نسخة | reply-to
""")
_SUBJECT = any_of(r"""
subject | betreff | objet | asunto | assunto | oggetto | onderwerp | ämne | emne | aihe | temat | předmět
predmet | тема | θέμα | konu | tárgy | subiect | subjek | 主题 | 主旨 | 件名 | 제목 | الموضوع | נושא
""")


def _label(words: str) -> re.Pattern[str]:
    return re.compile(rf"^[\s>*_]*{words}[\s\xa0]*\*?[:：]", re.IGNORECASE)


LABELS = {"from": _label(_FROM), "sent": _label(_SENT), "to": _label(_TO), "subject": _label(_SUBJECT)}

_SENT_VERB = any_of(r"""
sent | gesendet | envoyé | enviado | inviato | verzonden | verstuurd | skickat | sendt | lähetetty | wysłane | wysłano
отправлено | odesláno | gönderildi | trimis | dikirim
""")
_SENT_FROM = any_of(r"""
from | via | with | using | von | mit | aus | depuis | de | à partir de | desde | do | da | dal | con
vanaf | vanuit | van | met | från | fra | z | ze | с | из | od | dari
""")
_SENT_OTHERWISE = any_of(r"""
sent from my (?:mobile|phone|smartphone|cell)\b.{0,40}\b(?:excuse|forgive)\b.{0,20}\b(?:brevity|typos)\b.{0,30}
provenance\s?: courrier .{0,40} | (?:скачать|завантажити) outlook .{0,60} | yahoo mail: search, organi[sz]e, conquer
envoyé à partir d['’]outlook .{0,40} | wysłan[eo] z (?:programu|aplikacji) .{0,60} | 発信元: ?(?:iphone|ipad).{0,10}
envoyé avec (?:la messagerie sécurisée )?proton ?mail\.? | enviado con proton ?mail,? correo (?:electrónico )?seguro\.?
inviato con l['’]e-?mail sicura (?:di )?proton ?mail\.? | verzonden met proton ?mail,? beveiligde e-?mail\.?
wysłan[eo] bezpiecznie .{0,20}proton ?mail\.? | .{0,20}(?:メール|アプリ|app) ?から送信 | 从我的.{0,40}发送
(?:von|vom) mein[\w/]* .{0,60}\bgesendet\.?(?: bitte entschuldigen .{0,40}(?:tippfehler|kürze)\.?)?
diese nachricht wurde von mein[\w/]* .{0,80}
get outlook for \w+.{0,60} | outlook für \w+.{0,80} | télécharg\w+ outlook .{0,60}
.{0,40}\boutlook\b.{0,40}<?https://aka\.ms/\S+.{0,40}
(?:obtener|obter o|ottieni|hämta|hent|pobierz|hanki) outlook\b.{0,60}
.{0,30}(?:iphone|ipad|galaxy|android)\S{0,12} (?:cihazımdan )?gönderildi
lähetetty \S*(?:iphone|ipad|samsung|outlook)\S*.{0,40}
this e-?mail has been (?:checked|scanned) for viruses.{0,80}
gesendet mit (?:der )?proton ?mail .{0,60}
diese e-?mail wurde .{0,40}auf viren (?:geprüft|überprüft).{0,80}
(?:cet e-?mail|ce courriel) a été vérifié par .{0,100}
(?:virus-free|virenfrei|sans virus|libre de virus|senza virus|virusvrij|livre de vírus|wolny od wirusów)\.?.{0,150}
.{0,40}(?:iphone|ipad|galaxy|android|xperia)\s?から送信.{0,10}
发自我的.{0,40} | 從我的.{0,40}傳送 | 나의 .{0,30}에서 보냄
تم الإرسال من .{0,60} | أُرسلت من .{0,60} | میرے .{0,30} سے بھیجا گیا
""")
_SENT_OTHERWISE_LINE = re.compile(rf"^\s*(?:{_SENT_OTHERWISE})\s*$", re.IGNORECASE)
_SENT_BY = re.compile(rf"^\s*{_SENT_VERB}\s+{_SENT_FROM}\b(.{{0,120}})$", re.IGNORECASE)
# An app that no list has: one word, and the link that advertises it.
_SENT_BY_LINK = re.compile(rf"^\s*(?i:{_SENT_VERB}\s+{_SENT_FROM})\s+[A-Z]\w{{2,30}}\s?<https?://[^\s<>]{{1,300}}>\s*$")
_DEVICE = re.compile(
    any_of(r"""
iphon | ipad | ipod | apple | mac | android | samsung | galaxy | huawei | honor | xiaomi | redmi
nokia | sony | xperia | htc | lg | motorola | moto | pixel | oneplus | oppo | blackberry | windows | outlook
yahoo | gmail | e-?mail | aol
proton | spark | airmail | thunderbird | mobil | handy | smartphone | t[eé]l[eéè]f | telefon | phone | téléphone
tablet | t-mobile | verizon | at&t | fairemail | k-9 | telekom | gmx | web\.de | edison | bluemail | nine | canary
hey$ | superhuman | zoho | tuta | yandex | яндекс | naver | daum | foxmail | surface | chromebook | móvil | celular
cellulare
device | gerät | appar | dispositivo | urządzeni | zařízení | enhet | enhed | toestel | laitt
устройств | почт | айфон | телефон | puhelim | matkapuhel | komórk | почты | mail\.ru
laposte
orange | ios | x?mail
"""),
    re.IGNORECASE,
)
_BESIDE = re.compile(
    r"(?:my|mein\w*|mon|ma|mi|il|mio|mia|meu|minha|mijn|min|mitt|moj\w*|mojej|mojego|моего|моей|for|für|für|pour|para|per|voor"
    r"|för|til|dla|для|on|auf|sur|en|op|the|a|an|de|der|die|le|la|el|via|using|with|mit|app|version|free|plus|pro|max|mini"
    r"|ultra|lte|client|desktop|web|secure|laitteest\w*|from|and)$",
    re.IGNORECASE,
)


def is_device(line: str) -> bool:
    """Whether a device or an app added the line: nothing but its name and little words may follow "sent from"."""
    if _SENT_OTHERWISE_LINE.match(line) or _SENT_BY_LINK.match(line):
        return True
    found = _SENT_BY.match(line.rstrip())
    if found is None:
        return False
    words = [word.strip('<>()[],.®™*"') for word in found[1].split()]
    named = [word for word in words if _DEVICE.match(word)]
    rest = [word for word in words if not _DEVICE.match(word) and not _BESIDE.match(word)]
    return bool(named) and all(word[:1].isupper() or not word.isalpha() for word in rest)


#: How the paragraph of a legal notice begins: it speaks of this very mail.
_MAIL = any_of(r"""
e-?mails? | messages? | mails? | communications? | transmissions? | nachrichten? | courriels? | messagi?o?
correos? | mensajes? | mensagem | bericht\w* | comunicaci[oó]n\w* | comunicação | wiadomo\w* | сообщени\w* | письмо
mesaj\w* | ileti\w* | e-?posta\w*
viesti\w* | meddeland\w* | melding\w* | zpráv\w* | sähköposti\w*
""")
_HEADING = any_of(r"""
confidentiality(?: notice)? | confidential | disclaimer | notice | important | legal notice | vertraulichkeitshinweis
hinweis | wichtiger hinweis | aviso(?: legal| de confidencialidad)? | avis(?: de confidentialité)?
confidentialité | avviso
""")
NOTICE = re.compile(
    rf"\W{{0,20}}(?:{_HEADING}\W{{1,20}})?(?:"
    r"(?:this|the|diese[rs]?|die|der|ce|cet|cette|le|les|este|esta|el|la|questo|questa|il|le|o|a|dit|deze|de|ten|ta|to"
    rf"|niniejsz\w{{1,3}}|данное|это|настоящее|bu|tämä|detta|denna|dette|denne|tato|acest)\W(?:[\w’']{{1,20}}\W{{1,3}}){{0,4}}?{_MAIL}\b"
    r"|(?:the|all|any) information contained|die (?:in dieser|informationen)|les informations contenues"
    r"|la información contenida|le informazioni contenute|as informações contidas|de informatie"
    r"|本邮件|本郵件|此邮件|这封邮件|このメール|本メール|이 메일|본 메일|هذه الرسالة|هذا البريد|תוכן הודעה)",
    re.IGNORECASE,
)

#: Both must stand in a paragraph that is a legal notice, not a matter of the customer's.
CONFIDENTIAL = re.compile(
    any_of(
        "confid[ei]n | vertraulich | riservat | vertrouwelijk | poufn | конфиденциальн | 保密 | 機密 | سري | privileged"
    ),
    re.IGNORECASE,
)
INTENDED = re.compile(
    any_of(r"""
intended (?:only |solely |for) | (?:intended|named) (?:recipient|addressee) | bestimm\w+ (?:empfänger|für)
empfänger | adressat | destinat[aá] | destinatari | geadresseerde | bestemd | adresat | адресат | получател | 收件人
受信者 | المرسل إليه | للمرسل إليه
"""),
    re.IGNORECASE,
)

#: A paragraph of its own below many a signature: all must stand in it. It asks to think before this mail is printed.
FOOTER = (
    re.compile(
        any_of(r"""
environment | print | umwelt | druck | environnement | imprim | ambiente | stampa | miljø | miljö | milieu
"""),
        re.IGNORECASE,
    ),
    re.compile(rf"\b{_MAIL}\b", re.IGNORECASE),
    re.compile(
        any_of(r"""
please | think | consider | save
bitte | denk | pens | merci | por favor | piens | protege | proteg | proteja | tænk | tänk | tenk
"""),
        re.IGNORECASE,
    ),
)

_CLOSING = any_of(r"""
(?:(?:with )?(?:best|kind|warm|kindest|warmest|many) )?(?:regards|wishes|greetings|thanks)
sincerely(?: yours)? | yours (?:sincerely|faithfully|truly) | thanks(?: (?:again|in advance|a lot|so much))?
thank you(?: (?:again|in advance|very much))? | cheers | all the best | best | respectfully
mit (?:freundlichen|besten|herzlichen|lieben|vielen) gr(?:ü|ue)(?:ß|ss)en
(?:viele|beste|liebe|schöne|herzliche) gr(?:ü|ue)(?:ß|ss)e | mfg | lg | vg
cordialement | bien (?:cordialement|à vous) | salutations(?: distinguées)?
(?:reciban? )?(?:un )?(?:cordial )?saludos?(?: cordiales)? | atentamente | cordialmente
(?:cordiali|distinti) saluti | saluti | (?:un )?cordiale saluto | sincères salutations | herzlichst
(?:met )?(?:vriendelijke|hartelijke) groet(?:en)? | mvg | groet(?:en|jes)? | atenciosamente | att | abraços
(?:com )?(?:os )?(?:meus )?(?:melhores )?cumprimentos
med vänliga? hälsning(?:ar)? | mvh | (?:med )?venlig hilsen | med vennlig hilsen | ystävällisin terveisin
pozdrawiam | pozdrowienia | z (?:poważaniem|wyrazami szacunku) | с уважением | saygılarımla
مع (?:(?:أطيب|خالص) )?التحي(?:ات?|ة) | 此致 | 敬具
よろしくお願い(?:いた|致)?します
""")
#: "Best regards," and its like: a name and contact details may follow.
CLOSING = re.compile(rf"^\s*{_CLOSING}\s*[,.!،。]*\s*$", re.IGNORECASE)

#: A subject of a mail that answers or forwards another, in the languages that programs write it in.
ANSWERS = re.compile(
    r"\s*(?:re|aw|sv|antw|res|rif|r|vs|odp|ynt|bls|vá|отв|на|απ|σχετ|fwd?|wg|tr|rv|enc|i|vb|vl|pd|doorst|ilt"
    r"|回复|答复|回覆|返信|转发|轉寄|転送|회신|전달|رد|الرد|הנדון)(?:\[\d+\])?\s*[:：]",
    re.IGNORECASE,
)
