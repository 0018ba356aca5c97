"""Likeness to labelled examples, and how well the whole check tells matters from ordinary questions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.agent.confusion import Labelled, confusion, read_labelled
from shared.agent.escalation import Reason, check
from shared.agent.likeness.examples import LABELS, Example, load_examples
from shared.agent.likeness.features import ideas
from shared.agent.likeness.gloss import glossed
from shared.agent.likeness.model import stored_digest
from shared.agent.likeness.pieces import pieces
from shared.agent.likeness.sense import sense
from shared.agent.likeness.train import digest, left_out, train
from shared.channels.fold import fold
from shared.errors import Permanent
from tests.evals.run_cases import (
    ESCALATION,
    LEAST_OF_A_MATTER,
    LEAST_RECALL,
    MOST_FALSE_ALARMS,
    below_floor,
    escalation_matrix,
    verdict,
)

ROOT = Path(__file__).parents[2]
HELD_OUT = ESCALATION.read_text(encoding="utf-8").split("\n")
LANGUAGES = {"en", "de", "es", "fr", "ar", "ur", "it", "pt", "nl"}


def test_matters_reach_a_person_and_ordinary_questions_do_not() -> None:
    """R5.2 on messages that are no examples: recall at least 0.98, of each matter 0.97, false alarms at most 5 %.

    Two fifths of them shaped phrases, and all of them the threshold: what nobody saw before is in decision 0032.
    """
    measured = confusion(read_labelled(HELD_OUT))
    assert (LEAST_RECALL, LEAST_OF_A_MATTER, MOST_FALSE_ALARMS) == (0.98, 0.97, 0.05)
    assert below_floor(measured) == [], escalation_matrix(measured)


MISSES = [Labelled("How do I reset my password?", "refund")] * 3
ALARMS = [Labelled("I want a refund", "none")]


@pytest.mark.parametrize(
    ("said", "worse"),
    [
        (MISSES, ["matters that reach a person: 0.0%, expected 98.0%", "refund: 0.0%, expected 97.0%"]),
        (ALARMS, ["false alarms: 100.0%, expected 5.0% at most"]),
    ],
)
def test_make_eval_fails_when_escalation_is_worse(
    said: list[Labelled], worse: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """With every case passed: each figure that is below its floor is named, and the code is 1."""
    measured = confusion(said)
    assert below_floor(measured) == worse
    assert verdict([], measured) == 1
    printed = capsys.readouterr().out
    assert all(f"worse than expected: {line}" in printed for line in worse)
    assert verdict([], confusion([Labelled("I want a refund", "refund")])) == 0


def test_a_matter_has_a_floor_of_its_own() -> None:
    """Many of one matter do not hide that another is missed."""
    asked = Labelled("How do I reset my password?", "legal")
    many = [Labelled("I want a refund", "refund")] * 500 + [Labelled("I will sue you", "legal")] * 9 + [asked]
    measured = confusion(many)
    assert measured.recall >= LEAST_RECALL
    assert below_floor(measured) == ["legal: 90.0%, expected 97.0%"]


def test_the_matrix_of_make_eval_shows_every_label_and_the_figures() -> None:
    """A row and a column a label, the share that reaches a person, then all matters and what should not have."""
    head, *rows, reached, alarms = escalation_matrix(confusion(read_labelled(HELD_OUT))).splitlines()
    labels = ["refund", "pricing", "legal", "angry", "human", "none"]
    assert head.split()[1:] == [*labels, "reached"]
    assert [row.split()[0] for row in rows] == labels
    assert all(row.endswith("%") for row in rows)
    assert reached.startswith("matters that reach a person")
    assert alarms.startswith("false alarms")


def test_no_message_of_the_measure_was_learned() -> None:
    """The figures are of unseen messages, in every language of the examples."""
    rows = [json.loads(line) for line in HELD_OUT if line]
    assert not {fold(example.text) for example in load_examples()} & {fold(row["text"]) for row in rows}
    assert {row["language"] for row in rows} == LANGUAGES
    assert len(rows) >= 380


def test_the_examples_are_many_of_each_label_and_language() -> None:
    """At least 2,500, with hard ordinary questions as the largest part."""
    examples = load_examples()
    assert len(examples) >= 2_500
    assert {example.label for example in examples} == set(LABELS)
    assert {example.language for example in examples} == LANGUAGES
    assert sum(example.label == "none" for example in examples) > 1_000


def test_the_weights_are_those_of_the_examples() -> None:
    """Whoever changes examples or ideas and forgets `make escalation` is told."""
    assert stored_digest() == digest(), "run `make escalation` and commit shared/agent/likeness/weights.npz"


def test_training_learns_and_repeats() -> None:
    """The same examples give the same weights, and what was learned holds for another wording."""
    few = [one for one in load_examples() if one.language == "it"]
    first, second = train(few), train(few)
    assert (first.weights == second.weights).all()
    [(_, asked)], [(_, demanded)] = (
        first.read(fold("Come esporto le fatture?")),
        first.read(fold("Vorrei i soldi indietro")),
    )
    assert asked.value < demanded.value


def test_what_was_written_together_is_left_out_together() -> None:
    """Lines that stand together are often near duplicates: cross-validation must not learn one from the other."""
    examples = [Example("refund", "money back", "en")] * 20 + [Example("none", "where is it", "en")] * 20
    alike = np.kron(np.eye(2), np.ones((20, 20))).astype(np.float32)
    assert (left_out(examples, alike) == 0).all()
    assert (left_out(examples, np.ones((40, 40), np.float32)) != 0).all()


@pytest.mark.parametrize(
    "text",
    [
        "How do I make the complaint form visible on our own site?",
        "Does the free plan include guests?",
        "Can I keep my number when I switch to you?",
        "What does 'legal hold' in the retention menu do?",
        "One of our customers disputes an invoice. Can I put it on hold in the tool?",
    ],
)
def test_a_phrase_in_a_message_about_something_else_is_no_matter(text: str) -> None:
    """Complaint, free, switch, legal, dispute: a phrase alone counts only where the sense is not against it."""
    assert check([text]) is None


UNFORESEEN = [
    (
        Reason.REFUND,
        "I pressed the wrong tile: a whole year instead of one month. Kindly undo that payment.",
    ),
    (Reason.REFUND, "se llevaron plata de mi tarjeta despues de darme de baja"),
    (Reason.PRICING, "what would we be looking at, moneywise, for two dozen people"),
    (Reason.LEGAL, "our counsel would like to know where liability sits if hours leak"),
    (Reason.ANGRY, "Splendid. A third morning spent retyping what your app mislaid. I do so love Mondays."),
    (Reason.ANGRY, "eure app hat mir die ganze woche versaut"),
    (Reason.HUMAN, "could somebody with a pulse take over"),
]


@pytest.mark.parametrize(("reason", "text"), UNFORESEEN)
def test_words_that_no_phrase_foresees(reason: Reason, text: str) -> None:
    """Indirect, sarcastic, misspelt, in another language: likeness carries what no list does."""
    assert check([text]) is not None, reason


@pytest.mark.parametrize("text", [text for _, text in UNFORESEEN[:3]])
def test_likeness_is_what_carries_them(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the weights the phrases alone let most of these pass: the model is not an ornament."""
    found = check([text])
    assert found is not None
    assert any(".likeness." in rule for rule in found.evidence)


