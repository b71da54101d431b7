"""Pictures: files named by the hash of their content, encrypted with the guild's key.

A file holds ``OMB1``, the id of the key (8 bytes), a nonce (12 bytes) and the AES-GCM ciphertext.
Guild and name are bound to the ciphertext, so a file that was moved does not open.
"""

import asyncio
import hashlib
import logging
import re
import secrets
import shutil
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipeline.domain.errors import NotFound
from storage.errors import WrongKey
from storage.files import sync_folder, write_durably
from storage.keys import Keyring

log = logging.getLogger(__name__)

_MAGIC = b"OMB1"
_KEY_ID_BYTES = 8
_NONCE_BYTES = 12
_HEADER_BYTES = len(_MAGIC) + _KEY_ID_BYTES + _NONCE_BYTES
_SHA256 = re.compile(r"[0-9a-f]{64}")


class BlobStore:
    """The pictures of all guilds: ``<root>/<guild_id>/<sha256[:2]>/<sha256>``."""

    def __init__(self, root: Path, keyring: Keyring) -> None:
        self.root = root
        self._keyring = keyring

    async def put(self, guild_id: int, data: bytes) -> str:
        """Store a picture; it survives a power cut once this returns.

        Storing the same bytes again changes nothing, except that it mends a damaged file.

        Returns:
            The sha256 of ``data`` in hex: its name from now on.

        Raises:
            WrongKey: the guild's key does not open what is stored under this name.
            OSError: the disk is full or not writable; nothing is left behind.
        """
        key = await self._keyring.guild_key(guild_id)
        return await asyncio.to_thread(self._put, guild_id, key, data)

    async def get(self, guild_id: int, sha256: str) -> bytes:
        """Read a picture back.

        Raises:
            NotFound: this guild has no such picture, or its file is damaged.
            WrongKey: it was stored with another key.
        """
        key = await self._keyring.guild_key(guild_id)
        return await asyncio.to_thread(self._get, guild_id, key, sha256)

    async def delete(self, guild_id: int, sha256: str) -> bool:
        """Remove a picture; False if there was none. The caller knows that nothing shows it."""
        return await asyncio.to_thread(self._delete, guild_id, sha256)

    async def names(self, guild_id: int) -> list[str]:
        """The sha256 of every picture of a guild, sorted."""
        return await asyncio.to_thread(self._names, guild_id)

    async def delete_guild(self, guild_id: int) -> None:
        """Remove all pictures of a guild."""
        await asyncio.to_thread(self._delete_guild, guild_id)

    def _path(self, guild_id: int, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise _missing()
        return self.root / str(int(guild_id)) / sha256[:2] / sha256

    def _put(self, guild_id: int, key: bytes, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        try:
            self._get(guild_id, key, sha256)
        except NotFound:
            nonce = secrets.token_bytes(_NONCE_BYTES)
            sealed = AESGCM(key).encrypt(nonce, data, _bound_to(guild_id, sha256))
            write_durably(self._path(guild_id, sha256), _MAGIC + _key_id(key) + nonce + sealed)
        return sha256

    def _get(self, guild_id: int, key: bytes, sha256: str) -> bytes:
        try:
            stored = self._path(guild_id, sha256).read_bytes()
        except FileNotFoundError as error:
            raise _missing() from error
        if len(stored) < _HEADER_BYTES or not stored.startswith(_MAGIC):
            log.error("blob %s is damaged", sha256, extra={"action": "blob_get"})
            raise _missing()
        if stored[len(_MAGIC) :][:_KEY_ID_BYTES] != _key_id(key):
            raise WrongKey(
                "A stored picture was made with another key. Set ONMODEL_MASTER_KEY to the key "
                "that this data folder was made with."
            )
        nonce, sealed = stored[_HEADER_BYTES - _NONCE_BYTES : _HEADER_BYTES], stored[_HEADER_BYTES:]
        try:
            return AESGCM(key).decrypt(nonce, sealed, _bound_to(guild_id, sha256))
        except (InvalidTag, ValueError) as error:
            log.error("blob %s is damaged", sha256, extra={"action": "blob_get"})  # noqa: TRY400 - its trace says nothing
            raise _missing() from error

    def _delete(self, guild_id: int, sha256: str) -> bool:
        path = self._path(guild_id, sha256)
        if not path.exists():
            return False
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
        return True

    def _names(self, guild_id: int) -> list[str]:
        files = (self.root / str(int(guild_id))).glob("??/*")
        return sorted(file.name for file in files if _SHA256.fullmatch(file.name))

    def _delete_guild(self, guild_id: int) -> None:
        folder = self.root / str(int(guild_id))
        if folder.exists():
            shutil.rmtree(folder)
            sync_folder(self.root)


def _missing() -> NotFound:
    return NotFound("That picture is not here any more. Upload or draw it again.")


def _key_id(key: bytes) -> bytes:
    """Tells a wrong key from a damaged file; a hash gives away nothing of a random key."""
    return hashlib.sha256(b"onmodel key id" + key).digest()[:_KEY_ID_BYTES]


def _bound_to(guild_id: int, sha256: str) -> bytes:
    return f"onmodel blob {guild_id}/{sha256}".encode()
