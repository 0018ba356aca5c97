"""What was written now, told apart from quotes and signatures as the common clients write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.channels.gmail.message import parse
from shared.channels.gmail.quoting import split

_REPLY = "Yes, that worked.\nThank you!"
_ORIGINAL = "> Hello Ada,\n>\n> please open Settings.\n>\n> Tideline Support"

_ATTRIBUTIONS = {
    "gmail": "On Tue, Nov 3, 2026 at 10:12 AM Tideline Support <support@example.com> wrote:",
    "gmail, wrapped": "On Tue, Nov 3, 2026 at 10:12 AM Tideline Support\n<support@example.com> wrote:",
    "apple": "On 3 Nov 2026, at 10:12, Tideline Support <support@example.com> wrote:",
    "thunderbird": "On 03/11/2026 10:12, Tideline Support wrote:",
    "yahoo": "On Tuesday, November 3, 2026 at 10:12:13 AM GMT+1, Tideline <support@example.com> wrote:",
    "old unix": "Tideline Support <support@example.com> writes:",
    "german": "Am Di., 3. Nov. 2026 um 10:12 Uhr schrieb Tideline <support@example.com>:",
    "thunderbird german": "Am 03.11.26 um 10:12 schrieb Tideline Support:",
    "french": "Le mar. 3 nov. 2026 à 10:12, Tideline <support@example.com> a écrit :",
    "spanish": "El mar, 3 nov 2026 a las 10:12, Tideline (<support@example.com>) escribió:",
    "italian": "Il giorno mar 3 nov 2026 alle ore 10:12 Tideline <support@example.com> ha scritto:",
    "portuguese": "Em ter., 3 de nov. de 2026 às 10:12, Tideline <support@example.com> escreveu:",
    "dutch": "Op di 3 nov. 2026 om 10:12 schreef Tideline <support@example.com>:",
    "swedish": "Den tis 3 nov. 2026 kl 10:12 skrev Tideline <support@example.com>:",
    "danish": "Den tir. 3. nov. 2026 kl. 10.12 skrev Tideline <support@example.com>:",
    "polish": "wt., 3 lis 2026 o 10:12 Tideline <support@example.com> napisał(a):",
    "russian": "вт, 3 нояб. 2026 г. в 10:12, Tideline <support@example.com>:",
    "japanese": "2026年11月3日(火) 10:12 Tideline <support@example.com>:",
    "chinese": "Tideline <support@example.com> 于2026年11月3日周二 10:12写道：",
    "korean": "2026년 11월 3일 (화) 오전 10:12, Tideline <support@example.com>님이 작성:",
    "turkish": "Tideline <support@example.com>, 3 Kas 2026 Sal, 10:12 tarihinde şunu yazdı:",
    "arabic": "في الثلاثاء، 3 نوفمبر 2026 في 10:12 ص تمت كتابة ما يلي بواسطة Tideline <support@example.com>:",
    "hebrew": "\u202bבתאריך 3 בנוב׳ 2026 ב-10:12 מאת \u202aTideline\u202c\u200f <support@example.com\u202c>:\u202c",
    "finnish": "ti 3. marrask. 2026 klo 10.12 Tideline (support@example.com) kirjoitti:",
    "czech": "út 3. 11. 2026 v 10:12 odesílatel Tideline <support@example.com> napsal:",
}


@pytest.mark.parametrize("name", _ATTRIBUTIONS)
def test_an_answer_above_the_quote(name: str) -> None:
    """Above "On … wrote:" and the lines with > is what was written now."""
    found = split(f"{_REPLY}\n\n{_ATTRIBUTIONS[name]}\n\n{_ORIGINAL}\n")
    assert found.new == _REPLY
    assert "please open Settings" in found.quoted
    assert "2026" not in found.new


@pytest.mark.parametrize("name", [name for name in _ATTRIBUTIONS if name != "old unix"])
def test_an_attribution_with_date_time_and_sender_needs_no_marks_below(name: str) -> None:
    """Some clients indent the quote instead of marking it."""
    bare = _ORIGINAL.replace("> ", "").replace(">", "")
    found = split(f"{_REPLY}\n\n{_ATTRIBUTIONS[name]}\n{bare}\n")
    assert found.new == _REPLY


_HEADERS = {
    "outlook": "From: Tideline Support <support@example.com>\nSent: Tuesday, November 3, 2026 10:12 AM\n"
    "To: Ada Example <ada@example.org>\nSubject: RE: Export",
    "outlook, bold": "*From:* Tideline Support <support@example.com>\n*Sent:* Tuesday\n"
    "*To:* Ada\n*Subject:* RE: Export",
    "outlook, rule": "________________________________\nFrom: Tideline <support@example.com>\nSent: Tuesday\nTo: Ada",
    "separator": "-----Original Message-----\nFrom: Tideline\nSent: Tuesday\nTo: Ada\nSubject: RE: Export",
    "german": "Von: Tideline <support@example.com>\nGesendet: Dienstag, 3. November 2026 10:12\n"
    "An: Ada\nBetreff: AW: Export",
    "french": "De : Tideline <support@example.com>\nEnvoyé : mardi 3 novembre 2026 10:12\nÀ : Ada\nObjet : RE: Export",
    "spanish": "De: Tideline\nEnviado el: martes, 3 de noviembre de 2026 10:12\nPara: Ada\nAsunto: RE: Export",
    "italian": "Da: Tideline\nInviato: martedì 3 novembre 2026 10:12\nA: Ada\nOggetto: R: Export",
    "portuguese": "De: Tideline\nEnviado: 3 de novembro de 2026 10:12\nPara: Ada\nAssunto: RES: Export",
    "dutch": "Van: Tideline\nVerzonden: dinsdag 3 november 2026 10:12\nAan: Ada\nOnderwerp: RE: Export",
    "polish": "Od: Tideline\nWysłano: wtorek, 3 listopada 2026 10:12\nDo: Ada\nTemat: RE: Export",
    "russian": "От: Tideline\nОтправлено: 3 ноября 2026 г. 10:12\nКому: Ada\nТема: RE: Export",
    "chinese": "发件人: Tideline\n发送时间: 2026年11月3日 10:12\n收件人: Ada\n主题: 回复: Export",
    "japanese": "差出人: Tideline\n送信日時: 2026年11月3日 10:12\n宛先: Ada\n件名: RE: Export",
    "german separator": "-----Ursprüngliche Nachricht-----\nTideline schrieb etwas",
}


@pytest.mark.parametrize("name", _HEADERS)
def test_an_answer_above_a_reply_header(name: str) -> None:
    """Outlook's kind: everything below the header is the original."""
    found = split(f"{_REPLY}\n\n{_HEADERS[name]}\n\nHello Ada,\n\nplease open Settings.\n")
    assert found.new == _REPLY
    assert "please open Settings" in found.quoted or name == "german separator"


