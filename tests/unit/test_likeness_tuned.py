"""The encoder that was taught on the examples: kept in whole steps, and read like the one it came from."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np

from shared.agent.likeness.examples import LABELS, NONE
from shared.agent.likeness.sense import encoder, sense
from shared.agent.likeness.tuned import layers, odds_of, store, stored, tuned
from training.blur import blurred


def _unmoved() -> dict[str, np.ndarray]:
    return {name: np.zeros_like(layer) for name, layer in layers(encoder()).items()}


def test_layers_that_were_not_moved_read_as_the_package_does(tmp_path: Path) -> None:
    """The head then sees the senses themselves: its columns are those of an identity."""
    head = np.eye(512, len(LABELS), dtype=np.float32)
    store(_unmoved(), head, np.zeros(len(LABELS), np.float32), tmp_path / "tuned.npz")
    texts = ["Where is my invoice?", "Wo finde ich die Rechnung?"]
    none = LABELS.index(NONE)
    found = stored(tmp_path / "tuned.npz").odds(texts)
    assert np.allclose(np.delete(found, none, 1), np.delete(sense(texts)[:, : len(LABELS)], none, 1), atol=1e-3)


def test_a_move_is_kept_to_a_hundredth_of_the_largest_of_its_column(tmp_path: Path) -> None:
    """Whole steps are enough, and the package's own copy is not touched."""
    moves = _unmoved()
    before = encoder().d3.copy()
    moves["d3"] = np.random.default_rng(1).normal(0, 0.01, moves["d3"].shape).astype(np.float32)
    store(moves, np.zeros((512, len(LABELS)), np.float32), np.zeros(len(LABELS), np.float32), tmp_path / "tuned.npz")
    kept = stored(tmp_path / "tuned.npz").encoder.d3 - before
    assert np.abs(kept - moves["d3"]).max() < np.abs(moves["d3"]).max() / 100
    assert (encoder().d3 == before).all()


def test_odds_set_ordinary_questions_against_all_matters() -> None:
    """NONE's column is its odds against the others together: 0 where both are as likely."""
    scores = np.zeros((1, len(LABELS)), np.float32)
    none = LABELS.index(NONE)
    assert np.isclose(odds_of(scores)[0, none], -np.log(len(LABELS) - 1))
    scores[0, none] = np.log(len(LABELS) - 1)
    assert np.isclose(odds_of(scores)[0, none], 0, atol=1e-6)


def test_what_was_taught_holds_for_words_that_no_example_has() -> None:
    """Sarcasm and detours are matters, the same things asked plainly are not."""
    none = LABELS.index(NONE)
    matters = tuned().odds(["Who on earth let that update out of the door?", "meine geduld mit eurem laden ist alle"])
    ordinary = tuned().odds(["Who can add a guest to a project?", "wo liegt meine vorlage für rechnungen"])
    assert matters[:, none].max() < 0 < ordinary[:, none].min()
    assert tuned().odds([]).shape == (0, len(LABELS))


def test_a_blurred_example_says_the_same() -> None:
    """Misspelt inside its words at most, so that its label still holds; and the same choices give the same text."""
    text = "Could somebody Please look at the Invoice, it is wrong!"
    blurs = [blurred(text, Random(seed)) for seed in range(200)]
    assert blurs == [blurred(text, Random(seed)) for seed in range(200)]
    assert len(set(blurs)) > 50
    words = [word.strip(",!").lower() for word in text.split()]
    for one in blurs:
        typed = [word.strip(",!").lower() for word in one.split()]
        assert [word[0] for word in words] == [word[0] for word in typed]
        assert all(abs(len(was) - len(now)) <= 1 for was, now in zip(words, typed, strict=True))
