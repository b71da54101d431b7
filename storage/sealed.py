"""Files under a passphrase, written and read as streams.

``OMS1``, a salt (16 bytes), a nonce prefix (7 bytes), then chunks of AES-256-GCM. The nonce of a
chunk is the prefix, its number (4 bytes) and whether it is the last, so that chunks can be neither
moved nor cut off.

Source:
    The STREAM construction: V. Hoang, R. Reyhanitabar, P. Rogaway, D. Vizár, "Online
    Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", CRYPTO 2015. The key comes
    from scrypt (RFC 7914) with N = 2^15, r = 8, p = 1, as OWASP's password storage sheet has it.
"""

import io
import secrets
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from storage.errors import WrongKey

MAGIC = b"OMS1"
LEAST_PASSPHRASE = 12
_SALT, _PREFIX, _TAG = 16, 7, 16
_HEADER = len(MAGIC) + _SALT + _PREFIX
_CHUNK = 1 << 20


class SealedWriter(io.RawIOBase):
    """Encrypts what is written to it; :meth:`close` writes the last chunk, not the stream's end."""

    def __init__(self, out: BinaryIO, passphrase: str) -> None:
        super().__init__()
        salt, self._prefix = secrets.token_bytes(_SALT), secrets.token_bytes(_PREFIX)
        self._key = _key(passphrase, salt)
        self._out = out
        self._held = bytearray()
        self._number = 0
        out.write(MAGIC + salt + self._prefix)

    def writable(self) -> bool:
        """It is for writing."""
        return True

    def write(self, data: object, /) -> int:
        """Take bytes; full chunks go out."""
        piece = bytes(data)  # pyright: ignore[reportArgumentType] - any buffer, as streams have it
        self._held += piece
        while len(self._held) > _CHUNK:  # never the last one: that is marked when it is known
            self._put(bytes(self._held[:_CHUNK]), last=False)
            del self._held[:_CHUNK]
        return len(piece)

    def close(self) -> None:
        """Write what is left as the last chunk."""
        if not self.closed:
            self._put(bytes(self._held), last=True)
        super().close()

    def _put(self, data: bytes, *, last: bool) -> None:
        self._out.write(self._key.encrypt(_nonce(self._prefix, self._number, last), data, MAGIC))
        self._number += 1


class SealedReader(io.RawIOBase):
    """Reads a sealed file from any place in it."""

    def __init__(self, source: BinaryIO, passphrase: str) -> None:
        """Check the whole file's end at once, so that a cut file is refused first.

        Raises:
            WrongKey: another passphrase, or the file is damaged.
        """
        super().__init__()
        header = source.read(_HEADER)
        sealed = source.seek(0, io.SEEK_END) - _HEADER
        if len(header) < _HEADER or sealed < _TAG:
            raise _wrong()
        self._source = source
        self._key = _key(passphrase, header[len(MAGIC) : len(MAGIC) + _SALT])
        self._prefix = header[-_PREFIX:]
        self._last = (sealed - 1) // (_CHUNK + _TAG)
        self._size = sealed - (self._last + 1) * _TAG
        self._at = 0
        self._chunk: tuple[int, bytes] = (-1, b"")
        self._open(self._last)

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def seekable(self) -> bool:
        """From any place."""
        return True

    def tell(self) -> int:
        """The place in the open text."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place in the open text."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: object, /) -> int:
        """Fill a buffer from one chunk."""
        view = memoryview(buffer).cast("B")  # pyright: ignore[reportArgumentType] - any buffer
        if self._at >= self._size or not len(view):
            return 0
        number, start = divmod(self._at, _CHUNK)
        piece = self._open(number)[start : start + len(view)]
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _open(self, number: int) -> bytes:
        if self._chunk[0] != number:
            self._source.seek(_HEADER + number * (_CHUNK + _TAG))
            sealed = self._source.read(_CHUNK + _TAG)
            nonce = _nonce(self._prefix, number, number == self._last)
            try:
                self._chunk = (number, self._key.decrypt(nonce, sealed, MAGIC))
            except InvalidTag as error:
                raise _wrong() from error
        return self._chunk[1]


def _key(passphrase: str, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=1 << 15, r=8, p=1).derive(passphrase.encode()))


def _nonce(prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])


def _wrong() -> WrongKey:
    return WrongKey("The passphrase does not open this file, or the file is damaged or cut off.")
