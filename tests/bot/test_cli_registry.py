"""Coverage, packages and printed sheets from a shell."""

import json

import pytest

from bot.cli import main
from bot.demo.material import EXAMPLES

MIRA = EXAMPLES / "cast" / "mira" / "everyday"


@pytest.fixture
def shell(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ONMODEL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("ONMODEL_GUILD_ID", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = main([str(a) for a in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_character_is_measured_printed_and_taken_along(shell, tmp_path):
    pictures = sorted(MIRA.glob("*-full-*.webp"))[:2]
    assert shell("cast", "register", "Mira", *pictures)[0] == 0
    code, out, _ = shell("cast", "coverage", "ch_mira", "--out", "map.png", "--json")
    assert code == 0
    data = json.loads(out)
    assert data["looks"][0]["references"] == 2
    assert any(need["key"] == "head.front" for need in data["looks"][0]["missing"])
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    assert "ready" in shell("cast", "coverage", "Mira")[1]
    assert shell("cast", "sheet", "ch_mira", "--out", "sheet.pdf")[0] == 0
    assert (tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF")
    assert shell("cast", "export", "ch_mira")[0] == 0
    code, out, _ = shell("cast", "import", "ch_mira.onmodel", "--guild", "77")
    assert code == 0
    assert "2 references" in out
    assert "confirmed" in out
    assert "ch_mira" in shell("cast", "list", "--guild", "77")[1]


def test_what_cannot_be_done_is_told_in_one_line(shell, tmp_path):
    (tmp_path / "bad.onmodel").write_bytes(b"hello")
    for arguments, why in (
        (("cast", "import", "bad.onmodel"), "no Onmodel character package"),
        (("cast", "import", "nothing.onmodel"), "cannot be read"),
        (("cast", "coverage", "ch_nobody"), "no character"),
        (("cast", "export", "ch_nobody"), "no character"),
    ):
        code, _, err = shell(*arguments)
        assert code == 2, arguments
        assert why in err
        assert len(err.splitlines()) == 1
