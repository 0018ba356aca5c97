"""STOP, START and HELP in the languages of the form: the whole message, and nothing else."""

from __future__ import annotations

import pytest

from shared.channels.files import MAX_FILES
from shared.channels.language import language_of
from shared.channels.whatsapp.commands import command_of
from shared.channels.whatsapp.content import MOST_FETCHED
from shared.channels.whatsapp.texts import LANGUAGES, fixed, letter, load_texts


@pytest.mark.parametrize(
    ("word", "language", "texts"),
    [
        ("stop", "", ["STOP", "stop", "Stop.", " sToP! ", "🛑 stop 🛑", "STOPALL", "stop all", "OPTOUT", "opt-out"]),
        ("stop", "en", ["UNSUBSCRIBE", "quit", "Revoke"]),
        ("stop", "de", ["Stopp", "abbestellen"]),
        ("stop", "es", ["BAJA", "Darme de baja", "¡Parar!", "no más mensajes"]),
        ("stop", "fr", ["ARRÊT", "arreter", "Désabonner"]),
        ("stop", "ar", ["إيقاف", "توقف", "إلغاء الاشتراك"]),
        ("stop", "ur", ["بند کریں", "روکیں"]),
        ("start", "", ["START", "Unstop", "opt in"]),
        ("start", "fr", ["Démarrer"]),
        ("start", "ar", ["ابدأ", "استئناف"]),
        ("start", "ur", ["شروع کریں"]),
        ("help", "en", ["HELP", "help?"]),
        ("help", "de", ["Hilfe!"]),
        ("help", "es", ["ayuda"]),
        ("help", "fr", ["AIDE"]),
        ("help", "ar", ["مساعدة"]),
        ("help", "ur", ["مدد"]),
    ],
)  # fmt: skip
def test_what_is_a_command(word: str, language: str, texts: list[str]) -> None:
    """In any case, with any signs around it; the word tells the language where it is one's own."""
    for text in texts:
        assert command_of({"Body": text}) == (word, language, False), text


@pytest.mark.parametrize(
    "text",
    [
        "Please stop the export", "stop it now", "how do I stop this?", "help me export my data", "Cancel", "END",
        "yes", "Info", "start over", "I want to unsubscribe my team", "abmelden", "S T O P", "STOP 1", "", "🛑",
        "stop " * 20, "nonstop", "بند",
    ],
)  # fmt: skip
def test_what_is_no_command(text: str) -> None:
    """A sentence is a sentence, and words that mean something else in a support chat are answers."""
    assert command_of({"Body": text}) is None


@pytest.mark.parametrize(
    ("said", "body", "found"),
    [
        ("STOP", "Cancel", ("stop", "", True)),
        ("stop", "arrêt", ("stop", "fr", True)),
        ("START", "yes", ("start", "", True)),
        ("HELP", "info", ("help", "", True)),
        ("", "STOP", ("stop", "", False)),
        ("OTHER", "hello", None),
        ("OTHER", "STOP", ("stop", "", False)),
    ],
)
def test_twilio_s_word_counts_most(said: str, body: str, found: object) -> None:
    """Advanced Opt-Out has its own lists, and has answered."""
    assert command_of({"OptOutType": said, "Body": body}) == found


def test_every_kind_of_text_is_there_in_every_language() -> None:
    """Six languages each; a seventh gets English."""
    kinds = {name.partition(".")[0] for name in load_texts()}
    assert {f"{kind}.{language}" for kind in kinds for language in LANGUAGES} == set(load_texts())
    assert fixed("help", "nl") == fixed("help", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_says_why_it_comes(language: str) -> None:
    """Greeting, reason, the words, closing, team; with and without a name."""
    for kind in ("moved", "rest"):
        text = letter(kind, language, "THE WORDS", name="Ada", team="Team")
        parts = text.split("\n\n")
        assert len(parts) == 4
        assert "Ada" in parts[0]
        assert (parts[2], parts[3].endswith("\nTeam")) == ("THE WORDS", True)
        assert "{" not in letter(kind, language, "x", name="", team="Team")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("how do i export my data?", "en"),
        ("Wie kann ich meine Daten exportieren?", "de"),
        ("¿Cómo puedo cambiar mi contraseña?", "es"),
        ("Bonjour, comment je change mon mot de passe", "fr"),
        ("مرحبا، كيف أغير لغة التطبيق؟", "ar"),
        ("میں اپنا پاس ورڈ کیسے بدلوں؟", "ur"),
        ("👍", "en"),
        ("", "en"),
        ("こんにちは", "en"),
    ],
)
def test_the_language_of_a_short_text(text: str, language: str) -> None:
    """Enough to choose among our own words; English where nothing tells."""
    assert fixed("help", language_of([text])) == fixed("help", language)


def test_our_own_words_are_told_by_their_language() -> None:
    """A yes is answered in the language of the offer, and a mail that takes over in that of the reply."""
    told = {name: text for name, text in load_texts().items() if not name.startswith(("greeting", "closing"))}
    assert {name: language_of([text]) for name, text in told.items()} == {name: name[-2:] for name in told}


def test_as_many_files_are_fetched_as_are_kept() -> None:
    """The webhook's image does not carry the libraries of files.py, so the number stands twice."""
    assert MOST_FETCHED == MAX_FILES
