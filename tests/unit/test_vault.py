"""Sealing: what is at rest opens with its own key, label and owner alone."""

from __future__ import annotations

import uuid

import pytest
from pydantic import SecretStr

from shared.errors import Permanent
from shared.privacy.vault import Erased, Keyset, Vault, owner_of
from tests.conftest import make_settings, random_key


def keyset() -> tuple[uuid.UUID, Keyset]:
    owner = uuid.uuid4()
    key, _ = Vault.from_settings(make_settings()).new_key()
    return owner, Keyset({owner: key})


@pytest.mark.parametrize("text", ["", "hello", "كيف", "👍🏽", "a\x00b", "\ud800 alone", "x" * 100_000])
def test_what_is_sealed_opens_as_it_was(text: str) -> None:
    """Any text a customer can send survives, NUL and lone surrogates too."""
    owner, keys = keyset()
    sealed = keys.seal(owner, "message.body", text)
    assert owner_of(sealed) == owner
    assert keys.unseal("message.body", sealed) == text


def test_the_same_text_never_looks_the_same() -> None:
    """Fresh nonces: equal texts cannot be told by their ciphertexts."""
    owner, keys = keyset()
    assert keys.seal(owner, "message.body", "hello") != keys.seal(owner, "message.body", "hello")


def test_a_value_moved_to_another_column_or_changed_does_not_open() -> None:
    """Label and owner are authenticated."""
    owner, keys = keyset()
    sealed = keys.seal(owner, "message.body", "hello")
    with pytest.raises(Permanent):
        keys.unseal("identifier", sealed)
    with pytest.raises(Permanent):
        keys.unseal("message.body", sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_without_its_key_a_value_is_erased() -> None:
    """Destroying a data key is erasing what it sealed."""
    owner, keys = keyset()
    sealed = keys.seal(owner, "message.body", "hello")
    with pytest.raises(Erased):
        Keyset({}).unseal("message.body", sealed)


def test_a_new_master_key_opens_what_the_old_one_wrapped() -> None:
    """Rotation: newest first wraps, all unwrap; a foreign one says so."""
    old, new, foreign = (f"{name}:{random_key()}" for name in ("old", "new", "old"))
    before = Vault.from_settings(make_settings(fte_master_key=SecretStr(old)))
    key, wrapped = before.new_key()
    after = Vault.from_settings(make_settings(fte_master_key=SecretStr(f"{new},{old}")))
    assert after.unwrap(wrapped) == key
    assert after.wrap(key)[1:4] == b"new"
    with pytest.raises(Permanent, match="FTE_MASTER_KEY"):
        Vault.from_settings(make_settings(fte_master_key=SecretStr(foreign))).unwrap(wrapped)


def test_look_up_needs_no_master_key() -> None:
    """The keyed hash depends on its own key alone, and name spaces do not collide."""
    lookup = SecretStr(random_key())
    one = Vault.from_settings(make_settings(fte_lookup_key=lookup))
    two = Vault.from_settings(make_settings(fte_lookup_key=lookup))
    assert one.lookup("email", "ada@example.org") == two.lookup("email", "ada@example.org")
    assert one.lookup("email", "ada@example.org") != one.lookup("phone", "ada@example.org")


@pytest.mark.parametrize("bad", ["", "nocolon", f":{'A' * 44}", "id:short", "id:!!!!"])
def test_a_malformed_master_key_is_named(bad: str) -> None:
    """The setting is named, its value is not shown."""
    with pytest.raises(Permanent, match="FTE_MASTER_KEY") as refused:
        Vault.from_settings(make_settings(fte_master_key=SecretStr(bad)))
    assert bad not in str(refused.value) or not bad
