"""What programs write for people who are away, in the languages they write it in.

Each table holds regular expressions of a few words, separated by ` | ` or a line end.
"""

from __future__ import annotations

import re

from shared.channels.gmail.phrases import any_of

_AUTOMATIC = any_of(r"""
automatic reply | auto(?:matic)?[- ]?(?:reply|response) | autoreply | out of office auto[- ]?reply
abwesenheitsnotiz | automatische antwort | abwesenheitsbenachrichtigung | réponse automatique
message d'absence | respuesta automática | risposta automatica | resposta automática
automatisch antwoord | afwezigheidsbericht | autosvar | automatiskt svar | automatisk svar | fraværsbesked
automaattinen vastaus | autoodpowiedź | odpowiedź automatyczna | automatyczna odpowiedź
automatická odpověď | automatikus válasz | otomatik yanıt | автоматический ответ | автоответ
автоматична відповідь | balasan otomatis | 자동 ?회신 | 自動返信 | 自動応答 | 自动回复 | 自動回覆 | 不在通知
رد تلقائي | خودکار جواب | תשובה אוטומטית
""")
#: Subjects that only programs write; the original's subject may follow.
AUTOMATIC_SUBJECT = re.compile(rf"^\s*(?:re:\s*)?{_AUTOMATIC}\s*(?:[:：\-–—].*)?$", re.IGNORECASE)

_ABSENT = any_of(r"""
(?:i am |i'm )?out of (?:the )?office | on vacation | vacation(?: reply)? | away from (?:the )?office
abwesend | abwesenheit | nicht im büro | absence(?: du bureau)? | absente?(?: du bureau)?
fuera de (?:la )?oficina | ausente(?: de la oficina)? | fuori (?:sede|ufficio) | assente
fora do escritório | ausência | afwezig(?:heid)? | frånvaro | fravær | poissa | nieobecność | mimo kancelář
вне офиса | отсутствие | 부재중 | 外出 | 不在 | خارج المكتب
""")
#: Subjects of absence notes that a customer of a planning tool may just as well write.
ABSENT_SUBJECT = re.compile(rf"^\s*(?:re:\s*)?{_ABSENT}\b\s*(?:[:：\-–—].*|re:.*)?$", re.IGNORECASE)

_AWAY = any_of(r"""
(?:i am|i'm|i will be|i'll be) (?:currently |presently |now )?(?:out of (?:the )?office|away)
(?:i am|i'm|i will be|i'll be) (?:currently |presently )?on (?:annual |parental |sick )?(?:leave|vacation|holiday)
thank you for your (?:e-?mail|message)[.,!] (?:i am|i'm) (?:currently )?(?:out|away|on)
ich bin (?:derzeit|zurzeit|momentan|aktuell|vom|bis|ab)?.{0,40}(?:nicht im (?:büro|haus)|abwesend|im urlaub)
ich bin .{0,40}(?:nicht erreichbar|außer haus)
je suis (?:actuellement )?(?:absente?|en congés?|en vacances|hors du bureau) | (?:actuellement )?absente? du bureau
(?:estoy|estaré|me encuentro) (?:actualmente )?(?:fuera de (?:la )?oficina|de vacaciones|ausente)
(?:sono|sarò) (?:attualmente )?(?:fuori (?:ufficio|sede)|in ferie|assente|in vacanza)
(?:estou|estarei|encontro-me) (?:atualmente )?(?:fora do escritório|de férias|ausente|em férias)
ik ben (?:momenteel |op dit moment )?.{0,30}(?:afwezig|niet (?:op kantoor|aanwezig|bereikbaar)|met vakantie|op vakantie)
jestem (?:obecnie )?(?:nieobecn[ya]|poza biurem|na urlopie)
(?:przebywam|będę) .{0,20}(?:na urlopie|nieobecn[ya]|poza biurem)
jag är (?:just nu |för närvarande )?(?:inte på kontoret|på semester|ledig|bortrest|föräldraledig)
jeg er (?:for tiden |i øjeblikket |for øyeblikket )?(?:ikke (?:på kontoret|til stede)|på ferie|bortrejst|fraværende)
olen (?:tällä hetkellä )?(?:poissa(?: toimistolta)?|lomalla|vuosilomalla)
(?:я )?(?:сейчас |временно )?(?:нахожусь в отпуске|в отпуске|отсутствую|буду отсутствовать|не в офисе)
(?:şu anda |şu an )?(?:ofis dışındayım|izindeyim|ofiste değilim|tatildeyim)
不在にして | 休暇をいただいて | 休暇中 | 外出中 | 我(?:目前|现在)?(?:不在办公室|休假|外出)
我(?:目前|現在)?(?:不在辦公室|休假)
부재중 | 휴가 중 | 자리를 비 | (?:أنا )?(?:حاليا |حالياً )?(?:خارج المكتب|في إجازة) | دفتر سے باہر | چھٹی پر
""")
_RETURN = any_of(r"""
until | return\w* | be back | urgent\w* | limited access | in my absence | please contact | as soon as i
\bbis (?:zum|einschließlich|\d|mo|di|mi|do|fr|sa|so) | zurück | dringend\w* | vertretung | wenden sie sich
weitergeleitet
jusqu | retour | urgen\w+ | contacter | hasta | regres\w+ | volver\w+ | contact\w+ | fino al | rientr\w+ | torn\w+
até | retorn\w+ | voltarei | regresso | tot (?:en met)? | terug | dringend | neem contact | do dnia | wróc\w+
powr\w+ | piln\w+
till (?:och med)? | åter | tillbaka | kontakta | indtil | tilbage | kontakt | haster | asti | saakka | palaan
kiireelli\w+
до \d | вернусь | срочн\w+ | обра\w+ | kadar | döneceğim | acil
まで | 戻り | 緊急 | 至急 | 直到 | 返回 | 紧急 | 緊急 | 까지 | 복귀 | 긴급
حتى | العودة | عاجل\w* | سأعود | تک | واپس
""")
#: Both in the first lines of a text: somebody is away, and when or who instead.
AWAY = re.compile(_AWAY, re.IGNORECASE)
UNTIL = re.compile(_RETURN, re.IGNORECASE)
