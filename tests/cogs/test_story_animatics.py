"""Stories of animatics: composed pages become a film that another library plays."""

import io

import pytest
from studio import Studio, answer, text_of


async def test_a_page_becomes_a_film_with_captions(studio: Studio):
    av = pytest.importorskip("av")
    await studio.register()
    refused = await studio.ann.slash(studio.channel, "animatic make", first=1)
    assert "None of these pages is composed" in answer(refused)
    await studio.request(prompt="They wait.", alternates=1, page=1, dialogue="Akira: Well?")
    await studio.quiet()
    await studio.ann.slash(studio.channel, "page compose", page=1)

    await studio.ann.slash(studio.channel, "animatic make", first=1, shape="tall")
    card = studio.card()
    assert "1 panels in 2 seconds" in text_of(card)
    assert "Weakest likeness: panel 1 at 0.0 s" in text_of(card)
    film, srt = card.attachments
    with av.open(io.BytesIO(await film.read())) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 720, 1280)
    assert "Akira: Well?" in (await srt.read()).decode()

    await studio.ann.slash(studio.channel, "animatic make", first=1, form="gif")
    (gif,) = [a for a in studio.card().attachments if a.filename.endswith(".gif")]
    assert (await gif.read())[:6] == b"GIF89a"
