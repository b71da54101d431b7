"""What a web UI has: checkpoints, samplers, ControlNet units and models, LoRAs, embeddings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.domain.conditioning import Adapter, ControlKind, ModelFile
from pipeline.generation.capabilities import Capabilities
from pipeline.generation.remote.errors import EngineLacks
from pipeline.generation.remote.http import Answer, HttpClient
from pipeline.generation.remote.samplers import SamplerNames

ENGINE = "AUTOMATIC1111"
SIDES = {"sd15": 512, "sdxl": 1024}
"""Families and the side of the pictures that they were trained on."""

_USUAL_UNITS = 3
_ENCODERS = (
    "ip-adapter-auto",
    "ip-adapter_clip_h",
    "ip-adapter_clip_sd15",
    "CLIP-ViT-H (IPAdapter)",
)
"""Preprocessors that read a reference for an IP-Adapter, the best first."""
_GUIDES = {
    ControlKind.EDGES: ("canny", "lineart", "scribble"),
    ControlKind.POSE: ("openpose",),
    ControlKind.DEPTH: ("depth",),
}
_NOT_WHOLE = ("face", "portrait", "composition", "light", "pulid", "instantid")


@dataclass(frozen=True, slots=True)
class Inventory:
    """Names as the web UI spells them. ``adapters`` and ``guides`` hold ControlNet models.

    ``encoder`` is the preprocessor for references, empty without the ControlNet extension;
    ``units`` is how many ControlNet units a request may have.
    """

    checkpoints: Mapping[str, str] = field(default_factory=dict)
    checkpoint: str = ""
    samplers: frozenset[str] = frozenset()
    schedulers: bool = False
    units: int = 0
    encoder: str = ""
    adapters: Mapping[Adapter, str] = field(default_factory=dict)
    guides: Mapping[ControlKind, str] = field(default_factory=dict)
    loras: tuple[str, ...] = ()
    embeddings: tuple[str, ...] = ()

    def capabilities(self, family: str) -> Capabilities:
        """What an engine with this can do.

        References share the units with the guide picture and with a second character, so that
        a panel of two with one guide always fits.
        """
        able = frozenset(self.adapters) if self.encoder else frozenset()
        return Capabilities(
            references=max(1, (self.units - 1) // 2) if able and self.units else 0,
            adapters=able if self.units else frozenset(),
            controls=bool(self.guides and self.units),
            control_kinds=frozenset(self.guides),
            inpaint=True,
            lora=True,
            textual_inversion=True,
            negative=True,
            prompt_weights=True,
            samples=True,
            native_pixels=SIDES[family] ** 2,
            variations=1,
            models=(
                ModelFile("checkpoint", self.checkpoint, self.checkpoints.get(self.checkpoint, "")),
            ),
        )

    def sampler(self, names: SamplerNames) -> dict[str, str]:
        """The fields of a request for a sampler, for web UIs with schedulers and older ones.

        Raises:
            EngineLacks: it has no such sampler.
        """
        if self.schedulers and names.title in self.samplers:
            return {"sampler_name": names.title, "scheduler": names.schedule}
        plain = names.schedule == "Automatic"
        old = names.title if plain else f"{names.title} {names.schedule}"
        if old not in self.samplers:
            raise EngineLacks(
                f"{ENGINE} has no sampler “{old}”. Ask whoever runs the bot to update it."
            )
        return {"sampler_name": old}


def take_inventory(http: HttpClient, family: str, checkpoint: str) -> Inventory:
    """Ask a web UI for everything.

    Args:
        http: to the web UI.
        family: of the checkpoint, ``sd15`` or ``sdxl``: models of the other do not fit.
        checkpoint: from the settings; empty for the one that is loaded.

    Raises:
        EngineDown: nobody answers.
        EngineLacks: it has no such checkpoint, or was started without its API.
        EngineRefused: it wants a password.
    """
    models = _list(_must(http, "/sdapi/v1/sd-models"))
    loaded = str((http.get_json("/sdapi/v1/options") or {}).get("sd_model_checkpoint") or "")
    checkpoints = {str(m.get("title")): str(m.get("sha256") or "") for m in models}
    named = _checkpoint(checkpoint, models) if checkpoint else loaded
    samplers = _list(http.get_json("/sdapi/v1/samplers"))
    known = {str(s.get("name")) for s in samplers}
    aliases = {str(alias) for s in samplers for alias in s.get("aliases") or ()}
    found = _names(http, "/controlnet/model_list", "model_list")
    modules = _names(http, "/controlnet/module_list", "module_list")
    fitting = [name for name in found if _fits(name, family)]
    return Inventory(
        checkpoints=checkpoints,
        checkpoint=named,
        samplers=frozenset(known | aliases),
        schedulers=http.get("/sdapi/v1/schedulers").good,
        units=_units(http) if found or modules else 0,
        encoder=next((name for name in _ENCODERS if name in modules), ""),
        adapters=_adapters(fitting),
        guides=_guides(fitting),
        loras=tuple(str(one.get("name")) for one in _list(_maybe(http, "/sdapi/v1/loras"))),
        embeddings=tuple((_maybe(http, "/sdapi/v1/embeddings") or {}).get("loaded") or ()),
    )


def _must(http: HttpClient, path: str) -> Any:
    answer = http.get(path)
    if answer.status == 404:
        raise EngineLacks(
            f"{ENGINE} runs without its API. Ask whoever runs the bot to start it with --api."
        )
    if not answer.good:
        raise password_or_refused(http, path, answer)
    return answer.json()


def password_or_refused(http: HttpClient, path: str, answer: Answer) -> Exception:
    """The error for an answer that is none, with a hint where a password is wanted."""
    if answer.status in (401, 403):
        return EngineLacks(
            f"{ENGINE} wants a name and a password. Ask whoever runs the bot to set "
            "ONMODEL_A1111_AUTH."
        )
    return http.refused(path, answer)


def _maybe(http: HttpClient, path: str) -> Any:
    """What an extension or a newer version answers, None where it is not there."""
    answer = http.get(path)
    return answer.json() if answer.good else None


def _names(http: HttpClient, path: str, key: str) -> list[str]:
    found = _maybe(http, path)
    return [str(name) for name in (found or {}).get(key) or ()] if isinstance(found, dict) else []


def _list(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _units(http: HttpClient) -> int:
    found = _maybe(http, "/controlnet/settings")
    count = (found or {}).get("control_net_unit_count") if isinstance(found, dict) else None
    return count if isinstance(count, int) and 0 < count <= 10 else _USUAL_UNITS


def _checkpoint(wanted: str, models: Iterable[Mapping[str, Any]]) -> str:
    """The title of a checkpoint by title, file name or name."""
    has = []
    for model in models:
        title, name = str(model.get("title")), str(model.get("model_name"))
        if wanted.removesuffix(".safetensors") in (title, name, title.split(" [")[0]) or (
            wanted == title.split(" [")[0]
        ):
            return title
        has.append(name)
    shown = ", ".join(sorted(has)[:3]) or "none"
    raise EngineLacks(
        f"{ENGINE} has no checkpoint “{wanted}”; it has {shown}. Ask whoever runs the bot to add "
        "it, or to set ONMODEL_A1111_CHECKPOINT."
    )


def _fits(name: str, family: str) -> bool:
    return ("xl" in name.lower()) == (family == "sdxl")


def _adapters(names: Iterable[str]) -> dict[Adapter, str]:
    """The IP-Adapters for figures and for faces; “plus” ones see more of a reference."""
    found = sorted(
        (n for n in names if "ip-adapter" in n.lower().replace("_", "-")), key=_plainness
    )
    low = {name: name.lower() for name in found}
    whole = [name for name in found if not any(word in low[name] for word in _NOT_WHOLE)]
    face = [name for name in found if "face" in low[name] and "faceid" not in low[name]]
    pairs = ((Adapter.IP_WHOLE, whole), (Adapter.IP_FACE, face))
    return {adapter: chosen[0] for adapter, chosen in pairs if chosen}


def _plainness(name: str) -> tuple[bool, int, str]:
    return "plus" not in name.lower(), len(name), name


def _guides(names: Iterable[str]) -> dict[ControlKind, str]:
    plain = sorted(n for n in names if "ip-adapter" not in n.lower().replace("_", "-"))
    out: dict[ControlKind, str] = {}
    for kind, words in _GUIDES.items():
        for word in words:
            fitting = [name for name in plain if word in name.lower()]
            if fitting and kind not in out:
                out[kind] = fitting[0]
    return out
