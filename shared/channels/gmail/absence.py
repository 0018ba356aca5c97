"""What programs write for people who are away, in the languages they write it in.

Each table holds regular expressions of a few words, separated by ` | ` or a line end.
"""

from __future__ import annotations

import re

from shared.channels.gmail.phrases import any_of

_AUTOMATIC = any_of(r"""
automatic reply | auto(?:matic)?[- ]?(?:reply|response) | autoreply | auto(?=\s*[:\]])
(?:out of (?:the )?office|vacation|holiday|absence) auto[- ]?(?:reply|response)
abwesenheitsnotiz | automatische antwort | abwesenheitsbenachrichtigung | réponse automatique
message d'absence | respuesta automática | risposta automatica | resposta automática
automatisch antwoord | afwezigheidsbericht | autosvar | automatiskt svar | automatisk svar | fraværsbesked
automaattinen vastaus | autoodpowiedź | odpowiedź automatyczna | automatyczna odpowiedź
automatická odpověď | automatikus válasz | otomatik yanıt | автоматический ответ | автоответ
автоматична відповідь | balasan otomatis | 자동 ?회신 | 自動返信 | 自動応答 | 自动答复 | 自动回复 | 自動回覆 | 不在通知
رد تلقائي | خودکار جواب | תשובה אוטומטית
""")
#: Subjects that programs write; the original's subject may follow, also as `Re: …`. People answer those: `Re: Auto…`.
AUTOMATIC_SUBJECT = re.compile(rf"^\s*(?:{_AUTOMATIC}\s*(?:[:：\-–—].*)?|\[{_AUTOMATIC}\].*)$", re.IGNORECASE)

_ABSENT = any_of(r"""
(?:i am |i'm )?out of (?:the )?office | (?:i am |i'm )?on (?:vacation|leave|holiday) | vacation(?: reply)?
away from (?:the )?office
abwesend | abwesenheit | nicht im büro | absence(?: du bureau)? | absente?(?: du bureau)?
fuera de (?:la )?oficina | ausente(?: de la oficina)? | fuori (?:sede|ufficio) | assente
fora do escritório | ausência | afwezig(?:heid)? | frånvaro | fravær | poissa | nieobecność | mimo kancelář
[^:]{2,60} is (?:currently )?(?:out of (?:the )?office|on (?:vacation|leave|holiday)|away)
вне офиса | отсутствие | 부재중 | 外出 | 不在 | خارج المكتب
""")
#: Subjects of absence notes that a customer of a planning tool may just as well write.
ABSENT_SUBJECT = re.compile(rf"^\s*{_ABSENT}\b\s*(?:[:：\-–—(].*|re:.*)?$", re.IGNORECASE)

