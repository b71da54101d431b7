import pytest

from bot.settings import Settings, load_settings, misspelt_variables
from pipeline.domain.errors import SettingsError


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch):
    for name in ("DISCORD_TOKEN", *(f"ONMODEL_{f.upper()}" for f in Settings.model_fields)):
        monkeypatch.delenv(name, raising=False)


def test_defaults_need_nothing():
    settings = load_settings(env_file=None)
    assert settings.generator == "draft"
    assert settings.encoders == ("house", "palette")
    assert settings.executor == "local"
    assert settings.discord_token is None


def test_file_and_environment(tmp_path, monkeypatch):
    env = tmp_path / ".env"
    env.write_text("DISCORD_TOKEN=abc\nONMODEL_ENCODERS=palette, structure ,\nONMODEL_GUILD_ID=7\n")
    monkeypatch.setenv("ONMODEL_GUILD_ID", "8")
    settings = load_settings(env)
    assert settings.discord_token is not None
    assert settings.discord_token.get_secret_value() == "abc"
    assert settings.encoders == ("palette", "structure")
    assert settings.guild_id == 8


def test_the_token_never_shows(tmp_path):
    env = tmp_path / ".env"
    env.write_text("DISCORD_TOKEN=very-secret\n")
    assert "very-secret" not in repr(load_settings(env))


@pytest.mark.parametrize(
    ("variable", "value"),
    [("ONMODEL_GUILD_ID", "my-guild"), ("ONMODEL_EXECUTOR", "cloud"), ("ONMODEL_ENCODERS", " , ")],
)
def test_bad_values_name_the_variable_and_not_the_value(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file=None)
    assert variable in str(caught.value)
    assert "my-guild" not in str(caught.value)


def test_misspelt_variables_are_found(tmp_path):
    env = tmp_path / ".env"
    env.write_text("# ONMODEL_COMMENT=1\nONMODEL_GENERATR=draft\nDISCORD_TOKEN=x\n")
    found = misspelt_variables({"ONMODEL_ENCODER": "palette", "PATH": "/bin"}, env)
    assert found == {"ONMODEL_ENCODER": "ONMODEL_ENCODERS", "ONMODEL_GENERATR": "ONMODEL_GENERATOR"}


def test_every_variable_is_explained_in_the_example(pytestconfig):
    text = (pytestconfig.rootpath / ".env.example").read_text()
    for field in Settings.model_fields:
        name = "DISCORD_TOKEN" if field == "discord_token" else f"ONMODEL_{field.upper()}"
        assert name in text
