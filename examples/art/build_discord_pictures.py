"""Makes the pictures of ``docs/discord.md``: the real bot on simcord's Discord, seen by Chromium.

Run ``python examples/art/build_discord_pictures.py OUT``; needs ``pip install 'simcord[preview]'``
and the command ``chromium``. Takes about a minute: the panels are drafted by the real worker.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import discord
import simcord
from PIL import Image, ImageChops

from bot.app import open_app
from bot.client import OnModelBot
from bot.serve import executors_for, workroom
from bot.settings import Settings
from storage import outbox

ART = Path(__file__).parents[1]
# Chromium has no window narrower than this; a phone is about 400 wide beside Discord's margins.
WIDTH, HEIGHT = 520, 1800
TOOLBAR = 116


async def build(out: Path) -> None:
    """Play the first day of a server and photograph its cards."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), _env_file=None)  # pyright: ignore[reportCallIssue]
        async with open_app(settings) as app:
            bot = OnModelBot(app)
            env = simcord.Env(bot, shard_count=1, settle_timeout=120)
            await env.start()
            try:
                async with workroom(app, bot, executors_for(app), asyncio.Event()):
                    await Day(env, app, out).play()
            finally:
                await env.shutdown()


class Day:
    """Who is there, and what they do."""

    def __init__(self, env: Any, app: Any, out: Path) -> None:
        self.env, self.app, self.out = env, app, out
        env.backend.edit_bot_profile("Onmodel")
        self.guild = env.create_guild("Late Books")
        self.panels = self.guild.create_text_channel("panels")
        self.reviews = self.guild.create_text_channel("reviews")
        editors = self.guild.create_role("Editors")
        managers = self.guild.create_role(
            "Managers", permissions=discord.Permissions(manage_guild=True)
        )
        self.editors = editors
        self.boss = self.guild.add_member(env.create_user("ines"), roles=[managers, editors])
        self.ann = self.guild.add_member(env.create_user("ann"))
        self.bob = self.guild.add_member(env.create_user("bob"))

    async def play(self) -> None:
        """From the empty server to a decision."""
        shown = await self.boss.slash(self.panels, "setup")
        form = await self.boss.click(shown.response, label="Start a comic")
        await self.boss.submit_modal(
            form,
            {
                "name": "Late Books",
                "style": "flat colours",
                "reading": ["ltr"],
                "colour": ["color"],
            },
        )
        card = shown.response
        await self.boss.select(card, [self.editors], custom_id="om:setup:role")
        await self.boss.select(card, [self.panels], custom_id="om:setup:panels")
        await self.boss.select(card, [self.reviews], custom_id="om:setup:reviews")
        await self.boss.slash(self.panels, "series settings", audit=0)
        await self.boss.click(card, label="Add a sample character")
        shown = await self.boss.slash(self.panels, "setup")
        await self.photograph(self.boss, shown, self.panels, "discord-setup")

        await self.ann.slash(
            self.panels, "panel request", characters="Mira", alternates=2,
            prompt="Mira waves in the library at night.", dialogue="Mira: We are open!",
        )  # fmt: skip
        await self.quiet()
        card = self.panels.history()[-1]
        await self.bob.click(card, label="Vote A")
        await self.photograph(self.bob, self.panels.history()[-1], self.panels, "discord-vote")

        await self.boss.slash(self.panels, "character sheet", character="ch_mira")
        sheet = self.panels.history()[-1]
        await self.photograph(self.boss, sheet, self.panels, "discord-sheet")

        guest = ART / "off_model" / "mira-by-a-guest-artist-recoloured.webp"
        await self.bob.slash(
            self.panels, "panel submit", image=(guest.name, guest.read_bytes()), characters="Mira"
        )
        await self.quiet()
        thread = self.reviews.threads[-1]
        await self.photograph(self.boss, thread.history()[-1], thread, "discord-evidence")

        for prompt in ("Mira reads.", "Mira runs down a street.", "Mira shouts."):
            await self.ann.slash(self.panels, "panel request", characters="Mira", prompt=prompt)
        queue = await self.bob.slash(self.panels, "queue show")
        await self.photograph(self.bob, queue, self.panels, "discord-queue")

    async def quiet(self) -> None:
        """Wait until nothing is drawn and everything is posted."""
        async with asyncio.timeout(120):
            while True:
                row = await self.app.db.fetch_one(
                    "SELECT count(*) AS n FROM job WHERE status IN ('queued', 'running')"
                )
                if not (row["n"] or await outbox.pending_count(self.app.db)):
                    break
                await asyncio.sleep(0.05)
        await self.env.settle()

    async def photograph(self, viewer: Any, target: Any, channel: Any, name: str) -> None:
        """Save what ``viewer`` sees, without the preview's own toolbar and empty rest."""
        shot = self.out / f"{name}.png"
        async with self.env.preview(channel, viewers=[viewer], width=WIDTH, height=HEIGHT) as page:
            await page.show(target)
            browser = await asyncio.create_subprocess_exec(
                "chromium", "--headless=new", "--no-sandbox", "--hide-scrollbars",
                f"--window-size={WIDTH},{HEIGHT}", "--virtual-time-budget=8000",
                f"--screenshot={shot}", page.url, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            await asyncio.wait_for(browser.wait(), 120)
        with Image.open(shot) as picture:
            cropped(picture.convert("RGB")).save(self.out / f"{name}.jpg", quality=88)
        shot.unlink()


def cropped(picture: Image.Image) -> Image.Image:
    """Without the toolbar above and the plain ground below."""
    below = picture.crop((0, TOOLBAR, picture.width, picture.height))
    ground = Image.new("RGB", below.size, below.getpixel((below.width - 4, below.height - 4)))
    # The page is darker towards its edges by a few levels; a card differs by more.
    different = ImageChops.difference(below, ground).convert("L").point(lambda v: 255 * (v > 12))
    used = different.getbbox() or (0, 0, *below.size)
    return below.crop((0, max(0, used[1] - 12), below.width, min(below.height, used[3] + 16)))


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(build(folder))