def test_a_matter_in_the_middle_of_something_else_is_found() -> None:
    """One sentence of a long friendly mail is enough."""
    mail = (
        "Dear team, the new wall view is lovely. How do I print it? On another note, my statement shows that you took "
        "the May payment two times, which I only noticed today. And where do I add a project? Kind regards, Ada"
    )
    found = check([mail])
    assert found is not None
    assert found.reason is Reason.REFUND


@pytest.mark.parametrize("policy", ["strict", "published"])
def test_the_sample_tickets_stay_under_a_quarter(policy: Any) -> None:
    """R7.3: as ordinary traffic, under either policy."""
    tickets = [
        json.loads(line)
        for path in sorted((ROOT / "context" / "sample-tickets").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    reached = sum(check([one.get("subject", ""), one["body"]], policy=policy) is not None for one in tickets)
    assert reached / len(tickets) < 0.25


@pytest.mark.parametrize(
    ("text", "escalates"),
    [
        ("what is it per month for seven of us", False),
        ("¿Cuánto cuesta al mes?", False),
        ("Was kostet das Programm?", False),
        ("send me back what went off my card", True),
        ("could you do something about the price for us", True),
        ("kein rabatt für vereine?", True),
        ("How much is Team? My lawyer wants to know before he sues you.", True),
    ],
)
def test_published_policy_holds_for_likeness_too(text: str, escalates: bool) -> None:
    """A question about list prices is let through whichever way it is recognised; special terms are not."""
    assert check([text]) is not None
    assert (check([text], policy="published") is not None) is escalates


def test_pieces_are_sentences_with_their_neighbours() -> None:
    """Short ones join a neighbour, endless ones are cut, nothing is lost."""
    parts = pieces("dear team, how are you today? where is the export? thanks")
    assert [part.text for part in parts] == ["dear team, how are you today?", "where is the export? thanks"]
    assert parts[0].wider == ("dear team, how are you today? where is the export? thanks",)
    assert sum(len(part.text.split()) for part in pieces(" ".join(f"w{number}" for number in range(950)))) == 950
    assert pieces("") == []


@pytest.mark.parametrize(
    "text",
    [
        "charged twice",
        "doppelt abgebucht",
        "cobraron dos veces",
        "prélevé deux fois",
        "خصم مرتين",
        "addebitato due volte",
    ],
)
def test_an_idea_is_the_same_in_every_language(text: str) -> None:
    """What is learned of `taken` and `double` in one language holds in the others."""
    assert {"taken", "double"} <= set(ideas(fold(text)))


@pytest.mark.parametrize(
    ("said", "alike", "unlike"),
    [
        ("I want my money back", "Quiero que me devuelvan el dinero", "¿Dónde está el calendario?"),
        ("I want my money back", "Ich möchte mein Geld zurück", "Wo ist der Kalender?"),
        ("I want my money back", "أريد استعادة أموالي", "أين التقويم؟"),
        ("I want my money back", "مجھے اپنے پیسے واپس چاہیے", "پاس ورڈ کیسے تبدیل کروں؟"),
        ("I want my money back", "mujhe apne paise wapas chahiye", "naya mulazim kaise shamil karun"),
    ],
)
def test_sense_is_the_same_in_every_language(said: str, alike: str, unlike: str) -> None:
    """A translation lies nearer than another question in the same language; Urdu by its words."""
    english, same, other = sense([said, alike, unlike])
    assert english @ same > english @ other + 0.2


def test_only_urdu_is_glossed() -> None:
    """English that shares spellings with Latin Urdu stays as it is."""
    assert glossed("mere paise wapas karo") == "my money back do"
    for text in ("Is he on the main page?", "kal el", "Wo ist das?", "¿Se puede?", "main problem: the bar is off"):
        assert glossed(text) == text


def test_the_confusion_matrix_counts() -> None:
    """Recall is any reason for a matter, false alarms any reason for an ordinary message."""
    said = [
        Labelled("I want a refund", "refund"),
        Labelled("I want a refund", "angry"),
        Labelled("How do I reset my password?", "human"),
        Labelled("How do I reset my password?", "none"),
    ]
    summary = confusion(said).summary()
    assert summary["matrix"]["angry"]["refund"] == 1
    assert summary["recall"] == pytest.approx(0.6667, abs=0.001)
    assert summary["false_alarms"] == 0
    assert summary["labels"]["refund"] == {"messages": 1, "reached": 1.0, "recall": 1.0, "precision": 0.5}


@pytest.mark.parametrize(
    "line", ["no json", '{"text": "x"}', '{"text": "x", "label": "spam"}', '{"text": null, "label": "none"}', "[]", ""]
)
def test_a_bad_line_is_named(line: str) -> None:
    """What is wrong with the file is said in one line, with what a line should be."""
    with pytest.raises(Permanent, match=r"line 1|no message"):
        read_labelled([line])


def test_a_code_is_no_matter_for_a_person() -> None:
    """Six digits are like nothing, whichever they are."""
    codes = [f"{number:06d}" for number in range(0, 1_000_000, 7_919)]
    assert [code for code in codes if check([code]) is not None] == []