def test_an_answer_below_the_quote() -> None:
    """Bottom posting: the quote goes, the answer stays."""
    found = split(f"{_ATTRIBUTIONS['gmail']}\n{_ORIGINAL}\n\n{_REPLY}\n")
    assert found.new == _REPLY


def test_answers_between_quoted_lines_keep_what_they_answer() -> None:
    """Inline answers mean nothing without the questions."""
    introduction = "On 3 Nov 2026, at 10:12, Tideline <support@example.com> wrote:"
    found = split(f"{introduction}\n> Which browser?\nFirefox\n> Which plan?\nTeam\n")
    for words in ("Which browser?", "Firefox", "Which plan?", "Team"):
        assert words in found.new


def test_a_wrapped_quoted_line_is_still_a_quote() -> None:
    """A client that wraps quotes loses the mark of the second line."""
    long = "> This is a quoted line that was so long that the client of the customer wrapped"
    found = split(f"{_REPLY}\n\n{_ATTRIBUTIONS['gmail']}\n{long}\nit here\n> and went on\n")
    assert found.new == _REPLY


@pytest.mark.parametrize(
    "text",
    [
        "On Monday your colleague Anna wrote: we would get our money back.\nBut nothing came. What now?",
        "As I wrote:\nthe export button is grey.\nPlease help.",
        "My teammate wrote:\n\nI cannot sign in\n\nCan you look at it?",
        "The field From: is empty and the field To: too.\nWhy?",
        "From: Berlin\nTo: Paris\nHow do I enter a trip like this one?",
        "Steps:\n1. open\n2. click\n-- then nothing happens --\nIt is always at 10:12 on 3.11.2026:\nthe app closes.",
        "See https://help.example.com/a?b=1 --\nthanks and\nbye for now, it is all I need to know.",
        "Dear team,\n\nthis is confidential: we were charged twice.\n\nAda",
        "I got this error:\n------------------------\nError 500\n------------------------\nWhat does it mean?",
        "> is the shell prompt on my machine",
        "Am 3.11.2026 um 10:12 Uhr schrieb ich Ihnen:\n\nBitte stornieren Sie das.\n\nWas ist daraus geworden?",
        "On 3 Nov 2026 at 10:12 I wrote:\nplease cancel it. What happened since?",
        "------\nMy colleague wrote ------ nothing at all\n------\nWhat now?",
    ],
)
def test_when_unsure_the_text_stays(text: str) -> None:
    """Text that merely looks a little like a quote is the customer's own."""
    assert split(text).new == text