_AWAY = any_of(r"""
(?:i am|i'm|i will be|i'll be|we are) (?:currently |presently |now )?(?:out of (?:the )?office|away|travell?ing|ooo)
(?:i am|i'm|i will be|i'll be) (?:currently |presently |now )?(?:unavailable|out (?:until|through|from))
(?:i am|i'm|i will be|i'll be) (?:currently |presently |now )?on (?:\w+ )?(?:leave|vacation|holidays?|pto|business trip)
thank(?:s| you) for your (?:e-?mail|message)[.,!] (?:i am|i'm) (?:currently )?(?:out|away|on)
i (?:no longer work|have left|am no longer (?:with|at|employed)) | (?:our|the) office is closed
ticket .{0,30}(?:has been|was|is) (?:created|opened|registered)
(?:ich bin|bin ich) .{0,60}(?:nicht im (?:büro|haus)|abwesend|im urlaub|nicht erreichbar|außer haus|unterwegs)
(?:ich bin|bin ich) .{0,40}(?:in elternzeit|in mutterschutz|auf (?:dienst|geschäfts)reise|krankgeschrieben)
(?:ich befinde mich|befinde ich mich) .{0,40}(?:im urlaub|in elternzeit|auf (?:dienst|geschäfts)reise)
ich habe .{0,30}urlaub | ich arbeite nicht mehr
je (?:suis|serai) (?:actuellement |à nouveau )?(?:absente?|en congés?|en vacances|hors du bureau|en déplacement)
(?:actuellement )?absente? du bureau | je ne (?:suis|serai) pas (?:au bureau|disponible|joignable)
(?:estoy|estaré|me encuentro|me encontraré) (?:actualmente )?(?:fuera de (?:la )?oficina|de vacaciones|ausente|de viaje)
(?:estoy|estaré|me encuentro) (?:actualmente )?(?:de baja|de permiso)
(?:sono|sarò|mi trovo) (?:attualmente )?(?:fuori (?:ufficio|sede)|in ferie|assente|in vacanza|in congedo|in trasferta)
(?:estou|estarei|encontro-me) (?:atualmente )?(?:fora do escritório|de férias|ausente|em férias|de licença|em viagem)
(?:ik ben|ben ik) (?:momenteel |op dit moment )?.{0,30}(?:afwezig|niet (?:op kantoor|aanwezig|bereikbaar))
(?:ik ben|ben ik) (?:momenteel |op dit moment )?.{0,30}(?:(?:met|op) (?:vakantie|verlof|zakenreis))
jestem (?:obecnie |aktualnie )?(?:nieobecn[ya]|poza biurem|na urlopie|w delegacji|na zwolnieniu)
(?:przebywam|będę) (?:obecnie |aktualnie )?.{0,20}(?:na (?:urlopie|zwolnieniu)|nieobecn[ya]|poza biurem|w delegacji)
jag är (?:just nu |för närvarande )?(?:inte på kontoret|på semester|ledig|bortrest|föräldraledig|på (?:tjänste)?resa)
jeg (?:er|holder) (?:for tiden |i øjeblikket |for øyeblikket )?(?:ikke (?:på kontoret|til stede)|på (?:ferie|reise))
jeg (?:er|holder) (?:for tiden |i øjeblikket |for øyeblikket )?(?:bortrejst|bortreist|fraværende|ferie|på barsel)
jeg er (?:for tiden )?(?:i foreldrepermisjon|ute av kontoret|på tjenestereise)
olen (?:tällä hetkellä )?(?:poissa(?: toimistolta)?|(?:kesä|vuosi|vanhempain|sairaus)?lomalla|työmatkalla|vuosilomalla)
(?:я |в настоящее время |сейчас |временно ){0,3}(?:нахожусь|буду) (?:в|на) (?:отпуске|командировке|больничном)
(?:я )?(?:сейчас |временно )?(?:я в (?:отпуске|командировке)|в отпуске|отсутствую|буду отсутствовать|не в офисе)
(?:şu anda |şu an )?(?:ofis dışındayım|izindeyim|ofiste değilim|tatildeyim|seyahatteyim|yıllık izindeyim)
jsem .{0,20}(?:na dovolené|mimo kancelář|na služební cestě|nepřítom(?:en|na)|na nemocenské)
(?:budu|nejsem) .{0,20}(?:na dovolené|mimo kancelář|nepřítom(?:en|na)|v kanceláři)
szabadságon (?:vagyok|leszek) | nem (?:vagyok|leszek) (?:az irodában|elérhető) | házon kívül (?:vagyok|leszek)
(?:üzleti|szolgálati) úton (?:vagyok|leszek) | távol (?:vagyok|leszek)
不在にして | 不在です | 休暇をいただいて | 休暇を頂いて | 休暇中 | 外出中 | 出張中 | 出張して | 休業中
我?(?:正在|目前|现在)?(?:不在办公室|休假|外出|出差)
我?(?:正在|目前|現在)?(?:不在辦公室|休假|外出|出差)
부재중 | 휴가 중 | 휴가중 | 출장 중 | 출장중 | 자리를 비
(?:أنا )?(?:حاليا |حالياً )?(?:خارج المكتب|في إجازة|في رحلة عمل) | دفتر سے باہر | چھٹی پر
""")
_RETURN = any_of(r"""
until | through | returning | return on | i return | (?:be|am|i'm) back | if (?:it is|this is) urgent | urgent\w*
(?:limited|no) access | reopen\w* | in my absence | contact | reach out | as soon as i | within \d+
\bbis (?:zum|einschließlich|\d|mo|di|mi|do|fr|sa|so) | zurück | kehre | wieder (?:erreichbar|da|im) | dringend\w*
vertretung | wenden sie sich | weitergeleitet
jusqu | retour | urgen\w+ | contacter | hasta | regres\w+ | volver\w+ | vuelvo | contact\w+ | fino al? | rientr\w+
torn\w+ | até | retorn\w+ | voltarei | regresso | volto | tot (?:en met)? | terug | dringend | neem contact
do (?:dnia|końca|\d) | wróc\w+ | wracam | powr\w+ | piln\w+
till (?:och med)? | åter | tillbaka | kontakta | indtil | frem til | tilbage | kontakt | haster | asti | saakka | palaan
kiireelli\w+
до \d | до конца | вернусь | срочн\w+ | обра[щт]\w+ | kadar | döneceğim | dönüyorum | acil
do \d | vrátím | zpět | naléhav\w+ | \d-?ig | visszat\w+ | vissza | sürgős | elérhető (?:leszek|vagyok)
まで | 戻り | 緊急 | 至急 | 直到 | 返回 | 回来 | 紧急 | 緊急 | 까지 | 복귀 | 긴급
حتى | العودة | عاجل\w* | سأعود | تک | واپس
""")
#: Both in the first lines of a text: somebody is away, and when or who instead.
AWAY = re.compile(_AWAY, re.IGNORECASE)
UNTIL = re.compile(_RETURN, re.IGNORECASE)

