"""The language of a message is told from its words, however few they are, and English is never taken for another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.agent.likeness.examples import load_examples
from shared.channels.language import OTHER, language_of, language_told, language_written

TICKETS = Path(__file__).parents[2] / "context" / "sample-tickets"
SHORT = {
    "de": [
        "Passwort vergessen",
        "Mitglied entfernen",
        "Zeiten exportieren",
        "Geld zurück bitte",
        "Login geht nicht",
        "App stürzt ab",
    ],
    "fr": [
        "mot de passe oublié",
        "Combien de temps prend un remboursement ?",
        "Que se passe-t-il à la fin de l'essai ?",
        "Impossible d'ouvrir le projet",
        "Combien coûte Tideline ?",
        "Impardonnable.",
        "Supprimer un membre",
        "mode hors ligne",
    ],
    "es": ["Solicito un reembolso.", "¿Cómo recupero entradas borradas?", "añadir miembro"],
    "it": ["Come esporto i dati?", "Vorrei un rimborso completo", "password dimenticata di nuovo"],
    "pt": ["Quero falar com um atendente", "Quem alterou esta tarefa?", "esqueci minha senha"],
    "nl": ["wachtwoord vergeten", "Ik wil mijn geld terug", "Waarom twee afschrijvingen in oktober?"],
}


@pytest.mark.parametrize(("language", "text"), [(code, text) for code, texts in SHORT.items() for text in texts])
def test_a_few_words_tell_their_language(language: str, text: str) -> None:
    """Whoever writes three words in French is answered in French."""
    assert language_of([text]) == language


@pytest.mark.parametrize(
    "text",
    ["agent", "photo", "Test", "Windows 11", "iPhone 13", "reimbursement", "lawsuit", "export CSV", "ok", "foo bar"],
)
def test_what_many_languages_write_tells_nothing(text: str) -> None:
    """A word that is the same in several is no reason to answer an English customer in French."""
    assert language_told([text]) is None


@pytest.mark.parametrize(
    "text",
    [
        "mobile app",
        "offline mode",
        "mobile app offline",
        "browser cache",
        "android app version",
        "kiosk mode",
        "Google Calendar",
        "private chat",
        "connect google",
        "zapier connects",
        "Microsoft Entra",
        "notification mails",
        "vacation balance",
        "cname record",
        "compute wages",
        "peppol identifier",
        "utilisation report",
    ],
)
def test_words_of_screens_do_not_make_an_english_customer_a_foreigner(text: str) -> None:
    """They are written alike in several languages, and by its letters such a phrase is of another than it is."""
    assert language_of([text]) == "en"


@pytest.mark.parametrize(
    "text",
    [
        "Czy mogę eksportować dane do CSV?",
        "Jak mogę zmienić hasło?",
        "nie mogę się zalogować",
        "Şifremi nasıl değiştirebilirim?",
        "Jak mohu změnit heslo?",
        "Hur ändrar jag mitt lösenord?",
        "Cum îmi schimb parola?",
        "Bagaimana cara mengganti kata sandi?",
        "如何重置密码?",
    ],
)
def test_a_language_that_we_have_no_words_of_is_another(text: str) -> None:
    """It is not answered from English pages as if it were English: a person reads it."""
    assert language_told([text]) == OTHER


@pytest.mark.parametrize(
    "text",
    [
        "outlook calendar sync setup",
        "cant log in",
        "reset link for login",
        "lorem ipsum dolor",
        "Müller GmbH",
        "ok thx",
    ],
)
def test_a_few_words_that_might_be_english_are_no_other_language(text: str) -> None:
    """By their letters alone some of them would be Icelandic or Malay."""
    assert language_told([text]) != OTHER


def test_english_is_english() -> None:
    """All sample tickets that are not marked otherwise, short and misspelt ones too."""
    tickets = [json.loads(line) for path in TICKETS.glob("*.jsonl") for line in path.read_text("utf-8").splitlines()]
    told = {one["id"]: language_of([one.get("subject", ""), one["body"]]) for one in tickets}
    assert {id_: found for id_, found in told.items() if found != _wanted(tickets, id_)} == {}


def _wanted(tickets: list[dict[str, str]], id_: str) -> str:
    return next(one.get("language", "en") for one in tickets if one["id"] == id_)


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_of_a_thousand_short_messages_nearly_all_are_told(language: str) -> None:
    """The labelled examples: most are one sentence, as customers write."""
    texts = [example.text for example in load_examples() if example.language == language]
    wrong = [text for text in texts if language_of([text]) != language]
    assert len(wrong) <= 0.04 * len(texts), wrong[:20]


def test_the_message_tells_the_language_before_its_subject() -> None:
    """A form or a program may make the subject up; where the message has one word, the subject helps."""
    assert language_written(["Was kostet Team im Jahr?"], ["A question about the price of it"]) == "de"
    assert language_written(["ok"], ["Frage zu meiner Rechnung und dem Konto"]) == "de"
    assert language_written(["ok"], ["42"]) is None


@pytest.mark.parametrize(
    "text",
    [
        "mera payment nahi hua, kya masla hai?",
        "export kaise karein data ka",
        "Mujhe apna password reset karna hai",
        "app band ho jati hai phir se khul nahi rahi",
        "bhai paise wapas chahiye",
        "mera account delete kardo please",
        "kya aap log sunday ko bhi support dete hain?",
    ],
)
def test_urdu_in_latin_letters_is_urdu(text: str) -> None:
    """As most of it is typed, with the English words of screens in between."""
    assert language_of([text]) == "ur"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "My colleague Karen Koi can't log in, her teen has the sari shop's phone"),
        ("en", "What does 'kya masla hai' mean? A customer wrote it to us and I can't read it"),
        ("en", "Hai there, how do I export my data?"),
        ("en", "The project Naya Kya has the wrong colour, how can I change it?"),
        ("de", "Mein Konto und mein Passwort gehen nicht, ich bin nicht mehr drin"),
        ("it", "Perché hai cancellato il mio account? Non hai risposto alla mia mail"),
        ("es", "Ya no puedo entrar y ya he cambiado la clave"),
        ("nl", "De aap op de pagina is weg, hoe krijg ik die terug?"),
        ("fr", "Ma mere a oublié son mot de passe"),
    ],
)
def test_other_languages_are_not_taken_for_urdu(language: str, text: str) -> None:
    """Words that look like Urdu, names, and a customer who quotes one."""
    assert language_of([text]) == language


def test_no_labelled_example_of_another_language_is_urdu() -> None:
    """Thousands of messages in nine languages; of those of Urdu in Latin letters most are told, however short."""
    told = [(one, language_told([one.text])) for one in load_examples()]
    # These stand among the English ones, though they are Urdu.
    urdu = {
        "yeh raha screenshot",
        "aapke colleague ne log manga tha, yeh raha",
        "kal wakeel ko call karta hun",
    }
    assert {one.text for one, found in told if found == "ur" and one.language != "ur"} == urdu
    latin = [(one.text, found) for one, found in told if one.language == "ur" and one.text.isascii()]
    missed = [text for text, found in latin if found != "ur"]
    assert len(missed) <= 0.1 * len(latin), missed[:40]
