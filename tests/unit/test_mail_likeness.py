"""Texts of nearly the same words are told by signatures alone."""

from __future__ import annotations

import random

import pytest

from shared.conversations.likeness import alike, signature
from shared.conversations.loops import normalised
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


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (
            "您好张伟您的邮件我们已经收到工单编号为12345我们的客服人员会在两个工作日内尽快与您联系感谢您的耐心等待",
            "您好王芳您的邮件我们已经收到工单编号为67890我们的客服人员会在两个工作日内尽快与您联系感谢您的耐心等待",
            True,
        ),
        (
            "お問い合わせありがとうございます。担当の田中が確認のうえ三営業日以内にご連絡いたします。このメールには返信しないでください。",
            "お問い合わせありがとうございます。担当の鈴木が確認のうえ三営業日以内にご連絡いたします。このメールには返信しないでください。",
            True,
        ),
        ("请问我怎么把项目里的任务导出到表格里呢谢谢", "请问我怎么把项目里的任务导出到日历里呢谢谢", False),
        ("エクスポートしたデータはどこに保存されますか", "招待したメンバーはどこに表示されますか教えて", False),
    ],
)
def test_scripts_without_spaces_are_compared_by_their_characters(one: str, other: str, expected: bool) -> None:
    """A robot that changes a name and a number is told; two questions of a person are two."""
    first, second = (signature(_VAULT, normalised(text)) for text in (one, other))
    assert first is not None
    assert second is not None
    assert alike(first, second) is expected


@pytest.mark.parametrize(
    "text",
    ["ok", "thanks", "yes yes yes", "谢谢", "好的谢谢", "はい、お願いします", "ありがとうございます", "ขอบคุณครับ"],
)
def test_what_people_say_again_and_again_has_none(text: str) -> None:
    """In any script."""
    assert signature(_VAULT, normalised(text)) is None