_HEARD = any_of(r"""
but (?!(?:i )?(?:will|shall)\b|i'll\b) | errors? | still | fail(?:s|ed)? | crash\w* | broken | bugs? | refund
please (?:tell|send|help|fix|escalate|check|add|block|lock|cancel|move|change|delete) | tell me | let me know | call me
(?:i|we|and|also|just) (?:need|want|tried|would like) | my (?:account|access|password|subscription|invoice|question)
(?:does|do|did|is|are)(?: not|n't) (?:work|send|show|load|open|sync|export|save|start|accept|appear|visible)\w*
(?:can't|cannot|couldn't) (?:try|test|log|sign|open|see|use|export|find) | attached is | here is
wrong | incorrect\w* | missing | shows? nothing | nothing (?:happens|works|shows|arrives) | (?:is|are) (?:empty|gone)
i will try | i'll try | your (?:steps|suggestions?|instructions) | the ticket open | will send you
falsch\w* | fehlt | fehlen | leere?[nr]? | stimmt (?:\w+ )?nicht
aber | fehler\w* | immer noch | sperren | kündig\w+ | mein(?:en|em)? zugang | brauche\w* | benötige\w*
(?:geht|klappt|funktioniert|läuft) (?:\w+ )?nicht | wie (?:kann|trage|stelle)
bitte (?:senden|schicken|helfen|prüfen|löschen|ändern|erklären|sagen|stellen|richten|geben|tragen)
fausse?s? | manque | manquent | vides? | incorrecte?s?
mais (?:l|je|le|la|il|elle|cela|ça|nous|les|j)\w* | erreur\w* | toujours
ne (?:marche|fonctionne) | besoin d[e'] .{0,20}(?:fonction|export) | dites-moi | j'ai besoin
(?:veuillez|merci de|pouvez-vous) (?:bloquer|envoyer|supprimer|annuler|expliquer|ajouter)
(?:está|están) mal | vacíos? | vacías? | incorrect[oa]s? | equivocad[oa]s?
pero | errores | sigue\w* | no (?:puedo|funciona) | necesito | díga\w+ | envíe\w* | bloquee\w* | añada\w*
sbagliat[oaie] | manca | mancano | vuot[oaie] | scorrett[oaie]
però | ma (?:l'|il|la|non|ancora|ho|devo)\w* | errore | ancora
non (?:funziona|posso|riesco) | ho bisogno | bloccate | bloccare | mi (?:dica|mandi)
errad[oa]s? | faltam | vazi[oa]s?
mas | erro | continua | não (?:funciona|consigo|posso) | preciso | bloqueiem | bloqueie | enviem | envie-me
verkeerde? | ontbreekt | ontbreken | leeg | klopt (?:\w+ )?niet
maar | fout\w* | nog steeds | werkt (?:\w+ )?niet | ik heb .{0,30}nodig | blokkeer\w* | stuur (?:mij|me|ons)
błędn\w+ | brakuje | pust[yae] | niepoprawn\w+
ale | błąd\w* | nadal | nie (?:działa|mogę) | potrzebuj\w+ | zablok\w+ | proszę (?:wysłać|przesłać|usunąć|o pomoc)
men | felet | fejl\w* | feil\w* | fortfarande | stadig | fortsatt | fungerar inte | (?:virker|fungerer) ikke
behöver | jag vill | har brug for | trenger | spärra | sperr\w* | spær\w* | skicka mig
mutta | virhe\w* | edelleen | ei toimi | tarvitsen | lähettäkää minulle | sulkekaa
но | ошибк\w+ | не (?:работает|могу) | нужн\w+ | заблокир\w+ | пришлите | расскажите
ama | hata\w* | hâlâ | hala | çalışmıyor | ihtiyac\w+ | bana gönderin
chyb\w+ | pořád | stále | nefunguje | nemohu | potřebuj\w+ | zablok\w+ | pošlete
de (?:a|az) | hib[aá]\w* | továbbra | nem (?:működik|tudom) | szükségem | kérem,? (?:küld|tilt|mond)\w* | tiltsák
""")
_HEARD_UNSPACED = any_of(r"""
エラー | できません | できない | 動きません | 教えて | 必要 | 停止して
但 | 错误 | 錯誤 | 仍然 | 还是 | 不能 | 无法 | 請幫
请帮 | 需要 | 하지만 | 오류 | 여전히 | 안 ?됩니다 | 필요 | 알려 ?주 | 도와 | لكن | خطأ | لا يعمل | أحتاج | لیکن | خرابی
""")
#: What a person says about the matter itself, wherever they say it from. "If you need help" is a program's, too.
HEARD = re.compile(rf"\b{_HEARD}\b|{_HEARD_UNSPACED}", re.IGNORECASE)
#: "Is it urgent?" asks us nothing.
URGENT = re.compile(
    "urgen|dringend|eilig|piln|haster|brådsk|kiireel|срочн|acil|naléhav|sürgős|緊急|至急|紧急|긴급|عاجل", re.IGNORECASE
)