def test_a_forward_without_a_word_is_the_message() -> None:
    """Nothing above the forwarded mail: then that mail is what they want to say."""
    header = "From: Shop <shop@example.net>\nDate: Tue\nSubject: Invoice\nTo: Ada"
    text = f"---------- Forwarded message ---------\n{header}\n\nYou owe us 5."
    found = split(text)
    assert found.new == text
    assert found.quoted == ""


def test_a_forward_with_a_word_keeps_both_apart() -> None:
    """The comment is new, the forwarded mail is at hand as the quote."""
    found = split("Is this from you?\n\nBegin forwarded message:\n\nFrom: Shop <shop@example.net>\nYou owe us 5.")
    assert found.new == "Is this from you?"
    assert "You owe us 5." in found.quoted


_SIGNATURES = {
    "delimiter": "-- \nAda Example\nExample Ltd\n+1 201 555 0123",
    "delimiter without its space": "--\nAda Example\nExample Ltd",
    "phone": "Sent from my iPhone",
    "phone, german": "Von meinem iPhone gesendet",
    "phone, french": "Envoyé de mon iPhone",
    "phone, spanish": "Enviado desde mi iPhone",
    "outlook app": "Get Outlook for iOS<https://aka.ms/o0ukef>",
    "yahoo": "Sent from Yahoo Mail on Android",
    "notice": "This e-mail and any attachments are confidential and intended solely for the addressee. If you are"
    " not the intended recipient, please delete it.",
    "notice, german": "Diese E-Mail enthält vertrauliche Informationen. Wenn Sie nicht der richtige Empfänger sind,"
    " informieren Sie bitte den Absender.",
}


@pytest.mark.parametrize("name", _SIGNATURES)
def test_a_signature_is_not_the_message(name: str) -> None:
    """Delimiters, devices and legal notices go below the line."""
    found = split(f"{_REPLY}\n\n{_SIGNATURES[name]}\n\n{_ATTRIBUTIONS['gmail']}\n{_ORIGINAL}")
    assert found.new == _REPLY
    assert found.signature == _SIGNATURES[name].strip()


def test_contact_details_below_a_closing_go_the_name_stays() -> None:
    """The closing and the name are the writer's words, telephone and web address are furniture."""
    found = split("Please help.\n\nBest regards,\nAda Example\nHead of Things\n+1 201 555 0123\nwww.example.org")
    assert found.new == "Please help.\n\nBest regards,\nAda Example"


def test_a_question_after_a_closing_stays() -> None:
    """What follows "Thanks" may be a P.S."""
    postscript = "P.S. the invoice of last month is wrong too, see https://example.org/invoices/2026/10 for what I mean"
    text = f"Please help.\n\nThanks\n\n{postscript}"
    assert split(text).new == text


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=">-_ \n:.@<>abFromOnwrote0123456789tSubject*", max_size=400))
def test_no_line_is_lost(text: str) -> None:
    """Whatever the text, each of its words is in one of the three parts, and something is new if there are words."""
    found = split(text)
    whole = sorted((found.new + " " + found.quoted + " " + found.signature).split())
    assert whole == sorted(text.split())
    assert bool(found.new.strip()) == bool(text.strip())


