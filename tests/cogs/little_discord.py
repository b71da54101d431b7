"""A very little Discord on a local port: enough for a process to log in, connect and leave."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web

ME = {
    "id": "100000000000000001", "username": "onmodel", "discriminator": "0", "avatar": None,
    "global_name": None, "bot": True, "flags": 0,
}  # fmt: skip
APPLICATION = {
    "id": ME["id"], "name": "onmodel", "icon": None, "description": "", "flags": 0,
    "bot_public": True, "bot_require_code_grant": False, "verify_key": "", "owner": ME,
    "team": None,
}  # fmt: skip

# Sends a process of ours to the little Discord; everything else in it is the product.
LAUNCH = """
import sys
import discord.gateway, discord.http, yarl
discord.http.Route.BASE = sys.argv[1] + "/api/v10"
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(sys.argv[1].replace("http", "ws"))
from bot.cli import main
sys.exit(main(["run"]))
"""


class LittleDiscord:
    """Knows one token. ``identified`` is set when a gateway session begins."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.address = ""
        self.identified = asyncio.Event()
        self.requests: list[str] = []
        self._socket: web.WebSocketResponse | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator["LittleDiscord"]:
        app = web.Application()
        app.router.add_get("/", self._gateway)
        app.router.add_route("*", "/api/v10/{path:.*}", self._api)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.address = f"http://127.0.0.1:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _api(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        self.requests.append(f"{request.method} {path}")
        if path.startswith(("interactions/", "webhooks/")):  # their token is in the address
            return web.Response(status=204)
        if request.headers.get("Authorization") != f"Bot {self.token}":
            return self._json({"message": "401: Unauthorized", "code": 0}, 401)
        answers: dict[str, Any] = {
            "users/@me": ME,
            "oauth2/applications/@me": APPLICATION,
            "gateway/bot": {
                "url": self.address.replace("http", "ws"), "shards": 1,
                "session_start_limit": {
                    "total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1,
                },
            },
        }  # fmt: skip
        return self._json(answers.get(path, []))

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 41250}, "s": None, "t": None})
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._hear(socket, json.loads(message.data))
        return socket

    async def _hear(self, socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        if frame["op"] == 1:
            await socket.send_json({"op": 11})
        elif frame["op"] == 2:
            self._socket = socket
            self.identified.set()
            ready = {
                "v": 10, "user": ME, "guilds": [], "session_id": "s", "shard": [0, 1],
                "resume_gateway_url": self.address.replace("http", "ws"),
                "application": {"id": ME["id"], "flags": 0},
            }  # fmt: skip
            await socket.send_json({"op": 0, "t": "READY", "s": 1, "d": ready})

    async def command(self, group: str, name: str) -> None:
        """Somebody types a command of ours that takes no options."""
        assert self._socket is not None, "nobody has come yet"
        born = (int(time.time() * 1000) - 1420070400000) << 22
        user = {"id": "7", "username": "ann", "discriminator": "0", "avatar": None}
        member = {
            "user": user, "roles": [], "joined_at": "2024-01-01T00:00:00+00:00", "deaf": False,
            "mute": False, "flags": 0, "permissions": "0",
        }  # fmt: skip
        data = {
            "id": "11", "name": group, "type": 1,
            "options": [{"name": name, "type": 1, "options": []}],
        }  # fmt: skip
        interaction = {
            "id": str(born), "application_id": ME["id"], "type": 2, "token": "t" * 40,
            "version": 1, "guild_id": "5", "channel_id": "6", "member": member, "data": data,
            "locale": "en-US", "entitlements": [], "authorizing_integration_owners": {},
            "app_permissions": "0", "attachment_size_limit": 10485760,
        }  # fmt: skip
        await self._socket.send_json({"op": 0, "t": "INTERACTION_CREATE", "s": 2, "d": interaction})

    @staticmethod
    def _json(payload: Any, status: int = 200) -> web.Response:
        text = json.dumps(payload)
        # discord.py compares the type as a whole and takes a 429 without Via for a ban.
        return web.Response(
            body=text.encode(), status=status,
            headers={"Content-Type": "application/json", "Via": "1.1 little"},
        )  # fmt: skip
