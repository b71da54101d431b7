"""The web reader in a real Chromium, from disk, driven over its DevTools protocol."""

import asyncio
import base64
import itertools
import json
import os
import re
import shutil
import zipfile
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from pipeline.comics.export.book import export_book
from pipeline.domain.character import ReadingDirection
from pipeline.domain.geometry import Box, Size

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
FLAGS = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
    --disable-background-networking --disable-component-update --remote-debugging-port=0
""".split()  # noqa: SIM905 - reads like a command line
DESK, PHONE = Size(1280, 800), Size(390, 844)
in_a_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed (Debian: apt install chromium)"
)


def unpacked(comic, folder: Path) -> Path:
    with zipfile.ZipFile(BytesIO(export_book("web", comic.pages, comic.info))) as archive:
        archive.extractall(folder)
    return folder / "index.html"


def test_the_folder_is_complete_and_asks_for_nothing_outside(make_comic, tmp_path):
    comic = make_comic()
    index = unpacked(comic, tmp_path)
    files = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    pages = {"pages/page-001.webp", "pages/page-002.webp"}
    assert files == pages | {"index.html", "reader.css", "reader.js"}
    html = index.read_text(encoding="utf-8")
    for link in re.findall(r'(?:src|href)="([^"]+)"', html):
        assert link in files | {"data:,"}
    for name in ("index.html", "reader.css", "reader.js"):
        assert not re.search(r"https?:|//cdn|@import|url\(", (tmp_path / name).read_text())
    assert "The Rain &lt;Door&gt;" in html
    with Image.open(tmp_path / "pages/page-002.webp") as picture:
        assert picture.size == comic.pages[1].page.size


@pytest.mark.parametrize("direction", list(ReadingDirection))
def test_panel_rectangles_are_the_layout(make_comic, tmp_path, direction):
    comic = make_comic(direction)
    html = unpacked(comic, tmp_path).read_text(encoding="utf-8")
    boxes = [Box(*map(int, text.split(","))) for text in re.findall(r'data-box="([\d,]+)"', html)]
    assert boxes == [frame.box for page in comic.pages for frame in page.page.frames]


def _keep(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


class Tab:
    """A page in the browser; ``requests`` are the addresses that it asked for."""

    def __init__(self, socket):
        self._socket = socket
        self._ids = itertools.count(1)
        self.requests: list[str] = []
        self.errors: list[str] = []

    async def call(self, method, **params):
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            answer = await self._socket.receive_json(timeout=30)
            if answer.get("method") == "Network.requestWillBeSent":
                self.requests.append(answer["params"]["request"]["url"])
            if answer.get("method") == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(answer["params"]["exceptionDetails"]))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    async def eval(self, expression):
        answer = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def open(self, index: Path, size: Size, *, dark=False, mobile=False):
        await self.call("Network.enable")
        await self.call("Runtime.enable")
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=size.width,
            height=size.height,
            deviceScaleFactor=1,
            mobile=mobile,
        )
        await self.call("Emulation.setTouchEmulationEnabled", enabled=mobile)
        # Without motion every state is reached at once: no test waits for a transition.
        features = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce",
        }
        await self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": name, "value": value} for name, value in features.items()],
        )
        await self.call("Page.navigate", url=index.as_uri())
        await self.until("document.readyState === 'complete' && location.hash === '#1'")

    async def until(self, expression):
        async with asyncio.timeout(30):
            while not await self.eval(expression):  # noqa: ASYNC110 - the browser sets no event
                await asyncio.sleep(0.05)

    async def key(self, key, *, shift=False):
        text = {"text": key} if len(key) == 1 else {}
        modifiers = 8 if shift else 0
        for kind in ("keyDown", "keyUp"):
            await self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                modifiers=modifiers,
                **(text if kind == "keyDown" else {}),
            )

    async def place(self):
        return await self.eval("location.hash")

    async def swipe(self, x0, x1, y=400):
        await self.call(
            "Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x0, "y": y}]
        )
        for i in range(1, 5):
            point = {"x": x0 + (x1 - x0) * i / 4, "y": y}
            await self.call("Input.dispatchTouchEvent", type="touchMove", touchPoints=[point])
        await self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    async def click(self, x, y):
        for kind in ("mousePressed", "mouseReleased"):
            await self.call(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1
            )

    async def picture(self, name):
        await self.eval(
            "document.querySelector('.page:not([hidden]) img').decode().then(() => true)"
        )
        shot = base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])
        # Where people want to look at them: ONMODEL_SCREENSHOTS names a folder.
        if folder := os.environ.get("ONMODEL_SCREENSHOTS"):
            await asyncio.to_thread(_keep, Path(folder) / f"{name}.png", shot)
        return Image.open(BytesIO(shot)).convert("RGB")


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    return tmp_path_factory.mktemp("chromium")


@asynccontextmanager
async def browsing(profile):
    folder = profile / os.urandom(4).hex()
    folder.mkdir()
    process = await asyncio.create_subprocess_exec(
        str(CHROMIUM),
        *FLAGS,
        f"--user-data-dir={folder}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = await _port(folder / "DevToolsActivePort", process)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                tabs = await answer.json()
            address = next(t["webSocketDebuggerUrl"] for t in tabs if t["type"] == "page")
            async with session.ws_connect(address, max_msg_size=0) as socket:
                tab = Tab(socket)
                yield tab
                assert tab.errors == []
                outside = [u for u in tab.requests if not u.startswith(("file:", "data:"))]
                assert outside == []
    finally:
        process.terminate()
        await process.wait()


async def _port(file: Path, process) -> str:
    """The port that Chromium writes down once it listens."""
    async with asyncio.timeout(60):
        while len(lines := await asyncio.to_thread(_lines, file)) != 2:
            assert process.returncode is None, "Chromium ended before it listened"
            await asyncio.sleep(0.1)
    return lines[0]


def _lines(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []


# What of the page is to be seen, in its own pixels, and where it stands on the screen.
SHOWN = """(() => {
  const sheet = document.querySelector('.page:not([hidden]) .sheet');
  const frame = sheet.getBoundingClientRect();
  const scale = frame.width / sheet.offsetWidth;
  const cut = getComputedStyle(sheet).clipPath.match(/-?[\\d.]+px/g).map(parseFloat);
  const [top, right = top, bottom = top, left = right] = cut;
  return {scale, x: frame.x, y: frame.y, box: [left, top, sheet.offsetWidth - right, sheet.offsetHeight - bottom]};
})()"""


def overlap(a, b):
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


@in_a_browser
async def test_pages_and_panels_by_keyboard(make_comic, tmp_path, profile):
    comic = make_comic()
    async with browsing(profile) as tab:
        await tab.open(unpacked(comic, tmp_path), DESK)
        assert await tab.eval("document.querySelectorAll('.page:not([hidden])').length") == 1
        shot = await tab.picture("page")
        assert len(shot.getcolors(2**24)) > 1000  # art, not a blank sheet
        for key, place in (
            ("ArrowRight", "#2"),
            ("ArrowRight", "#2"),
            ("ArrowLeft", "#1"),
            (" ", "#2"),
            ("Home", "#1"),
            ("End", "#2"),
            ("Home", "#1"),
        ):
            await tab.key(key)
            assert await tab.place() == place, key
        await tab.key("g")
        assert await tab.place() == "#1.1"
        assert (
            await tab.eval("document.getElementById('guided').getAttribute('aria-pressed')")
            == "true"
        )
        seen = []
        for _ in range(8):
            seen.append((await tab.place(), await tab.eval(SHOWN)))
            await tab.key(" ")
        assert [place for place, _ in seen] == [f"#{p}.{i}" for p in (1, 2) for i in (1, 2, 3, 4)]
        frames = [frame.box for page in comic.pages for frame in page.page.frames]
        for (_, shown), box in zip(seen, frames, strict=True):
            # Cut to the panel and the outer half of its line, a pixel or two.
            assert overlap(shown["box"], box) > 0.98
            width, height = box.width * shown["scale"], box.height * shown["scale"]
            left, top = shown["x"] + box.x0 * shown["scale"], shown["y"] + box.y0 * shown["scale"]
            # Whole on the screen, between the bars, and as large as it can be (three times at most).
            assert left >= 0
            assert left + width <= DESK.width
            assert top >= 48
            assert top + height <= DESK.height - 48
            assert shown["scale"] == 3 or width > 0.94 * DESK.width or height > 0.84 * DESK.height
        await tab.key(" ", shift=True)
        assert await tab.place() == "#2.3"
        await tab.picture("guided")
        await tab.key("Escape")
        assert await tab.place() == "#2"


@in_a_browser
async def test_right_to_left_turns_keys_sides_and_slider(make_comic, tmp_path, profile):
    comic = make_comic(ReadingDirection.RTL)
    async with browsing(profile) as tab:
        await tab.open(unpacked(comic, tmp_path), DESK)
        await tab.picture("rtl")
        await tab.key("ArrowRight")
        assert await tab.place() == "#1"
        await tab.key("ArrowLeft")
        assert await tab.place() == "#2"
        await tab.click(DESK.width * 0.95, 400)
        assert await tab.place() == "#1"
        await tab.click(DESK.width * 0.05, 400)
        assert await tab.place() == "#2"
        x = "document.getElementById('{}').getBoundingClientRect().x"
        assert await tab.eval(x.format("next")) < await tab.eval(x.format("previous"))
        await tab.key("Home")
        await tab.key("g")
        shown = await tab.eval(SHOWN)
        assert overlap(shown["box"], comic.pages[0].page.frames[0].box) > 0.98


@in_a_browser
async def test_a_phone_in_the_dark_is_swiped(make_comic, tmp_path, profile):
    async with browsing(profile) as tab:
        await tab.open(unpacked(make_comic(), tmp_path), PHONE, dark=True, mobile=True)
        shot = await tab.picture("phone-dark")
        assert max(shot.getpixel((4, 100))) < 40  # dark around the page
        assert await tab.eval("document.documentElement.scrollWidth") <= PHONE.width
        await tab.swipe(330, 60)
        assert await tab.place() == "#2"
        await tab.swipe(60, 330)
        assert await tab.place() == "#1"
        await tab.eval("document.getElementById('guided').click()")
        await tab.swipe(330, 60)
        assert await tab.place() == "#1.2"
        await tab.picture("phone-guided")
        small = """[...document.querySelectorAll('.bar button')].filter((b) => b.offsetWidth)
            .map((b) => Math.min(b.offsetWidth, b.offsetHeight))"""
        assert min(await tab.eval(small)) >= 44  # a thumb's width
        await tab.eval("document.getElementById('theme').click()")
        assert min((await tab.picture("phone-light")).getpixel((4, 100))) > 200


@in_a_browser
async def test_words_are_live_and_panels_are_described(make_comic, tmp_path, profile):
    async with browsing(profile) as tab:
        await tab.open(unpacked(make_comic(), tmp_path), DESK)
        await tab.eval("getSelection().selectAllChildren(document.querySelector('#p1 .sheet'))")
        copied = " ".join((await tab.eval("String(getSelection())")).split())
        words = [
            "Meanwhile, in Łódź…",
            "We should not be here & you know it.",
            "RUN!",
            "Why <now>?",
        ]
        assert all(said in copied for said in words), copied
        assert [copied.index(said) for said in words] == sorted(copied.index(s) for s in words)
        await tab.eval("getSelection().removeAllRanges()")
        await tab.key("g")
        await tab.key(" ")
        spoken = await tab.eval("document.getElementById('spoken').textContent")
        assert spoken == (
            "Page 1, panel 2. Medium shot of Ava: Ava listens at a door. "
            "We should not be here & you know it."
        )
        # The accessibility tree, as a screen reader gets it: only this panel, and its description.
        tree = (await tab.call("Accessibility.getFullAXTree"))["nodes"]
        pictures = [
            n["name"]["value"]
            for n in tree
            if n.get("role", {}).get("value") in ("image", "img") and not n.get("ignored")
        ]
        assert "Medium shot of Ava: Ava listens at a door." in pictures
        assert "Medium shot: A harbour at dawn." not in pictures


@in_a_browser
async def test_a_strip_is_scrolled_and_still_has_a_guided_view(make_comic, tmp_path, profile):
    comic = make_comic(ReadingDirection.WEBTOON)
    async with browsing(profile) as tab:
        await tab.open(unpacked(comic, tmp_path), PHONE, mobile=True)
        assert await tab.eval("document.body.dataset.view") == "strip"
        await tab.picture("strip")
        assert await tab.eval("document.querySelectorAll('.page:not([hidden])').length") == 2
        await tab.eval("document.getElementById('stage').scrollTo({top: 1e6})")
        await tab.until("location.hash === '#2'")
        await tab.key("g")
        await tab.key("ArrowRight")
        assert await tab.place() == "#2.2"
        shown = await tab.eval(SHOWN)
        assert overlap(shown["box"], comic.pages[1].page.frames[1].box) > 0.98
        await tab.key("Escape")
        assert await tab.eval("document.body.dataset.view") == "strip"
        assert await tab.place() == "#2"


@in_a_browser
async def test_the_address_names_the_place(make_comic, tmp_path, profile):
    async with browsing(profile) as tab:
        index = unpacked(make_comic(), tmp_path)
        await tab.open(index, DESK)
        await tab.eval("location.hash = '#2.3'")
        await tab.until("document.body.dataset.view === 'guided'")
        assert (
            await tab.eval("document.querySelector('[aria-current]').getAttribute('aria-label')")
            == "Panel 3"
        )
        await tab.eval("location.hash = '#99'")
        await tab.until("location.hash === '#2'")


def bilingual(make_comic):
    """The comic with its second panels lettered in German as well."""
    comic = make_comic()
    pages = []
    for page in comic.pages:
        balloons = tuple(
            replace(b, lines=("LAUF!",), said="LAUF!", runs=(), language="de")
            if b.words == "RUN!"
            else b
            for b in page.page.balloons
        )
        german = replace(page.page, balloons=balloons)
        other = replace(page, page=german, png=page.png, language="de")
        pages.append(replace(page, translations={"de": other}))
    return replace(comic, pages=pages)


@in_a_browser
async def test_languages_are_switched_where_there_are_several(make_comic, tmp_path, profile):
    comic = bilingual(make_comic)
    index = unpacked(comic, tmp_path)
    assert (tmp_path / "pages/page-001.de.webp").exists()
    async with browsing(profile) as tab:
        await tab.open(index, DESK)
        options = "[...document.querySelectorAll('#language option')].map((o) => o.textContent)"
        assert await tab.eval(options) == ["English", "Deutsch"]
        seen = """[...document.querySelectorAll('#p1 .balloon')].filter((b) => b.offsetWidth)
            .map((b) => b.textContent.trim())"""
        assert "RUN!" in await tab.eval(seen)
        count = len(await tab.eval(seen))
        await tab.key("l")
        shown = await tab.eval(seen)
        assert "LAUF!" in shown
        assert "RUN!" not in shown
        assert len(shown) == count
        source = "document.querySelector('#p1 img').getAttribute('src')"
        assert await tab.eval(source) == "pages/page-001.de.webp"
        await tab.picture("language")
        await tab.key("g")
        for _ in range(2):
            await tab.key(" ")
        assert "LAUF!" in await tab.eval("document.getElementById('spoken').textContent")
        await tab.key("l")
        assert await tab.eval(source) == "pages/page-001.webp"
        assert "RUN!" in await tab.eval("document.getElementById('spoken').textContent")


@in_a_browser
async def test_books_in_one_language_have_no_switch(make_comic, tmp_path, profile):
    async with browsing(profile) as tab:
        await tab.open(unpacked(make_comic(), tmp_path), DESK)
        assert await tab.eval("document.getElementById('language')") is None
        await tab.key("l")
        assert await tab.place() == "#1"