_NEW = {
    "form": "Please change these data:\n\nFrom: Berlin\nDate: 1 Dec 2026\nTo: Hamburg\n"
    "\nCan you move our 12 seats by then?",
    "contact form": "Contact form\n\nFrom: Ann\nDate: 2026-11-24\nTo: support\nMessage: I cannot log in",
    "log": "Here is the log:\n2026-11-24 10:15:01 user ann@example.com login failed:\ninvalid token\n\nWhat can I do?",
    "chat": "Hier der Chat:\n24.11.2026, 10:15 - Max schrieb:\nexport geht nicht\n\nWas ist los?",
    "meeting": "Hi,\nour meeting on 24.11.2026 10:30 with sales@example.com:\n"
    "They promised us 20 seats.\nIs that right?",
    "prompt": "I ran\n\n> npm install tideline\n> tideline login\n\nand it says 401",
    "error": "> Error: token expired\n\nWhat does it mean?",
    "colleague": "On 3 Nov 2026 at 10:12 bob@example.org wrote:\n> the export fails\nWhat now?",
}


@pytest.mark.parametrize("name", _NEW)
def test_a_mail_that_answers_none_quotes_nothing(name: str) -> None:
    """Forms, logs, chats and prompts are what the customer wrote."""
    assert split(_NEW[name], answers=False).new == _NEW[name]


def test_a_new_mail_still_shows_where_a_forward_begins() -> None:
    """A separator, or a header with an address, a date and a time."""
    header = "From: Bob <bob@example.org>\nSent: Tuesday, November 24, 2026 3:14 PM\nTo: Ann\nSubject: broken"
    for begin in (f"---------- Forwarded message ---------\n{header}", header, f"_____________\n{header}"):
        found = split(f"Please help Bob.\n\n{begin}\n\nThe export is broken", answers=False)
        assert found.new == "Please help Bob."
        assert "The export is broken" in found.quoted


@pytest.mark.parametrize("header", ["In-Reply-To: <a@example.org>", "References: <a@example.org>", "X-A: b"])
@pytest.mark.parametrize("subject", ["Prices", "Re: Prices", "AW: Prices", "回复：Prices"])
def test_headers_and_subject_tell_whether_a_mail_answers(header: str, subject: str) -> None:
    """Only there `>` is a quote."""
    mail = parse(f"From: ada@example.org\nSubject: {subject}\n{header}\n\nI see\n\n> 10 seats\n\nand now?".encode())
    assert ("10 seats" in mail.new_text) == (header == "X-A: b" and subject == "Prices")


@pytest.mark.parametrize(
    "text",
    [
        "First, can I export?\n--\nSecond, how do I delete a project?",
        "First the export\n—\nThen please delete our old project.",
        "These plans interest us:\n--\nTeam plan\n--\nWhich one has time tracking?",
        "My import script:\n\nselect 1\n-- \nselect 2\n\nIt fails at line two with error 42. Please help me!",
        "The patch:\n\n+++ b/x\n-- \n2.40.1\n\nDoes it work for you?",
        "A question:\n\nSent from my account yesterday were 12 invoices, why did they not arrive?",
        "Hallo,\n\nGesendet von Ihrem System kam heute eine Mahnung ohne Grund",
        "Hola:\n\nEnviado desde la aplicación el informe llega vacío",
        "Two things.\n\nSent with the wrong language since the last update",
        "It broke:\n\nSent from my mobile with the app, please excuse me from paying twice",
        "Two things.\n\nYahoo Mail: no mail of yours arrives there",
        "Hola:\n\nEnviado con Proton Mail el archivo llega vacío",
        "It broke:\n\nSent from my phone number to your WhatsApp, no answer in 3 days!",
        "Hola,\n\nSomos una ONG de medio ambiente y queremos un descuento.",
        "Hello,\n\nBefore printing the weekly view the app shows an empty page",
        "Bonjour,\n\nAvant d'imprimer le rapport, l'application se ferme. Pouvez-vous aider ?",
        "We have a problem.\n\nA confidential report from your tool was mailed to someone who is not the intended"
        " recipient. Please tell us how to revoke it at once.",
        "Hello,\n\nIs my data confidential? This message reached somebody who is not the intended recipient: what now?",
        "Hi\n\nBest regards\nAnn\n\nP.S. The page is https://app.example.com/x and shows error 500",
        "Hi\n\nBest regards\nAnn\nP.S. www.example.com fails",
        "Please add these users.\n\nThanks\nAnn\n\nbob@example.com\neva@example.com\nkim@example.com",
        "Please call me.\n\nThanks in advance\nAnn\nYou can reach me after 5 pm on +1 201 555 0123",
        "Thank you\n\nOrder: 123456789\nhttps://example.com/broken-page does not load",
        "Hi\n\nThanks\nAnn\n\nThe old number is +1 201 555 0123",
    ],
)
def test_what_looks_a_little_like_a_signature_stays(text: str) -> None:
    """Questions, postscripts, sentences and data are the customer's, in a new mail and in an answer."""
    assert split(text, answers=False).new == text
    assert split(text).new == text


