"""Contents of files and raw mails at rest: AES-256-GCM under a key of each blob's own.

Who came along with a file is known only once its message is stored, and contents are kept before that. So
a blob's key is first wrapped by the master key; when the message is stored the key alone is sealed under
the customer's data key (`adopt`), however large the contents are. Erasing the customer destroys both.
"""

from __future__ import annotations

import base64
import json
import os
import uuid
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.db.queries import load
from shared.errors import Permanent
from shared.privacy.vault import Keyset, Vault

SQL = load("blobs")

_NONCE = 12
_LABEL = "blob.key"


def name_of(vault: Vault, *parts: str) -> UUID:
    """The id of the blob of this very thing: a redelivery finds the first one instead of leaving a second."""
    return UUID(bytes=vault.lookup("blob", json.dumps(parts))[:16])


async def keep(connection: Any, vault: Vault, contents: bytes, blob_id: UUID | None = None) -> UUID:
    """Store `contents` for a message that is yet to be stored; the blob's id.

    With an id of `name_of` it is stored once, and what is there already stays as it is.
    """
    blob_id = blob_id or uuid.uuid4()
    key, wrapped = vault.new_key()
    nonce = os.urandom(_NONCE)
    sealed = nonce + AESGCM(key).encrypt(nonce, contents, blob_id.bytes)
    await connection.execute(SQL["keep"], blob_id, wrapped, sealed, len(contents))
    return blob_id


async def adopt(connection: Any, vault: Vault, keys: Keyset, customer_id: UUID, blob_id: UUID) -> bool:
    """Give a blob to the customer whose message it came with, once.

    False when there is no such blob, or it is a customer's already: the caller's message is then stored
    without it, for a blob's id is no proof of whose it is.
    """
    row = await connection.fetchrow(SQL["lock_orphan"], blob_id)
    if row is None:
        return False
    key = base64.b64encode(vault.unwrap(row["key_enc"])).decode()
    await connection.execute(SQL["adopt"], blob_id, customer_id, keys.seal(customer_id, _LABEL, key))
    return True


async def contents(connection: Any, vault: Vault, blob_id: UUID) -> bytes | None:
    """What a blob holds, or None when it is gone.

    Raises Erased when its customer is, Permanent when it was tampered with.
    """
    row = await connection.fetchrow(SQL["read"], blob_id)
    if row is None:
        return None
    if row["customer_id"] is None:
        key = vault.unwrap(row["key_enc"])
    else:
        keys = await vault.keys_for(connection, [row["key_enc"]])
        key = base64.b64decode(keys.unseal(_LABEL, row["key_enc"]))
    sealed = row["data_enc"]
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], blob_id.bytes)
    except InvalidTag:
        raise Permanent("a blob does not open", reason="bad-ciphertext") from None
