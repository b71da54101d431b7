"""A small web server for whoever runs the bot: ``/healthz`` and ``/metrics``. Off by default."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from bot.meter import CONTENT_TYPE, Meter
from bot.watch import LoopWatch
from pipeline.domain.errors import SettingsError
from storage import census
from storage.database import Database
from storage.errors import DatabaseError

if TYPE_CHECKING:
    from bot.client import OnModelBot

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Monitor:
    """Answers what the parts say of themselves.

    An engine that cannot draw is told, but is no reason to restart the bot: the health stays good.
    """

    bot: "OnModelBot"
    db: Database
    meter: Meter
    watch: LoopWatch

    @asynccontextmanager
    async def open(self, host: str, port: int) -> AsyncIterator[int]:
        """Serve until the block is left; yields the port (a free one is taken for port 0).

        Raises:
            SettingsError: the address cannot be listened on.
        """
        app = web.Application()
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, host, port).start()
            except OSError as error:
                raise SettingsError(
                    f"ONMODEL_METRICS_PORT: {host}:{port} cannot be listened on "
                    f"({error.strerror}). Choose another port."
                ) from error
            taken = runner.addresses[0][1]
            log.info("health and metrics on %s:%d", host, taken, extra={"action": "monitor"})
            yield taken
        finally:
            await runner.cleanup()

    async def _health(self, _request: web.Request) -> web.Response:
        parts = {
            "gateway": self.bot.is_ready() and not self.bot.is_closed(),
            "queue": self.bot.working(),
            "database": await self._database_answers(),
        }
        healthy = all(parts.values())
        said = {
            "status": "ok" if healthy else "not ready",
            **parts,
            "engine": self.bot.trouble() or "ok",
            "worst_loop_lag_seconds": round(self.watch.worst, 3),
        }
        return web.json_response(said, status=200 if healthy else 503)

    async def _database_answers(self) -> bool:
        try:
            await self.db.fetch_one("SELECT 1")
        except DatabaseError as error:
            log.warning("the database does not answer: %s", error, extra={"action": "health"})
            return False
        return True

    async def _metrics(self, _request: web.Request) -> web.Response:
        counted = await census.take(self.db)
        body = self.meter.text(counted, self.bot)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})
