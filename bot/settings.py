"""Settings from the environment and ``.env``: read once, at the edge, then frozen."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import platformdirs
from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pipeline.domain.errors import SettingsError

PREFIX = "ONMODEL_"


def _platform_data_dir() -> Path:
    return Path(platformdirs.user_data_dir("onmodel", appauthor=False))


class Settings(BaseSettings):
    """Everything that a host can set. ``.env.example`` explains each variable."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True
    )

    discord_token: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("DISCORD_TOKEN", "discord_token")
    )
    guild_id: int | None = Field(default=None, gt=0)
    data_dir: Path = Field(default_factory=_platform_data_dir)
    generator: str = "draft"
    encoders: Annotated[tuple[str, ...], NoDecode] = ("house", "palette")
    executor: Literal["local", "ray"] = "local"
    panel_attempts: int = Field(default=3, ge=1, le=20)
    panel_seconds: float = Field(default=600.0, ge=1, le=86_400)
    drawn_faces: bool = False
    master_key: SecretStr | None = None
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    metrics_host: str = "127.0.0.1"
    shard_count: int | None = Field(default=None, ge=1, le=10_000)
    shard_ids: Annotated[tuple[int, ...], NoDecode] = ()
    diffusers_model: str | None = None
    diffusers_adapters: str | None = None
    diffusers_controls: str | None = None
    diffusers_modules: str | None = None
    diffusers_allow_download: bool | None = None
    diffusers_device: str | None = None
    diffusers_dtype: Literal["auto", "float32", "float16", "bfloat16"] | None = None
    diffusers_memory_mib: int | None = Field(default=None, ge=256)
    diffusers_cache_mib: int | None = Field(default=None, ge=0)
    diffusers_sampler: str | None = None
    diffusers_steps: int | None = Field(default=None, ge=1, le=200)
    diffusers_guidance: float | None = Field(default=None, ge=0, le=30)
    comfyui_url: str | None = None
    comfyui_allow_remote: bool | None = None
    comfyui_workflow: str | None = None
    comfyui_checkpoint: str | None = None
    comfyui_timeout: float | None = Field(default=None, ge=5)
    a1111_url: str | None = None
    a1111_allow_remote: bool | None = None
    a1111_auth: SecretStr | None = None
    a1111_family: Literal["sd15", "sdxl"] | None = None
    a1111_checkpoint: str | None = None
    a1111_timeout: float | None = Field(default=None, ge=5)

    def engine_options(self) -> dict[str, Any]:
        """What is set for the chosen generator, by name without its prefix, secrets unwrapped.

        Small and plain: it goes to the worker's process.
        """
        prefix = f"{self.generator}_"
        found = {
            name.removeprefix(prefix): getattr(self, name)
            for name in type(self).model_fields
            if name.startswith(prefix)
        }
        return {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in found.items()
            if value is not None
        }

    @field_validator("encoders", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value

    @field_validator("shard_ids", mode="before")
    @classmethod
    def _shards(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        first, _, last = value.partition("-")
        return tuple(range(int(first), int(last or first) + 1))

    @model_validator(mode="after")
    def _shards_exist(self) -> Self:
        if self.shard_ids and self.shard_count is None:
            raise ValueError(
                "ONMODEL_SHARD_IDS needs ONMODEL_SHARD_COUNT, of all processes together"
            )
        if self.shard_count is not None and any(n >= self.shard_count for n in self.shard_ids):
            raise ValueError("ONMODEL_SHARD_IDS go from 0 to one less than ONMODEL_SHARD_COUNT")
        return self

    @field_validator("encoders")
    @classmethod
    def _not_empty(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("name at least one encoder, for instance house,palette")
        return value


def load_settings(env_file: Path | None = Path(".env")) -> Settings:
    """Read real variables first, then ``.env``.

    Raises:
        SettingsError: a value is out of range; the text names the variable and the problem, and
            never repeats the value, which may be a secret.
    """
    try:
        # pydantic-settings' own parameter; the type checker knows the fields only
        return Settings(_env_file=env_file)  # pyright: ignore[reportCallIssue]
    except ValidationError as error:
        problems = "; ".join(f"{_variable(e['loc'])}: {e['msg']}" for e in error.errors())
        raise SettingsError(f"{problems}. See .env.example.") from error


def _variable(location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else "settings"
    return name if name == "DISCORD_TOKEN" else f"{PREFIX}{name.upper()}"


def misspelt_variables(
    environment: Mapping[str, str] | None = None, env_file: Path | None = Path(".env")
) -> dict[str, str | None]:
    """Unknown ``ONMODEL_*`` names → the nearest known one, or None.

    A misspelt variable is silently without effect otherwise.
    """
    names = set(os.environ if environment is None else environment)
    if env_file is not None and env_file.is_file():
        names |= {
            line.split("=", 1)[0].removeprefix("export ").strip()
            for line in env_file.read_text(encoding="utf-8").splitlines()
            if "=" in line and not line.lstrip().startswith("#")
        }
    known = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    known.discard(f"{PREFIX}DISCORD_TOKEN")
    unknown = sorted(n for n in names if n.upper().startswith(PREFIX) and n.upper() not in known)
    return {
        name: next(iter(difflib.get_close_matches(name.upper(), known, 1)), None)
        for name in unknown
    }
