"""A story about clothes: chapters decide what is worn, and a wrong look is refused in words."""

from studio import Studio, answer, picture


async def _two_looks(studio: Studio) -> None:
    """Akira in everyday clothes up to chapter 2, and in armour from chapter 3 on."""
    await studio.register(appearance="everyday", shot_type="half")
    added = await studio.ann.slash(
        studio.channel, "character add-reference", character="Akira", appearance="armour",
        image=("b.png", picture("crimson")), shot_type="half",
    )  # fmt: skip
    assert "akira_armour" in answer(added), answer(added)
    for look, worn in (("akira_everyday", "-2"), ("akira_armour", "3-")):
        edited = await studio.ann.slash(
            studio.channel, "character edit", character="Akira", appearance=look, valid=worn
        )
        assert "chapter" in answer(edited)


async def test_the_chapter_dresses_the_cast(studio: Studio):
    await _two_looks(studio)
    unsaid = await studio.request()
    assert "no chapter is known" in answer(unsaid)
    first = await studio.request(prompt="She waits.", chapter=2, page=3)
    assert "chapter 2, page 3, in `akira_everyday`" in answer(first)
    shown = answer(await studio.bob.slash(studio.channel, "appearance wardrobe"))
    assert "`akira_everyday`, worn from the beginning to chapter 2" in shown
    assert "No chapter is known" in shown
    told = await studio.boss.slash(studio.channel, "series settings", chapter=5)
    shown = answer(await studio.bob.slash(studio.channel, "appearance wardrobe"))
    assert "Wardrobe of chapter 5" in shown
    assert "`akira_armour`, worn from chapter 3 to the end" in shown
    assert "Chapter: 5" in answer(told)
    assert "chapter 5, in `akira_armour`" in answer(await studio.request(prompt="She sings."))
    same_page = await studio.request(prompt="She runs.", page=3)
    assert "chapter 2, page 3, in `akira_everyday`" in answer(same_page)


async def test_a_look_of_another_chapter_is_refused_and_the_way_out_works(studio: Studio):
    await _two_looks(studio)
    refused = await studio.request(appearance="akira_armour", chapter=1)
    assert "is worn from chapter 3 to the end, not in chapter 1" in answer(refused)
    assert "Choose appearance akira_everyday" in answer(refused)
    assert "empty" in answer(await studio.bob.slash(studio.channel, "queue show"))
    widened = await studio.ann.slash(
        studio.channel, "character edit", character="Akira", appearance="akira_armour", valid="1-"
    )
    assert "chapter 1" in answer(widened)
    taken = await studio.request(appearance="akira_armour", chapter=1)
    assert "in `akira_armour`" in answer(taken)


async def test_the_wardrobe_names_who_has_nothing_to_wear(studio: Studio):
    empty = await studio.bob.slash(studio.channel, "appearance wardrobe")
    assert "/character register" in answer(empty)
    await studio.register(appearance="everyday", shot_type="half")
    await studio.ann.slash(studio.channel, "character edit", character="Akira", valid="-2")
    shown = await studio.bob.slash(studio.channel, "appearance wardrobe", chapter=4)
    assert "has nothing to wear there" in answer(shown)
    assert "/appearance add" in answer(shown)
