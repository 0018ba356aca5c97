"""How a customer sounds: a number for each message in six languages, its band, and its trend."""

from __future__ import annotations

import pytest

from shared.channels.sentiment import Mood, band, sentiment, trend

BAD = [
    "This is ridiculous. I have been waiting for three days and nobody answers.",
    "i am really fed up with this",
    "it's not good at all",
    "Das ist eine Frechheit, ich bin sehr enttäuscht.",
    "Ich bin damit überhaupt nicht zufrieden.",
    "Das gefällt mir nicht.",
    "Estoy muy decepcionada con el servicio, es inaceptable.",
    "No estoy contento con la respuesta que me dieron ustedes.",
    "C'est inacceptable, j'en ai marre de votre service.",
    "Je ne suis pas satisfaite de la réponse.",
    "هذه خدمة سيئة جدا وأنا غاضب",
    "لست راضيا، هذا غير مقبول",
    "یہ سروس بہت بری ہے اور میں ناراض ہوں",
    "یہ جواب اچھا نہیں ہے",
]
GOOD = [
    "Perfect, that solved it. I love this app!",
    "Not bad, I am very happy with it",
    "Super, das hat geklappt, ich bin sehr zufrieden.",
    "Excelente, ya funciona, estoy muy contenta con el servicio.",
    "Parfait, c'est résolu, je suis ravie.",
    "رائع، أنا سعيد جدا بالخدمة",
    "بہت اچھا، میں بہت خوش ہوں",
]
NEUTRAL = [
    "How do I export my data?",
    "Hello, I get an error when I export. What can I do? Thanks in advance.",
    "Guten Tag, wie kann ich die Daten exportieren? Vielen Dank.",
    "Hola, ¿cómo puedo exportar mis datos? Gracias.",
    "Bonjour, comment exporter mes données ? Merci.",
    "كيف أصدر بياناتي؟ شكرا",
    "میں اپنا ڈیٹا کیسے ایکسپورٹ کروں؟ شکریہ",
    "No problem, thank you.",
    "",
    "🤷",
]


@pytest.mark.parametrize("text", BAD)
def test_a_complaint_is_below(text: str) -> None:
    """Also by what is denied, before or behind the word."""
    assert sentiment([text]) <= -0.4
    assert band(sentiment([text])) in {Mood.NEGATIVE, Mood.VERY_NEGATIVE}


@pytest.mark.parametrize("text", GOOD)
def test_praise_is_above(text: str) -> None:
    """Also by a bad word that is denied."""
    assert sentiment([text]) >= 0.4
    assert band(sentiment([text])) is Mood.POSITIVE


@pytest.mark.parametrize("text", NEUTRAL)
def test_an_ordinary_question_and_a_thank_you_are_neither(text: str) -> None:
    """What does not work, and what everybody writes at the end, is no mood."""
    assert band(sentiment([text])) is Mood.NEUTRAL


def test_strength_counts_and_the_scale_is_closed() -> None:
    """Very bad is worse than bad, a bit bad is less; -1 and 1 are never left."""
    a_bit, bad, very = (sentiment([f"it is {how} annoying"]) for how in ("a bit", "", "very"))
    assert -1 < very < bad < a_bit < 0
    assert -1 <= sentiment(["furious " * 5000]) <= -0.99
    assert sentiment(["THIS IS AWFUL!!!"]) == sentiment(["this is awful"])


def test_a_word_of_another_language_does_not_mislead() -> None:
    """`mal` is bad in Spanish and nothing in German; `die` is an article."""
    assert sentiment(["Können Sie bitte mal nachsehen, wie ich die Daten bei uns finde?"]) == 0
    assert sentiment(["Esto va mal y no me gusta."]) < -0.4


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([], None),
        ([-0.5], None),
        ([0.0, 0.0], "steady"),
        ([0.0, -0.5], "falling"),
        ([0.5, 0.0, -0.1, -0.6], "falling"),
        ([-0.6, 0.0, 0.5], "rising"),
        ([0.0, -0.6, 0.0], "steady"),
        ([-0.6, -0.6, -0.7], "steady"),
        ([-0.9, 0.0, 0.0, 0.0, 0.0, 0.0], "steady"),
    ],
)
def test_the_trend_compares_the_last_messages_with_those_before(scores: list[float], expected: str | None) -> None:
    """Of the last five; one message has none, one slip between two calm ones is no trend."""
    assert trend(scores) == expected
