"""What a running studio counts for Prometheus. Made only where the host asked for it."""

import re
import time
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.process_collector import ProcessCollector

from storage.census import Census

CONTENT_TYPE = CONTENT_TYPE_LATEST
# Discord forgets an interaction after three seconds; the buckets are finest below that.
_ANSWER_BUCKETS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
_LAG_BUCKETS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_CALLBACK = re.compile(r"/interactions/(\d+)/[^/]+/callback$")
_OWN_ID = re.compile(r"om:([a-z_]+)")


class Meter:
    """Counters, gauges and histograms with names of their own; nothing of people or servers."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._interactions = Counter(
            "onmodel_interactions", "Commands and clicks", ["what"], registry=registry
        )
        self._answers = Histogram(
            "onmodel_answer_seconds", "From an interaction's birth at Discord to its answer",
            buckets=_ANSWER_BUCKETS, registry=registry,
        )  # fmt: skip
        self._requests = Counter(
            "onmodel_discord_requests", "Requests to Discord", ["status"], registry=registry
        )
        self._lag = Histogram(
            "onmodel_loop_lag_seconds", "How late the event loop was",
            buckets=_LAG_BUCKETS, registry=registry,
        )  # fmt: skip
        self._jobs = Gauge("onmodel_jobs", "Jobs in the ledger", ["status"], registry=registry)
        self._owed = Gauge("onmodel_owed_posts", "Messages still to be posted", registry=registry)
        self._reviews = Gauge("onmodel_open_reviews", "Panels that wait for a moderator",
                              registry=registry)  # fmt: skip
        self._guilds = Gauge("onmodel_guilds", "Servers that the bot is in", registry=registry)
        self._latency = Gauge(
            "onmodel_gateway_latency_seconds", "Heartbeat round trip", ["shard"], registry=registry
        )

    def interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Count one by the command's name, or by the verb of a button of ours."""
        self._interactions.labels(_what(interaction)).inc()

    def lag(self, seconds: float) -> None:
        """How late the event loop was at one look."""
        self._lag.observe(seconds)

    def trace(self) -> aiohttp.TraceConfig:
        """Listens to discord.py's HTTP client, for ``http_trace``.

        The age of an interaction is read from its id, so it includes the way from Discord and the
        difference of the two clocks.
        """
        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(self._answered)
        return trace

    async def _answered(
        self,
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        end: aiohttp.TraceRequestEndParams,
    ) -> None:
        self._requests.labels(str(end.response.status)).inc()
        match = _CALLBACK.search(end.url.path)
        if match is not None and end.response.status < 300:
            born = discord.utils.snowflake_time(int(match[1])).timestamp()
            self._answers.observe(max(0.0, time.time() - born))

    def text(self, census: Census, bot: discord.AutoShardedClient) -> bytes:
        """Everything in Prometheus's text form, with what is true at this moment."""
        for status, count in census.jobs.items():
            self._jobs.labels(status.value).set(count)
        self._owed.set(census.owed_posts)
        self._reviews.set(census.open_reviews)
        self._guilds.set(len(bot.guilds))
        for shard, seconds in bot.latencies:
            self._latency.labels(str(shard)).set(seconds)
        return generate_latest(self._registry)


def _what(interaction: discord.Interaction[Any]) -> str:
    """Few different words, however many panels there are: labels are kept for ever."""
    if interaction.command is not None:
        name = interaction.command.qualified_name
        typing = interaction.type is discord.InteractionType.autocomplete
        return f"completion of /{name}" if typing else f"/{name}"
    found = _OWN_ID.match(str((interaction.data or {}).get("custom_id", "")))
    return f"button {found[1]}" if found else "other"
