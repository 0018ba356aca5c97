"""Texts of nearly the same words are told by signatures alone."""

from __future__ import annotations

import random

import pytest

from shared.conversations.likeness import alike, signature
from shared.privacy.vault import Vault
from tests.conftest import make_settings

_VAULT = Vault.from_settings(make_settings())


def _signature(words: list[str]) -> bytes:
    found = signature(_VAULT, " ".join(words))
    assert found is not None
    return found


@pytest.mark.parametrize(("common", "expected"), [(97, True), (95, True), (67, False), (50, False), (0, False)])
def test_the_part_of_the_words_in_common_decides(common: int, expected: bool) -> None:
    """`common` of 100 words each: 0.94, 0.9, 0.5, 0.33 and none of all of them."""
    one = [f"a{chr(97 + n % 26)}{n}" for n in range(100)]
    other = one[:common] + [f"b{n}" for n in range(100 - common)]
    random.Random(7).shuffle(other)
    assert alike(_signature(one), _signature(other)) is expected


def test_a_signature_is_short_stable_and_keyed() -> None:
    """Without the key nobody finds the words of one."""
    words = "we have received your message and will answer it soon"
    mine = signature(_VAULT, words)
    assert mine is not None
    assert (len(mine), mine) == (256, signature(_VAULT, words))
    assert signature(Vault({"k": bytes(32)}, b"another key"), words) != mine


def test_a_text_of_few_words_has_none() -> None:
    """One other word makes it another question."""
    assert signature(_VAULT, "where is the red one") is None
    assert signature(_VAULT, "") is None
