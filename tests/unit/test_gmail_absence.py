"""Absence notes that say nothing in their headers, and people who write of an absence: in the languages of both."""

from __future__ import annotations

import time

import pytest

from shared.channels.gmail.inbound import understand
from tests.conftest import make_settings

_SETTINGS = make_settings(gmail_mailbox="support@example.com")
_REPLY = "Re: Export\r\nIn-Reply-To: <fte.1@example.com>"


def _ignored(subject: str, text: str) -> str:
    head = f"From: Ada <ada@example.org>\r\nSubject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    return understand(f"{head}{text}\r\n".encode(), _SETTINGS).ignored


_NOTES = {
    "en": [
        "Thank you for your email. The office is closed for the holidays and will reopen on January 2.",
        "Thank you for your message. I am out of the office until 9 November. In urgent cases write to Grace.",
        "I am on PTO through Dec 3. For anything pressing, reach out to bob@example.org.",
        "Hi, I'm currently travelling with no access to email and will reply when I'm back on Monday.",
        "I no longer work at Example Ltd. Please contact bob@example.org.",
        "Your message has been received and a ticket (#1234) has been created. We aim to respond within 24 hours.",
        "I am out of the office until December 3. Is it urgent? Please contact Bob.",
    ],
    "de": [
        "Guten Tag,\n\nich bin bis zum 9. November nicht im Büro. In dringenden Fällen hilft Grace.",
        "Guten Tag, ich befinde mich derzeit im Urlaub und bin ab dem 4.12. wieder erreichbar.",
        "Ich bin in Elternzeit und kehre am 1.3.2027 zurück.",
        "Ich bin vom 1. bis 5. Dezember außer Haus. Ihre Mail wird nicht gelesen; dringend: info@example.org",
        "Derzeit bin ich auf Dienstreise und ab Montag wieder da. Meine Vertretung ist Grace.",
    ],
    "fr": [
        "Je suis absent jusqu'au 3 décembre et ne manquerai pas de vous répondre à mon retour.",
        "Bonjour, je suis absente du bureau jusqu'au 9 novembre. En cas d'urgence, contactez Grace.",
        "Je suis actuellement en congé et serai de retour le 4 décembre.",
        "Merci pour votre message. Je serai absente jusqu'au 3 décembre inclus.",
        "Je suis en déplacement jusqu'à lundi.",
        "Bonjour, je ne suis pas joignable ; retour le 4 décembre.",
    ],
    "es": [
        "Hola, estoy fuera de la oficina hasta el 9 de noviembre.",
        "Gracias por su mensaje. Actualmente me encuentro de vacaciones y regresaré el 4 de diciembre.",
        "Estaré de vacaciones hasta el día 3.",
        "Estaré de viaje hasta el lunes. Para temas urgentes contacte con Ana.",
        "Estoy de baja y vuelvo el 4 de diciembre.",
    ],
    "it": [
        "Sarò in ferie fino a venerdì.",
        "Buongiorno, sono fuori ufficio fino al 9 novembre.",
        "Grazie per l'email. Sarò assente dal 1 al 3 dicembre, risponderò al mio rientro.",
        "Sono in ferie fino al 3 dicembre.",
        "Mi trovo in trasferta; per urgenze contattare Marco.",
        "Sono in congedo e torno il 4 dicembre.",
    ],
    "pt": [
        "Olá, estou fora do escritório até 9 de novembro.",
        "Estou de férias até 3 de dezembro. Em caso de urgência, contate a Ana.",
        "Estarei ausente do escritório até o dia 3 e responderei ao meu retorno o mais breve possível.",
        "Encontro-me ausente e volto a 4 de dezembro.",
        "Estou de licença até março.",
    ],
    "nl": [
        "Ik ben momenteel niet op kantoor en ben terug op 9 november.",
        "Bedankt voor uw bericht. Momenteel ben ik met vakantie. Op 4 december ben ik weer terug.",
        "Ik ben afwezig tot en met 3 december.",
        "Ik ben met verlof tot 3 december. Stuur een mail naar Jan.",
        "Ik ben deze week niet bereikbaar; neem contact op met Jan.",
    ],
    "pl": [
        "Jestem nieobecny do dnia 9 listopada.",
        "Przebywam na zwolnieniu lekarskim do 3 grudnia. W sprawach pilnych proszę o kontakt z biurem.",
        "Dzień dobry, jestem na urlopie do dnia 3 grudnia.",
        "Jestem w delegacji, wracam 4 grudnia.",
        "Będę nieobecna do końca tygodnia.",
    ],
    "sv": [
        "Jag är inte på kontoret och är tillbaka den 9 november.",
        "Jag är på semester till och med 3 december. Vid brådskande ärenden kontakta Eva.",
        "Jag är föräldraledig till mars.",
        "Jag är bortrest och åter den 4 december.",
        "Jag är ledig idag; kontakta Eva.",
    ],
    "no": [
        "Jeg er bortreist frem til 3. desember. Ved hastesaker kontakt Eva.",
        "Jeg er på ferie og er tilbage 4. desember.",
        "Jeg er ikke til stede; kontakt Eva.",
        "Jeg er i foreldrepermisjon. Kontakt Eva.",
        "Jeg er på reise frem til mandag.",
    ],
    "da": [
        "Jeg er på ferie og er tilbage den 9. november.",
        "Jeg er på ferie indtil 3. december. Kontakt Eva hvis det haster.",
        "Jeg holder ferie indtil mandag.",
        "Jeg er bortrejst og tilbage den 4. december.",
        "Jeg er på barsel. Kontakt Eva.",
    ],
    "fi": [
        "Olen lomalla 9.11. asti.",
        "Olen lomalla 3.12. asti. Kiireellisissä asioissa ota yhteyttä Eevaan.",
        "Olen poissa toimistolta, palaan 4.12.",
        "Olen kesälomalla 3.8. saakka.",
        "Olen työmatkalla 3.12. asti.",
    ],
    "ru": [
        "Здравствуйте! Я нахожусь в отпуске до 9 ноября.",
        "Добрый день. В настоящее время нахожусь в командировке, вернусь 4 декабря.",
        "Я в отпуске до 3 декабря. По срочным вопросам обращайтесь к Анне.",
        "Буду отсутствовать до 3 декабря.",
        "Нахожусь на больничном, вернусь в понедельник.",
    ],
    "tr": [
        "Şu anda ofis dışındayım, 9 Kasım'da döneceğim.",
        "3 Aralık'a kadar izindeyim. Acil durumlar için Ayşe ile iletişime geçin.",
        "Şu anda tatildeyim, pazartesi dönüyorum.",
        "Pazartesiye kadar seyahatteyim.",
        "Bugün ofiste değilim. Acil durumda Ayşe'yi arayın.",
    ],
    "ja": [
        "休暇をいただいております。11月9日に戻ります。",
        "ただいま出張中のため、返信が遅れます。12月4日に戻ります。",
        "12月3日まで休暇中です。",
        "外出中です。緊急の場合は田中までご連絡ください。",
        "12月3日まで不在です。",
    ],
    "zh": [
        "我目前不在办公室，11月9日返回。",
        "您好，我正在休假，12月4日返回。如有紧急事宜请联系张三。",
        "我正在出差，12月4日回来。",
        "我目前外出，直到周一。",
        "我現在不在辦公室，緊急事宜請聯絡張三。",
    ],
    "ko": [
        "현재 부재중이며 11월 9일에 복귀합니다.",
        "현재 휴가 중입니다. 12월 4일 복귀 예정입니다. 긴급한 경우 김에게 연락하세요.",
        "12월 3일까지 출장 중입니다.",
        "자리를 비웠습니다. 긴급한 경우 전화 주세요.",
        "휴가 중이며 월요일까지 답장이 늦습니다.",
    ],
    "cs": [
        "Jsem na dovolené do 3. prosince. V naléhavých případech kontaktujte Evu.",
        "Jsem mimo kancelář, vrátím se v pondělí.",
        "Budu nepřítomna do 3. prosince.",
        "Jsem na služební cestě, zpět budu v pondělí.",
        "Nejsem v kanceláři do 4. prosince.",
    ],
    "hu": [
        "December 3-ig szabadságon vagyok. Sürgős esetben keresse Évát.",
        "Házon kívül vagyok, hétfőn visszatérek.",
        "Nem vagyok az irodában, sürgős esetben hívja Évát.",
        "Üzleti úton vagyok december 3-ig.",
        "Szabadságon leszek 9-ig.",
    ],
    "ar": [
        "أنا خارج المكتب حتى 9 نوفمبر.",
        "أنا في إجازة وسأعود يوم 4 ديسمبر.",
    ],
    "ur": [
        "میں 9 نومبر تک دفتر سے باہر ہوں۔",
    ],
}
_PEOPLE = {
    "en": [
        "I will be away until Monday. The calendar sync shows nothing.",
        "I am on vacation until Friday. Two of my shifts are missing in the plan.",
        "I'm travelling until Monday, the invoice is wrong, it says 30 users.",
        "I'm out of the office until Monday, then I will try your steps.",
        "I am away until Monday, keep the ticket open.",
        "I'm on leave until Monday; Bob will send you the log files.",
        "I'm out of the office now, so I can't try it until tomorrow. But the export still fails with "
        "the same error, please escalate.",
        "I am away until Monday and need the planning feature to show my absence for the team. Please "
        "tell me how to set that up.",
        "Our colleague is on vacation, please contact her again and add her absence in the planner until she is back.",
        "I am on vacation until Friday. Please cancel the second seat.",
        "I'm away until Monday, and the calendar does not show it.",
    ],
    "de": [
        "Ich bin bis Freitag im Urlaub. Die Rechnung ist falsch.",
        "Ich bin bis Montag nicht im Büro. Der Export liefert leere Dateien.",
        "Ich bin bis Montag im Urlaub. Zwei Schichten fehlen im Plan.",
        "Ich bin bis Freitag im Urlaub, bitte sperren Sie bis dahin meinen Zugang und wenden Sie sich "
        "an meine Vertretung.",
        "Ich bin bis Montag nicht im Büro, aber der Export geht immer noch nicht.",
        "Ich bin bis Montag im Urlaub und brauche den Export vorher.",
        "Ich bin bis Freitag abwesend. Bitte tragen Sie das im Planer ein.",
        "Ich bin bis Montag unterwegs; der Fehler kommt wieder.",
    ],
    "fr": [
        "Je suis en vacances jusqu'à lundi. La facture est fausse.",
        "Je suis absent jusqu'à lundi. Le fichier est vide.",
        "Je suis absent jusqu'à lundi, mais l'export ne marche pas.",
        "Je suis en congé jusqu'à lundi, veuillez bloquer mon accès.",
        "Je suis en vacances jusqu'à lundi et j'ai besoin du fichier avant.",
        "Je suis en déplacement jusqu'à lundi : toujours la même erreur.",
        "Je suis absente jusqu'à lundi, dites-moi comment le noter.",
    ],
    "es": [
        "Estoy de vacaciones hasta el lunes. La factura está mal.",
        "Estoy de viaje hasta el lunes. El fichero está vacío.",
        "Estoy fuera de la oficina, por eso no puedo probarlo hasta mañana. El error sigue igual, "
        "contacten con mi compañera.",
        "Estoy de vacaciones hasta el lunes, pero necesito el fichero.",
        "Estaré ausente hasta el lunes. Bloqueen mi acceso, pero no el de Ana.",
        "Estoy de viaje hasta el lunes y no funciona la app.",
        "Estoy fuera de la oficina hasta mañana. Necesito una factura.",
    ],
    "it": [
        "Sono in ferie fino a lunedì. La fattura è sbagliata.",
        "Sono assente fino al 3. Il file è vuoto.",
        "Sono in ferie fino a lunedì, ma il file non funziona. Contattare Marco.",
        "Sono fuori ufficio fino al 3: l'errore è ancora lì.",
        "Sono assente fino al 3 e ho bisogno della fattura.",
        "Sono in vacanza fino al 3, però non riesco a entrare.",
        "Sono fuori sede fino al 3, mi mandi la fattura.",
    ],
    "pt": [
        "Estou de férias até segunda. A fatura está errada.",
        "Estou de férias até segunda, mas não funciona.",
        "Estou ausente até segunda e preciso da fatura.",
        "Estou fora do escritório até amanhã; o erro continua.",
        "Estarei ausente até segunda. Bloqueiem o acesso.",
        "Estou de férias até 3 de dezembro e não consigo entrar.",
    ],
    "nl": [
        "Ik ben op vakantie tot maandag. De factuur klopt niet.",
        "Ik ben afwezig tot maandag. Het bestand is leeg.",
        "Ik ben op vakantie tot maandag, maar de export werkt niet.",
        "Ik ben afwezig tot maandag en ik heb de factuur nodig.",
        "Ik ben niet op kantoor tot maandag; nog steeds dezelfde fout.",
        "Ik ben met vakantie tot 3 december. Blokkeer de toegang.",
        "Ik ben afwezig tot maandag, stuur mij de factuur.",
    ],
    "pl": [
        "Jestem na urlopie do 3 grudnia. Faktura jest błędna.",
        "Jestem na urlopie do dnia 3. Plik jest pusty.",
        "Jestem na urlopie do dnia 3 grudnia, ale eksport nie działa.",
        "Jestem nieobecna do dnia 3 i potrzebuję faktury.",
        "Jestem poza biurem do dnia 3, nadal ten sam błąd.",
        "Jestem na urlopie do 3 grudnia, proszę przesłać fakturę.",
        "Będę na urlopie do 3 grudnia. Zablokujcie konto.",
    ],
    "sv": [
        "Jag är på semester till måndag, men exporten fungerar inte.",
        "Jag är ledig till måndag och behöver fakturan.",
        "Jag är bortrest till måndag; fortfarande samma fel.",
        "Jag är på semester till måndag. Spärra kontot.",
        "Jag är ledig till måndag, skicka mig fakturan.",
    ],
    "da": [
        "Jeg er på ferie indtil mandag, men eksporten virker ikke.",
        "Jeg er på ferie indtil mandag og har brug for fakturaen.",
        "Jeg er bortrejst indtil mandag, stadig samme fejl.",
        "Jeg er på ferie indtil mandag. Spær kontoen.",
        "Jeg er på ferie indtil mandag, men hvor står det?",
    ],
    "ru": [
        "Я в отпуске до 3 декабря, но экспорт не работает.",
        "Нахожусь в отпуске до 3 декабря, мне нужна справка.",
        "Я в отпуске до 3 декабря. Та же ошибка.",
        "Я в отпуске до 3 декабря, заблокируйте доступ.",
        "Я в отпуске до 3 декабря, пришлите счёт.",
    ],
    "ja": [
        "出張中で月曜まで試せませんが、エラーは続いています。",
        "休暇中ですが、12月3日までに請求書が必要です。",
        "外出中です。戻り次第試しますが、使い方を教えてください。",
        "12月3日まで不在です。アカウントを停止してください。",
        "出張中で月曜まで確認できません。",
    ],
    "zh": [
        "我正在休假，周一返回，但是导出不能用。",
        "我正在出差，12月4日返回，需要发票。",
        "我目前不在办公室，返回后再试，错误仍然存在。",
        "我正在休假，直到周一无法登录。",
        "我目前外出，返回前请帮我锁定账户。",
    ],
    "cs": [
        "Jsem na dovolené do 3. prosince, ale export nefunguje.",
        "Jsem na dovolené do 3. prosince a potřebuji fakturu.",
        "Jsem mimo kancelář do 3. prosince, stále stejná chyba.",
        "Jsem na dovolené do 3. prosince. Zablokujte účet.",
        "Jsem na dovolené do 3. prosince, pošlete mi fakturu.",
    ],
    "hu": [
        "Szabadságon vagyok 3-ig, de az export nem működik.",
        "Szabadságon vagyok 3-ig, szükségem van a számlára.",
        "Nem vagyok az irodában 3-ig, továbbra is ugyanaz a hiba.",
        "Szabadságon vagyok 3-ig, kérem, tiltsák le a fiókot.",
        "Szabadságon leszek 9-ig, nem tudom megnyitni a fájlt.",
    ],
}