@pytest.mark.parametrize(
    "ending",
    [
        "Diese E-Mail ist vertraulich und nur für den Empfänger bestimmt.",
        "Please consider the environment before printing this e-mail.",
        "Sent from my Verizon, Samsung Galaxy smartphone",
        "Sent from Mail for Windows 10",
        "Gesendet mit der GMX Mail App",
        "Enviado desde mi Samsung Galaxy",
        "Verstuurd vanaf mijn iPhone",
        "Wysłane z mojego urządzenia Galaxy",
        "--\nDiese Nachricht wurde von meinem Android Mobiltelefon mit GMX Mail gesendet.",
        "--\nThis email has been checked for viruses by Avast antivirus software.\nwww.avast.com",
        "--\nSans virus.www.example.com <https://www.example.com/sig-email?utm_medium=email>\n<#DAB4FAD8-2DD7>",
        "Gesendet mit Proton Mail sicherer E-Mail.",
        "Galaxyから送信",
        "Sent from my mobile device. Please excuse brevity and typos.",
        "Sent from my mobile, please excuse typos",
        "Von meinem Smartphone gesendet. Bitte entschuldigen Sie Tippfehler.",
        "Verzonden vanuit Mail voor Windows",
        "Envoyé à partir d’Outlook pour iOS",
        "Provenance : Courrier pour Windows",
        "Odesláno z iPhonu",
        "Wysłano z programu Outlook dla systemu iOS",
        "Yahoo Mail: Search, Organize, Conquer",
        "Envoyé avec la messagerie sécurisée Proton Mail.",
        "Enviado con Proton Mail correo seguro.",
        "Inviato con l'email sicura Proton Mail.",
        "Verzonden met Proton Mail beveiligde e-mail.",
        "Wysłane bezpiecznie za pomocą Proton Mail.",
        "発信元: iPhone",
        "Windows 版のメールから送信",
        "Yahoo!メールAppから送信",
        "从我的iPhone发送",
        "Скачать Outlook для iOS",
        "هذه الرسالة سرية ومخصصة للمرسل إليه فقط.",
        "Niniejsza wiadomość jest poufna i przeznaczona wyłącznie dla adresata.",
    ],
)
def test_furniture_goes(ending: str) -> None:
    """What programs and companies put below every mail."""
    found = split(f"Please help.\n\n{ending}")
    assert (found.new, found.signature) == ("Please help.", ending)


def test_contact_details_apart_from_the_name_go_when_nothing_else_is_there() -> None:
    """Telephone, link and one address, each with a word or two."""
    details = "Phone: +1 201 555 0123\nwww.example.org\nE-mail: ada@example.org"
    assert split(f"Please help.\n\nBest regards\nAda\n\n{details}").signature == details


def test_what_the_writer_said_of_himself_is_no_attribution() -> None:
    """With date and time, but no address and no quote below: only who wrote tells."""
    own = "Hi\n\nOn 3 Nov 2026 at 10:12 I wrote:\nplease cancel it"
    assert split(own).new == own
    other = "Thanks\n\nOn 3 Nov 2026 at 10:12 Ada wrote:\nplease cancel it"
    assert split(other).new == "Thanks"


def test_an_answer_below_a_quote_with_a_header_is_kept_from_it() -> None:
    """The marks tell where the quote ends, though the header would claim all that follows."""
    header = "From: Tideline <support@example.com>\nSent: 3 Nov 2026 10:12\nTo: Ada"
    found = split(f"-----Original Message-----\n{_ORIGINAL}\n\n{_REPLY}")
    assert found.new == _REPLY
    assert "please open Settings" in found.quoted
    assert split(f"{_REPLY}\n\n{header}\n\nAll of this is old").new == _REPLY


