"""A story of a page that goes to a painting program and comes back."""

import io
import re
import zipfile

from PIL import Image, ImageDraw
from studio import Studio, answer


def repainted(ora: bytes, layer: str) -> bytes:
    """The drawing with a stroke on one of its layers."""
    with zipfile.ZipFile(io.BytesIO(ora)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    found = re.search(f'name="{layer}"[^>]*src="([^"]+)"', files["stack.xml"].decode())
    assert found
    file = found[1]
    image = Image.open(io.BytesIO(files[file]))
    ImageDraw.Draw(image).rectangle((10, 10, 60, 40), fill=(210, 30, 30, 255))
    out = io.BytesIO()
    image.save(out, "PNG")
    files[file] = out.getvalue()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


async def test_a_page_goes_out_in_layers_and_comes_back(studio: Studio):
    await studio.register()
    for number in range(2):
        await studio.request(prompt=f"Scene {number}.", alternates=1, page=1)
    await studio.quiet()
    await studio.ann.slash(studio.channel, "page compose", page=1)
    await studio.ann.slash(studio.channel, "page export", format="ora", page=1)
    (attachment,) = studio.card().attachments
    assert attachment.filename.endswith("-001.ora")
    ora = await attachment.read()

    told = await studio.ann.slash(studio.channel, "page submit", file=("page.ora", ora))
    assert "Nothing in that file" in answer(told)
    told = await studio.ann.slash(
        studio.channel, "page submit", file=("page.ora", repainted(ora, "art 2"))
    )
    assert "came back" in answer(told)
    assert "panel 2 → panel 3" in answer(told)
    assert "1 picture untouched" in answer(told)
    await studio.quiet()
    told = await studio.ann.slash(studio.channel, "panel status", panel=3)
    assert "waiting for a moderator" in answer(told)  # checked like every drawing
