"""Puts the rooms together: database, blobs, door, encoders, services. Nothing of Discord here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.services.access import AccessService
from bot.services.animatics import AnimaticService
from bot.services.care import CareService
from bot.services.cast import CastService
from bot.services.checks import CheckService
from bot.services.clips import ClipService
from bot.services.consent import ConsentService
from bot.services.drift import DriftService
from bot.services.engines import Engines, engines_of
from bot.services.guilds import GuildService
from bot.services.lettering import LetteringService
from bot.services.locks import GuildLocks
from bot.services.lookup import LookupService
from bot.services.marks import MarkService
from bot.services.packages import PackageService
from bot.services.page_submissions import PageSubmissions
from bot.services.pages import PageService
from bot.services.panel_search import PanelSearchService
from bot.services.panels import PanelService
from bot.services.privacy import PrivacyService
from bot.services.quests import QuestService
from bot.services.queueing import QueueService
from bot.services.redraws import RedrawService
from bot.services.registrar import Registrar
from bot.services.registry import RegistryService
from bot.services.reindex import ReindexService, serving_encoders
from bot.services.reshaping import ReshapingService
from bot.services.reviews import ReviewService
from bot.services.runs import RunService
from bot.services.safety import Safety
from bot.services.scripts import ScriptService
from bot.services.series import SeriesService
from bot.services.sheets import SheetService
from bot.services.suggestions import SuggestionService
from bot.services.sweeping import Sweeper
from bot.services.taste import TasteService
from bot.services.votes import VoteService
from bot.services.wordlists import WordLists
from bot.settings import Settings
from pipeline.comics.fonts import use_font_folder
from pipeline.domain.inputs import LadderPolicy
from pipeline.fingerprints.registry import load_encoders
from pipeline.generation.modules import ModuleShelf
from pipeline.imaging.decode import PictureDoor
from pipeline.imaging.drawn_faces import require_drawn_faces
from pipeline.imaging.network import keep_few_arenas
from pipeline.quality.judge import Judge
from pipeline.runner import WorkshopSpec
from storage.blobs import BlobStore
from storage.database import Database, open_database
from storage.keys import Keyring, load_master_key

DATABASE_NAME = "onmodel.db"


@dataclass(frozen=True, slots=True)
class App:
    """The studio without a front end."""

    settings: Settings
    db: Database
    blobs: BlobStore
    series: SeriesService
    cast: CastService
    checks: CheckService
    sheets: SheetService
    marks: MarkService
    access: AccessService
    quests: QuestService
    suggestions: SuggestionService
    registry: RegistryService
    reshaping: ReshapingService
    packages: PackageService
    engines: Engines
    panels: PanelService
    queue: QueueService
    redraws: RedrawService
    runs: RunService
    reviews: ReviewService
    panel_search: PanelSearchService
    votes: VoteService
    taste: TasteService
    drift: DriftService
    pages: PageService
    scripts: ScriptService
    animatics: AnimaticService
    clips: ClipService
    lettering: LetteringService
    submissions: PageSubmissions
    reindex: ReindexService
    lookup: LookupService
    privacy: PrivacyService
    consent: ConsentService
    words: WordLists
    safety: Safety
    care: CareService
    guilds: GuildService
    sweeper: Sweeper
    workshop_spec: WorkshopSpec


@asynccontextmanager
async def open_app(settings: Settings) -> AsyncIterator[App]:
    """Open the studio on its data folder; everything is closed again on leaving.

    Raises:
        SettingsError: an encoder or the master key is not usable.
        DatabaseError: the database cannot be opened or is newer than this program.
    """
    keep_few_arenas()
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    encoders = load_encoders(settings.encoders)
    if settings.drawn_faces:
        require_drawn_faces()
    configured = settings.master_key.get_secret_value() if settings.master_key else None
    master_key = load_master_key(settings.data_dir, configured)
    async with open_database(settings.data_dir / DATABASE_NAME) as db:
        with PictureDoor() as door:
            keyring = Keyring(db, master_key)
            blobs = BlobStore(settings.data_dir / "blobs", keyring)
            registrar = Registrar(door, blobs, encoders, drawn_faces=settings.drawn_faces)
            locks = GuildLocks()
            engines = engines_of(settings.generator)
            series = SeriesService(db, keyring, engines)
            serving = await serving_encoders(db, settings.encoders, encoders)
            judge = Judge(load_encoders(serving))
            use_font_folder(settings.data_dir / "fonts")
            pages = PageService(db, blobs)
            lettering = LetteringService(db, pages)
            policy = LadderPolicy(settings.panel_attempts, settings.panel_seconds)
            panels = PanelService(db, blobs, door, engines)
            shelf = _shelf(settings)
            taste = TasteService(db)
            sweeper = Sweeper(db, blobs, keyring, shelf, locks)
            yield App(
                settings=settings,
                db=db,
                blobs=blobs,
                series=series,
                cast=CastService(db, blobs, registrar, locks),
                checks=CheckService(db, blobs, registrar, judge),
                sheets=SheetService(db, blobs),
                marks=MarkService(db, blobs, encoders, locks),
                access=AccessService(db, locks),
                quests=QuestService(db, blobs, registrar, locks),
                suggestions=SuggestionService(db),
                registry=RegistryService(db, blobs, locks),
                reshaping=ReshapingService(db, blobs, registrar, locks),
                packages=PackageService(db, blobs, registrar, encoders, locks),
                engines=engines,
                panels=panels,
                queue=QueueService(db),
                redraws=RedrawService(db, engines),
                runs=RunService(db, blobs, policy, keyring, shelf, taste),
                reviews=ReviewService(db),
                panel_search=PanelSearchService(db, blobs, door),
                votes=VoteService(db, taste),
                taste=taste,
                drift=DriftService(db),
                pages=pages,
                scripts=ScriptService(db, blobs, panels),
                animatics=AnimaticService(db, blobs),
                clips=ClipService(db, blobs, judge),
                lettering=lettering,
                submissions=PageSubmissions(pages, panels, lettering, door),
                lookup=LookupService(db, blobs, door, load_encoders(serving)),
                reindex=ReindexService(db, blobs, registrar, locks),
                privacy=PrivacyService(db, blobs, sweeper, locks),
                consent=ConsentService(db, sweeper),
                words=WordLists(db),
                safety=Safety(db, blobs),
                care=CareService(db),
                guilds=GuildService(db, blobs, keyring, sweeper),
                sweeper=sweeper,
                workshop_spec=WorkshopSpec(settings.generator, serving, settings.engine_options()),
            )


def _shelf(settings: Settings) -> ModuleShelf:
    folder = settings.diffusers_modules
    return ModuleShelf(Path(folder).expanduser() if folder else None)