@pytest.mark.parametrize("text", [text for texts in _NOTES.values() for text in texts])
def test_an_absence_note_that_says_nothing_in_its_headers(text: str) -> None:
    """It answers a mail and says who is away until when; the same words as a first mail are a person's."""
    assert _ignored(_REPLY, text) == "out-of-office"
    assert _ignored("Export", text) == ""


@pytest.mark.parametrize("text", [text for texts in _PEOPLE.values() for text in texts])
def test_a_person_who_is_away_and_has_something_to_say_is_heard(text: str) -> None:
    """It is about the matter: in doubt a mail is answered, and the loop guard ends what was a program's."""
    assert _ignored(_REPLY, text) == ""


@pytest.mark.parametrize("subject", ["Automatic reply: Export", "自动答复: Export", "Out of office"])
def test_a_note_may_name_no_mail_it_answers(subject: str) -> None:
    """Subject and text both say so; one of the two alone may be a person's."""
    note = "I am out of the office until 9 November. In urgent cases write to Grace."
    assert _ignored(subject, note) == "out-of-office"
    assert _ignored("Export", note) == ""
    assert _ignored(subject, "How do I set it up for all of my team?") == ""


def test_a_note_that_quotes_is_a_persons() -> None:
    """Programs without headers hardly ever quote what they answer; people do."""
    quote = "On Mon, 2 Nov 2026 at 10:00, Support <support@example.com> wrote:\r\n> Does it work now?\r\n"
    assert _ignored(_REPLY, f"I am out of the office until Monday.\r\n\r\n{quote}") == ""


@pytest.mark.parametrize("text", ["x" * 200_000, "a " * 100_000, "urgent " * 30_000, "ich bin " * 25_000])
def test_a_long_text_is_judged_at_once(text: str) -> None:
    """No expression may go over a text again for each of its letters."""
    started = time.monotonic()
    assert _ignored("Out of office\r\nIn-Reply-To: <fte.1@example.com>", text) == "out-of-office"
    assert time.monotonic() - started < 3
