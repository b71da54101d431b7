"""Keys: one master key per installation wraps one data key per guild."""

import base64
import binascii
import logging
import os
import secrets
from functools import partial
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipeline.domain.errors import SettingsError
from storage.database import Database
from storage.errors import WrongKey
from storage.files import create_durably
from storage.guilds import ensure_guild, wrapped_key

log = logging.getLogger(__name__)

KEY_BYTES = 32
_NONCE_BYTES = 12
_FILE = "master.key"


class Keyring:
    """The data keys of all guilds, unwrapped on demand and kept in memory only."""

    def __init__(self, db: Database, master_key: bytes) -> None:
        self._db = db
        self._master = AESGCM(master_key)
        self._keys: dict[int, bytes] = {}

    async def guild_key(self, guild_id: int) -> bytes:
        """The 32-byte data key of a guild; makes the guild's row and key when there is none.

        Raises:
            WrongKey: the stored key was wrapped with another master key.
        """
        if (known := self._keys.get(guild_id)) is not None:
            return known
        wrapped = await wrapped_key(self._db, guild_id)
        if wrapped is None:
            fresh = self._wrap(guild_id, secrets.token_bytes(KEY_BYTES))
            # Someone else may have been quicker: the stored key counts, not ours.
            wrapped = await self._db.write(
                partial(ensure_guild, guild_id=guild_id, wrapped_key=fresh)
            )
        key = self._unwrap(guild_id, wrapped)
        self._keys[guild_id] = key
        return key

    def forget(self, guild_id: int) -> None:
        """Drop a key from memory (when the guild's data is erased)."""
        self._keys.pop(guild_id, None)

    def _wrap(self, guild_id: int, key: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._master.encrypt(nonce, key, _owner(guild_id))

    def _unwrap(self, guild_id: int, wrapped: bytes) -> bytes:
        try:
            return self._master.decrypt(
                wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], _owner(guild_id)
            )
        except (InvalidTag, ValueError) as error:
            raise WrongKey(
                "The master key does not open this data folder. Set ONMODEL_MASTER_KEY to the key "
                "that it was made with, or put the original master.key back."
            ) from error


def load_master_key(data_dir: Path, configured: str | None) -> bytes:
    """The master key of this installation: the configured one, else the data folder's own.

    Without a configured key, ``master.key`` (mode 0600) is read, and made on the first start.

    Args:
        data_dir: the data folder.
        configured: base64 of 32 bytes, or None.

    Returns:
        32 bytes.

    Raises:
        SettingsError: the configured key or the file is not a key, or cannot be read or written.
    """
    if configured:
        return _decoded(configured, "ONMODEL_MASTER_KEY")
    path = data_dir / _FILE
    try:
        if not path.exists():
            fresh = base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n"
            if create_durably(path, fresh):
                log.info("made a master key", extra={"action": "master_key"})
        if os.name != "nt" and path.stat().st_mode & 0o077:
            log.warning("master.key was readable by others; made it private")
            path.chmod(0o600)
        return _decoded(path.read_text(encoding="ascii", errors="replace"), _FILE)
    except OSError as error:
        raise SettingsError(
            "The master key in the data folder cannot be read or written. Check the folder's "
            "permissions, or set ONMODEL_MASTER_KEY."
        ) from error


def _decoded(text: str, source: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingsError(
            f"{source} must be 32 bytes as base64 (44 characters). "
            "Restore the right one; a new key cannot open old pictures."
        )
    return key


def _owner(guild_id: int) -> bytes:
    """Bound to the ciphertext, so that one guild's key cannot be passed off as another's."""
    return b"onmodel guild %d" % guild_id
