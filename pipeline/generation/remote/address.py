"""Where a server of the host's is: on this machine, unless another one was allowed aloud."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline.domain.errors import SettingsError

_WEBSOCKET = {"http": "ws", "https": "wss"}


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """The base of all requests, without a slash at the end, and whether it is this machine."""

    url: str
    loopback: bool

    @property
    def websocket(self) -> str:
        """The same base for a WebSocket."""
        scheme, _, rest = self.url.partition("://")
        return f"{_WEBSOCKET[scheme]}://{rest}"


def server_address(value: str, *, allow_remote: bool, prefix: str) -> ServerAddress:
    """Check an address from the settings.

    Args:
        value: like ``http://127.0.0.1:8188``, with a path where a proxy has one.
        allow_remote: whether another machine may be asked. Prompts and the cast's art are sent
            there, so nobody should get there by a slip.
        prefix: of the settings, like ``ONMODEL_COMFYUI``, to say which one to mend.

    Raises:
        SettingsError: the address cannot be used; the text names the setting.
    """
    parts = urlsplit(value.strip())
    try:
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        port_fits = False
    if parts.scheme not in _WEBSOCKET or not parts.hostname or not port_fits:
        raise SettingsError(
            f"{prefix}_URL must look like http://127.0.0.1:8188 (http or https, a host, a port)."
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError(f"{prefix}_URL may hold no user name, password, ? or #.")
    loopback = is_loopback(parts.hostname)
    if not loopback and not allow_remote:
        raise SettingsError(
            f"{prefix}_URL names another machine. Prompts and reference pictures would be sent "
            f"there: set {prefix}_ALLOW_REMOTE=true if that is meant."
        )
    path = parts.path.rstrip("/")
    return ServerAddress(f"{parts.scheme}://{parts.netloc}{path}", loopback)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very name; names are not looked up.

    What a name resolves to can change after the check, so only ``localhost`` counts.
    """
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