def _html(html: str, more: str = "") -> str:
    head = f"From: ada@example.org\nSubject: Prices\n{more}Content-Type: text/html; charset=utf-8\n\n"
    return parse((head + html).encode()).new_text


def test_a_frame_of_their_own_is_no_reply_header() -> None:
    """Outlook's line above a quote has labels below it; its empty mark as well."""
    frame = '<p>Report:</p><div style="border-top:solid #E1E1E1 1.0pt"><p>Total is 55</p></div><p>Why not 60?</p>'
    for more in ("", "References: <a@example.org>\n"):
        assert "Why not 60?" in _html(frame, more)
        assert "order is 77" in _html('<p>Help</p><div id="appendonsend"></div><div>my order is 77</div>', more)


def test_a_blockquote_of_a_new_mail_stays() -> None:
    """They quote what the answer is about."""
    shown = _html("<p>Your docs say:</p><blockquote>Seats can be changed</blockquote><p>But how?</p>")
    assert "Seats can be changed" in shown


def test_what_is_typed_inside_the_signature_stays() -> None:
    """Some clients put the cursor there."""
    for words in ("the export is broken since Monday. What do I do?", "Please delete my old project today."):
        html = f'<div>Hi,</div><div class="gmail_signature"><div>{words}</div><div>Ann</div></div>'
        assert words in _html(html)
    html = '<div>Hello</div><div class="gmail_signature">Ann<br>CEO</div><div>PS: broken export</div>'
    assert "CEO" not in _html(html)


def test_a_stuffed_mark_is_no_quote() -> None:
    """RFC 3676, section 4.4: a space before `>` says that it is text."""
    head = "From: ada@example.org\nSubject: Re: Prices\nContent-Type: text/plain; format=flowed\n\n"
    mail = parse((head + "Prices:\n >10 seats matter\n> old\n").encode())
    assert ">10 seats matter" in mail.new_text
    assert "old" not in mail.new_text


_TITLE = "-------- Oprindelig besked --------"
_HEADER = "Fra: Tideline Support <support@example.com>\nDato: 03.11.2026 10.12\nTil: ada@example.org\nEmne: Re: Export"

_MORE_SHAPES = {
    "a title in a language without a phrase of ours": f"{_TITLE}\n{_HEADER}\n\nHello Ada",
    "a short rule above the header": f"====\n\n{_HEADER}\n\nHello Ada",
    "a header below an attribution": f"--- On Tue, 11/3/26, support@example.com wrote:\n\n{_HEADER}\n\nHello Ada",
    "a mark wrapped off the address": "tir. 3. nov. 2026 kl. 10:12 skrev Tide <support@example.com\n>:\n\n> Hello Ada",
    "no colon": "2026/11/3 Tideline <support@example.com>\n\n> Hello Ada",
    "a long line wrapped without its mark": (
        "Op 3 november 2026 10:12 schreef Tideline <\nsupport@example.com>:\n\n"
        '> "Open the settings of the workspace, then choose the plan and the number\n'
        'of seats you would like to have. Then save it"\n>'
    ),
    "a month by name": (
        "From: support@example.com [mailto:support@example.com]\nSent: March-09-26 4:22 PM\n"
        "To: Ada\nSubject: Re: Export\n\nHello Ada"
    ),
}


@pytest.mark.parametrize("answers", [True, False])
@pytest.mark.parametrize("name", _MORE_SHAPES)
def test_what_more_clients_write_above_a_quote(name: str, answers: bool) -> None:
    """All of it is the quote's, down to rules and titles; of a new mail only a header with address, date and time."""
    if not answers and name != "a month by name":
        return
    found = split(f"{_REPLY}\n\n{_MORE_SHAPES[name]}\n", answers=answers)
    assert found.new == _REPLY
    assert found.quoted.startswith(_MORE_SHAPES[name].split("\n")[0])


@pytest.mark.parametrize(
    "below",
    [
        "Sent from my BlackBerry 10 smartphone.\n  Original Message  \n" + _HEADER + "\n\nHello Ada",
        "##- Please type your reply above this line -##\n\nTicket 7 was updated",
        "--- Bitte schreiben Sie Ihre Antwort über dieser Zeile ---\n\nHallo",
        "Sent from Yahoo Mail on Android\n\n"
        "  On Tue, Nov 3, 2026 at 10:12 AM, Tideline<support@example.com> wrote:   Hello Ada",
        "  Le mar. 3 nov. 2026 à 10:12, Tideline <support@example.com> a écrit :   Bonjour Ada",
    ],
)
def test_a_quote_that_begins_otherwise(below: str) -> None:
    """A title without dashes above a header, a help desk's own line, and a quote on its attribution's very line."""
    assert split(f"{_REPLY}\n\n{below}\n").new == _REPLY


@pytest.mark.parametrize(
    "text",
    [
        "The page shows\nOriginal message\nand nothing else. Why?",
        "Please move the reply box above this line in my template.",
        "The log says: support@example.com wrote:   nothing. What is that?",
    ],
)
def test_words_about_such_lines_stay(text: str) -> None:
    assert split(text).new == text


@pytest.mark.parametrize("join", [" ", "--- ", ""])
def test_words_on_the_line_of_an_attribution_are_the_writers(join: str) -> None:
    """Some clients lose the line end between the answer and "On … wrote:"."""
    found = split(f"Hello\nplease cancel seat 4{join}On Tue, Nov 3, 2026 at 10:12 AM, a@example.com wrote:\n> Hi Ada")
    assert found.new == "Hello\nplease cancel seat 4"
    assert found.quoted.endswith("wrote:\n> Hi Ada")


@pytest.mark.parametrize(
    "text",
    [
        "Please look here:\n>>> >>>  www.example.org/export <<<\nIt is not the right one.",
        "Before.\n-------- What I did --------\nI pressed export.\nIt failed.",
        "On my screen it says:\nOn Tuesday, I saved. On Monday, she wrote: nothing saved\nWhat now?",
    ],
)
def test_ornaments_and_titles_of_the_writers_own_stay(text: str) -> None:
    """Marks on both sides, a title above no header and a sentence in the middle of a line are no quote."""
    assert split(text).new == text


def test_a_rule_of_html_ends_the_line() -> None:
    """Above the rule is the answer, below it the reply header that it stands for."""
    html = (
        "<div>Yes, it worked.<div>Ada<hr><b>From: </b>support@example.com<br><b>To: </b>ada@example.org<br>"
        "<b>Sent: </b>Friday, July 24, 2026 6:20:01 PM<br><b>Subject: </b>Export<br><br><p>Hello</p></div></div>"
    )
    head = b"From: ada@example.org\r\nIn-Reply-To: <a@example.com>\r\nContent-Type: text/html\r\n\r\n"
    found = parse(head + html.encode())
    assert found.new_text == "Yes, it worked.\nAda"
    assert found.quoted.startswith("From: support@example.com")


def test_an_app_that_names_itself_by_a_link_is_a_device() -> None:
    """Mail apps advertise themselves so."""
    assert split("It works.\n\nSent from TypeMail<http://www.example.net/r?b=26>").new == "It works."
    assert "Sent from Berlin" in split("It works.\n\nSent from Berlin, see http://www.example.net/").new


def test_zimbras_rule_begins_the_original() -> None:
    """Its older versions mark nothing else."""
    header = "<b>From: </b>Support<br><b>To: </b>Ada<br><b>Sent: </b>Friday<br><b>Subject: </b>Export<br>"
    html = f'<div>Still fails.</div><hr id="zwchr"><div>{header}</div><div>old words</div>'
    head = b"From: a@example.org\r\nSubject: Re: Export\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    assert parse(head + html.encode()).new_text == "Still fails."


@pytest.mark.parametrize(
    "closing",
    [
        "Z wyrazami szacunku,",
        "Pozdrowienia",
        "Com os melhores cumprimentos,",
        "Melhores cumprimentos",
        "Cumprimentos,",
        "Un cordiale saluto",
        "Cordialmente,",
        "Reciba un cordial saludo,",
        "Hartelijke groet,",
        "مع خالص التحية،",
        "Bien cordialement,",
        "Sincères salutations",
        "Herzlichst",
        "よろしくお願いいたします。",
    ],
)
def test_closings_of_more_languages(closing: str) -> None:
    found = split(f"Please help.\n\n{closing}\nAda Example\nTel. +1 201 555 0123\nwww.example.com")
    assert found.new == f"Please help.\n\n{closing}\nAda Example"
