-- The sum of storage/migrations, made by `python -m storage.schema_text`. Do not edit.

CREATE TABLE guild (
    guild_id          INTEGER PRIMARY KEY CHECK (guild_id > 0),
    wrapped_key       BLOB NOT NULL,
    active_series_id  INTEGER,
    created_at        TEXT NOT NULL
, left_at TEXT) STRICT;

CREATE TABLE series (
    id                 INTEGER PRIMARY KEY,
    guild_id           INTEGER NOT NULL REFERENCES guild (guild_id),
    slug               TEXT NOT NULL,
    name               TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    style              TEXT NOT NULL DEFAULT '',
    reading_direction  TEXT NOT NULL CHECK (reading_direction IN ('ltr', 'rtl', 'webtoon')),
    color_mode         TEXT NOT NULL CHECK (color_mode IN ('color', 'grayscale')),
    moderator_role_id  INTEGER,
    panel_channel_id   INTEGER,
    review_channel_id  INTEGER,
    alternates         INTEGER NOT NULL DEFAULT 2 CHECK (alternates BETWEEN 1 AND 4),
    quota              INTEGER NOT NULL DEFAULT 20 CHECK (quota BETWEEN 1 AND 1000),
    created_by         INTEGER NOT NULL,
    created_at         TEXT NOT NULL, missing_shot TEXT NOT NULL DEFAULT 'warn'
    CHECK (missing_shot IN ('warn', 'block')), false_flag_percent INTEGER NOT NULL DEFAULT 10
    CHECK (false_flag_percent IN (2, 5, 10)), audit_percent INTEGER NOT NULL DEFAULT 10
    CHECK (audit_percent BETWEEN 0 AND 50), chapter INTEGER CHECK (chapter BETWEEN 1 AND 9999), page_format TEXT NOT NULL DEFAULT 'a4', vote_hours INTEGER NOT NULL DEFAULT 24
    CHECK (vote_hours BETWEEN 1 AND 336), vote_quorum INTEGER CHECK (vote_quorum BETWEEN 1 AND 1000), vote_role_id INTEGER, vote_days INTEGER NOT NULL DEFAULT 0
    CHECK (vote_days BETWEEN 0 AND 3650), vote_tie TEXT NOT NULL DEFAULT 'extend'
    CHECK (vote_tie IN ('extend', 'requester', 'margin')), gpu_seconds INTEGER CHECK (gpu_seconds BETWEEN 1 AND 864000), cooldown INTEGER NOT NULL DEFAULT 0
    CHECK (cooldown BETWEEN 0 AND 86400), language TEXT NOT NULL DEFAULT '' CHECK (length(language) <= 10), sentinel INTEGER NOT NULL DEFAULT 1 CHECK (sentinel IN (0, 1)), taste TEXT NOT NULL DEFAULT 'rank'
    CHECK (taste IN ('off', 'rank', 'spare')), paused_at TEXT, pause_reason TEXT NOT NULL DEFAULT '' CHECK (length(pause_reason) <= 200),
    UNIQUE (guild_id, slug)
) STRICT;

CREATE TABLE character (
    id            INTEGER PRIMARY KEY,
    guild_id      INTEGER NOT NULL REFERENCES guild (guild_id),
    series_id     INTEGER NOT NULL REFERENCES series (id),
    character_id  TEXT NOT NULL,
    name          TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    name_key      TEXT NOT NULL,  -- the name as it is compared: NFKC, case folded
    owner_id      INTEGER NOT NULL,
    notes         TEXT NOT NULL DEFAULT '',
    height_ratio  REAL NOT NULL DEFAULT 1.0 CHECK (height_ratio BETWEEN 0.05 AND 5.0),
    created_at    TEXT NOT NULL, kind TEXT NOT NULL DEFAULT 'character'
    CHECK (kind IN ('character', 'prop', 'location', 'style')), credits TEXT NOT NULL DEFAULT '', license TEXT NOT NULL DEFAULT '',
    UNIQUE (guild_id, character_id)
) STRICT;

CREATE INDEX character_by_name ON character (guild_id, name_key);

CREATE TABLE appearance (
    id              INTEGER PRIMARY KEY,
    guild_id        INTEGER NOT NULL REFERENCES guild (guild_id),
    character_row   INTEGER NOT NULL REFERENCES character (id) ON DELETE CASCADE,
    appearance_id   TEXT NOT NULL,
    label           TEXT NOT NULL,
    components      TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(components)),
    palette         TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(palette)),
    notes           TEXT NOT NULL DEFAULT '',
    created_at      TEXT NOT NULL, colorway TEXT NOT NULL DEFAULT '', version INTEGER NOT NULL DEFAULT 1
    CHECK (version BETWEEN 1 AND 999), valid_from TEXT
    CHECK (valid_from IS NULL OR json_array_length(valid_from) = 2), valid_to TEXT
    CHECK (valid_to IS NULL OR json_array_length(valid_to) = 2), suggested TEXT NOT NULL DEFAULT '{}'
    CHECK (json_valid(suggested)), merged_into INTEGER
    REFERENCES appearance (id) ON DELETE SET NULL,
    UNIQUE (guild_id, appearance_id)
) STRICT;

CREATE INDEX appearance_by_character ON appearance (character_row);

CREATE TABLE reference (
    id              INTEGER PRIMARY KEY,
    guild_id        INTEGER NOT NULL REFERENCES guild (guild_id),
    appearance_row  INTEGER NOT NULL REFERENCES appearance (id) ON DELETE CASCADE,
    sha256          TEXT NOT NULL CHECK (length(sha256) = 64),
    kind            TEXT NOT NULL CHECK (kind IN
                        ('sheet', 'turnaround', 'pose', 'outfit', 'expression', 'prop', 'panel')),
    shot_type       TEXT NOT NULL CHECK (shot_type IN ('headshot', 'half', 'full', 'dynamic')),
    angle           TEXT NOT NULL DEFAULT '',
    expression      TEXT NOT NULL DEFAULT '',
    width           INTEGER NOT NULL,
    height          INTEGER NOT NULL,
    canon           INTEGER NOT NULL DEFAULT 1 CHECK (canon IN (0, 1)),
    notes           TEXT NOT NULL DEFAULT '',
    hash_version    TEXT NOT NULL,
    phash           TEXT,
    dhash           TEXT,
    ahash           TEXT,
    added_by        INTEGER NOT NULL,
    created_at      TEXT NOT NULL, guessed TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(guessed)),
    UNIQUE (guild_id, appearance_row, sha256)
) STRICT;

CREATE INDEX reference_by_appearance ON reference (appearance_row);

CREATE INDEX reference_by_guild ON reference (guild_id);

CREATE TABLE fingerprint (
    id            INTEGER PRIMARY KEY,
    guild_id      INTEGER NOT NULL REFERENCES guild (guild_id),
    reference_id  INTEGER NOT NULL REFERENCES reference (id) ON DELETE CASCADE,
    encoder       TEXT NOT NULL,
    crop          TEXT NOT NULL CHECK (crop IN ('head', 'half', 'figure')),
    color_mode    TEXT NOT NULL CHECK (color_mode IN ('color', 'grayscale')),
    vector        BLOB NOT NULL,
    UNIQUE (reference_id, encoder, crop, color_mode)
) STRICT;

CREATE INDEX fingerprint_by_kind ON fingerprint (guild_id, encoder, crop, color_mode);

CREATE TABLE vector_mirror (
    name        TEXT PRIMARY KEY,
    encoder     TEXT NOT NULL,
    crop        TEXT NOT NULL,
    color_mode  TEXT NOT NULL,
    dimensions  INTEGER NOT NULL CHECK (dimensions > 0),
    stale       INTEGER NOT NULL DEFAULT 1 CHECK (stale IN (0, 1)), changes INTEGER NOT NULL DEFAULT 0,
    UNIQUE (encoder, crop, color_mode)
) STRICT, WITHOUT ROWID;

CREATE TABLE threshold (
    id              INTEGER PRIMARY KEY,
    guild_id        INTEGER NOT NULL REFERENCES guild (guild_id),
    appearance_row  INTEGER NOT NULL REFERENCES appearance (id) ON DELETE CASCADE,
    encoders        TEXT NOT NULL,
    crop            TEXT NOT NULL CHECK (crop IN ('head', 'half', 'figure')),
    color_mode      TEXT NOT NULL CHECK (color_mode IN ('color', 'grayscale')),
    value           REAL NOT NULL CHECK (value BETWEEN -1.0 AND 1.0),
    source          TEXT NOT NULL,
    reference_count INTEGER NOT NULL,
    updated_at      TEXT NOT NULL,
    UNIQUE (appearance_row, encoders, crop, color_mode)
) STRICT;

CREATE TABLE panel (
    id                INTEGER PRIMARY KEY,
    guild_id          INTEGER NOT NULL REFERENCES guild (guild_id),
    series_id         INTEGER NOT NULL REFERENCES series (id),
    requester_id      INTEGER NOT NULL,
    origin            TEXT NOT NULL CHECK (origin IN ('generated', 'submitted')),
    status            TEXT NOT NULL CHECK (status IN ('queued', 'running', 'review', 'voting',
                          'accepted', 'rejected', 'cancelled', 'failed')),
    brief             TEXT NOT NULL CHECK (json_valid(brief)),
    page_number       INTEGER,
    submission_sha256 TEXT,
    channel_id        INTEGER,
    chosen_candidate  INTEGER,
    voting_closes_at  TEXT,
    failure           TEXT,
    created_at        TEXT NOT NULL,
    updated_at        TEXT NOT NULL
, vote_extended INTEGER NOT NULL DEFAULT 0
    CHECK (vote_extended IN (0, 1))) STRICT;

CREATE INDEX panel_by_guild ON panel (guild_id, id DESC);

CREATE INDEX panel_by_requester ON panel (guild_id, requester_id, created_at);

CREATE INDEX panel_by_page ON panel (guild_id, series_id, page_number);

CREATE INDEX panel_voting ON panel (voting_closes_at) WHERE status = 'voting';

CREATE TABLE job (
    id                INTEGER PRIMARY KEY,
    guild_id          INTEGER NOT NULL REFERENCES guild (guild_id),
    member_id         INTEGER NOT NULL CHECK (member_id > 0),
    kind              TEXT NOT NULL CHECK (kind IN ('generate', 'submission')),
    panel_id          INTEGER NOT NULL REFERENCES panel (id) ON DELETE CASCADE,
    dedupe_key        TEXT NOT NULL,
    status            TEXT NOT NULL CHECK (status IN
                          ('queued', 'running', 'done', 'cancelled', 'dead')),
    priority          INTEGER NOT NULL DEFAULT 0,
    fence             INTEGER NOT NULL DEFAULT 0,
    crashes           INTEGER NOT NULL DEFAULT 0,
    cancel_requested  INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
    strength          INTEGER NOT NULL DEFAULT 0,
    lease_owner       TEXT,
    lease_until       REAL,
    progress          REAL NOT NULL DEFAULT 0,
    progress_note     TEXT NOT NULL DEFAULT '',
    error             TEXT,
    seconds           REAL,
    created_at        TEXT NOT NULL,
    started_at        TEXT,
    finished_at       TEXT, affinity TEXT NOT NULL DEFAULT '', passed INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1)), front INTEGER NOT NULL DEFAULT 0 CHECK (front >= 0), engine TEXT NOT NULL DEFAULT '', work REAL NOT NULL DEFAULT 0 CHECK (work >= 0), expected_seconds REAL,
    UNIQUE (guild_id, dedupe_key)
) STRICT;

CREATE INDEX job_running ON job (lease_until) WHERE status = 'running';

CREATE INDEX job_by_panel ON job (panel_id);

CREATE INDEX job_finished ON job (finished_at) WHERE status = 'done';

CREATE TABLE share (
    guild_id   INTEGER NOT NULL,
    member_id  INTEGER NOT NULL,
    vtime      INTEGER NOT NULL DEFAULT 0,
    clock      INTEGER NOT NULL DEFAULT 0,
    waiting    INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0),
    PRIMARY KEY (guild_id, member_id),
    CHECK (guild_id <> 0 OR member_id = 0)
) STRICT, WITHOUT ROWID;

INSERT INTO share VALUES (0, 0, 0, 0, 0);

CREATE INDEX share_guilds ON share (vtime, guild_id) WHERE member_id = 0 AND waiting > 0;

CREATE INDEX share_members ON share (guild_id, vtime, member_id)
    WHERE member_id <> 0 AND waiting > 0;

CREATE TABLE attempt (
    id          INTEGER PRIMARY KEY,
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    panel_id    INTEGER NOT NULL REFERENCES panel (id) ON DELETE CASCADE,
    job_id      INTEGER NOT NULL REFERENCES job (id),
    number      INTEGER NOT NULL,
    plan        TEXT CHECK (plan IS NULL OR json_valid(plan)),
    seconds     REAL NOT NULL,
    created_at  TEXT NOT NULL, copy_score REAL CHECK (copy_score BETWEEN 0 AND 1),
    UNIQUE (job_id, number)
) STRICT;

CREATE INDEX attempt_by_panel ON attempt (panel_id);

CREATE TABLE candidate (
    id            INTEGER PRIMARY KEY,
    guild_id      INTEGER NOT NULL REFERENCES guild (guild_id),
    panel_id      INTEGER NOT NULL REFERENCES panel (id) ON DELETE CASCADE,
    attempt_id    INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
    label         TEXT CHECK (label IN ('A', 'B', 'C', 'D')),
    sha256        TEXT NOT NULL CHECK (length(sha256) = 64),
    width         INTEGER NOT NULL,
    height        INTEGER NOT NULL,
    verdict       TEXT NOT NULL CHECK (verdict IN ('on_model', 'off_model', 'cannot_judge')),
    report        TEXT NOT NULL CHECK (json_valid(report)),
    figures       TEXT NOT NULL CHECK (json_valid(figures)),
    hash_version  TEXT NOT NULL,
    phash         TEXT,
    dhash         TEXT,
    ahash         TEXT,
    created_at    TEXT NOT NULL
) STRICT;

CREATE INDEX candidate_by_panel ON candidate (panel_id);

CREATE INDEX candidate_by_attempt ON candidate (attempt_id);

CREATE TABLE drift_sample (
    id             INTEGER PRIMARY KEY,
    guild_id       INTEGER NOT NULL REFERENCES guild (guild_id),
    panel_id       INTEGER NOT NULL REFERENCES panel (id) ON DELETE CASCADE,
    candidate_id   INTEGER NOT NULL REFERENCES candidate (id) ON DELETE CASCADE,
    character_id   TEXT NOT NULL,
    appearance_id  TEXT NOT NULL,
    similarity     REAL NOT NULL,
    threshold      REAL,
    verdict        TEXT NOT NULL,
    segments       TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(segments)),
    created_at     TEXT NOT NULL
, score REAL, encoders TEXT NOT NULL DEFAULT '', looks TEXT NOT NULL DEFAULT '', color_mode TEXT NOT NULL DEFAULT 'color'
    CHECK (color_mode IN ('color', 'grayscale')), probability REAL NOT NULL DEFAULT 0
    CHECK (probability BETWEEN 0 AND 1), best INTEGER NOT NULL DEFAULT 1 CHECK (best IN (0, 1))) STRICT;

CREATE INDEX drift_by_character ON drift_sample (guild_id, character_id, id);

CREATE INDEX drift_by_panel ON drift_sample (panel_id);

CREATE INDEX drift_by_candidate ON drift_sample (candidate_id);

CREATE TABLE review (
    id               INTEGER PRIMARY KEY,
    guild_id         INTEGER NOT NULL REFERENCES guild (guild_id),
    panel_id         INTEGER NOT NULL REFERENCES panel (id) ON DELETE CASCADE,
    candidate_id     INTEGER NOT NULL REFERENCES candidate (id) ON DELETE CASCADE,
    flag             TEXT NOT NULL,
    reason           TEXT NOT NULL,
    status           TEXT NOT NULL CHECK (status IN
                         ('open', 'approved', 'rejected', 'retried', 'withdrawn')),
    evidence_sha256  TEXT,
    decided_by       INTEGER,
    decided_at       TEXT,
    note             TEXT NOT NULL DEFAULT '',
    thread_id        INTEGER,
    created_at       TEXT NOT NULL
, claimed_by INTEGER, claimed_at TEXT, appeal_of INTEGER REFERENCES review (id) ON DELETE SET NULL) STRICT;

CREATE UNIQUE INDEX review_one_open ON review (panel_id) WHERE status = 'open';

CREATE INDEX review_by_panel ON review (panel_id);

CREATE INDEX review_by_candidate ON review (candidate_id);

CREATE INDEX review_open ON review (guild_id, id) WHERE status = 'open';

CREATE TABLE review_label (
    id          INTEGER PRIMARY KEY,
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    review_id   INTEGER NOT NULL REFERENCES review (id) ON DELETE CASCADE,
    label       TEXT NOT NULL CHECK (length(label) BETWEEN 1 AND 80),
    member_id   INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    UNIQUE (review_id, label)
) STRICT;

CREATE TABLE vote (
    guild_id      INTEGER NOT NULL REFERENCES guild (guild_id),
    panel_id      INTEGER NOT NULL REFERENCES panel (id) ON DELETE CASCADE,
    member_id     INTEGER NOT NULL,
    candidate_id  INTEGER NOT NULL REFERENCES candidate (id) ON DELETE CASCADE,
    cast_at       TEXT NOT NULL,
    PRIMARY KEY (panel_id, member_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX vote_by_candidate ON vote (candidate_id);

CREATE TABLE page (
    id          INTEGER PRIMARY KEY,
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    series_id   INTEGER NOT NULL REFERENCES series (id),
    number      INTEGER NOT NULL CHECK (number BETWEEN 1 AND 9999),
    layout      TEXT NOT NULL,
    panels      TEXT NOT NULL CHECK (json_valid(panels)),
    sha256      TEXT,
    updated_at  TEXT NOT NULL,
    UNIQUE (guild_id, series_id, number)
) STRICT;

CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY,
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    kind        TEXT NOT NULL,
    subject_id  INTEGER NOT NULL,
    dedupe_key  TEXT NOT NULL,
    payload     TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(payload)),
    status      TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'posted', 'dead')),
    tries       INTEGER NOT NULL DEFAULT 0,
    next_at     REAL NOT NULL DEFAULT 0,
    channel_id  INTEGER,
    message_id  INTEGER,
    thread_id   INTEGER,
    error       TEXT,
    created_at  TEXT NOT NULL,
    posted_at   TEXT,
    UNIQUE (guild_id, dedupe_key)
) STRICT;

CREATE INDEX outbox_pending ON outbox (next_at, id) WHERE status = 'pending';

CREATE INDEX outbox_by_subject ON outbox (guild_id, kind, subject_id);

CREATE TABLE setting (
    key    TEXT PRIMARY KEY,
    value  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX appearance_merged ON appearance (merged_into);

CREATE TABLE mark (
    id            INTEGER PRIMARY KEY,
    guild_id      INTEGER NOT NULL REFERENCES guild (guild_id),
    reference_id  INTEGER NOT NULL REFERENCES reference (id) ON DELETE CASCADE,
    name          TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    side          TEXT NOT NULL DEFAULT '' CHECK (side IN ('', 'left', 'right', 'center')),
    x0            INTEGER NOT NULL CHECK (x0 >= 0),
    y0            INTEGER NOT NULL CHECK (y0 >= 0),
    x1            INTEGER NOT NULL CHECK (x1 > x0),
    y1            INTEGER NOT NULL CHECK (y1 > y0),
    notes         TEXT NOT NULL DEFAULT '',
    created_at    TEXT NOT NULL,
    UNIQUE (reference_id, name)
) STRICT;

CREATE INDEX mark_by_guild ON mark (guild_id);

CREATE TABLE mark_fingerprint (
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    mark_id     INTEGER NOT NULL REFERENCES mark (id) ON DELETE CASCADE,
    encoder     TEXT NOT NULL,
    color_mode  TEXT NOT NULL CHECK (color_mode IN ('color', 'grayscale')),
    vector      BLOB NOT NULL,
    PRIMARY KEY (mark_id, encoder, color_mode)
) STRICT, WITHOUT ROWID;

CREATE TABLE registry_event (
    id             INTEGER PRIMARY KEY,
    guild_id       INTEGER NOT NULL REFERENCES guild (guild_id),
    character_row  INTEGER NOT NULL REFERENCES character (id) ON DELETE CASCADE,
    action         TEXT NOT NULL CHECK (action IN
                       ('edit', 'add', 'merge', 'split', 'undo')),
    summary        TEXT NOT NULL,
    before         TEXT NOT NULL CHECK (json_valid(before)),
    after          TEXT NOT NULL CHECK (json_valid(after)),
    member_id      INTEGER NOT NULL,
    created_at     TEXT NOT NULL,
    undone_by      INTEGER REFERENCES registry_event (id) ON DELETE SET NULL
) STRICT;

CREATE INDEX registry_event_by_character ON registry_event (guild_id, character_row, id);

CREATE INDEX registry_event_character ON registry_event (character_row);

CREATE INDEX registry_event_undone ON registry_event (undone_by);

CREATE INDEX reference_band_p0 ON reference (guild_id, substr(phash, 1, 4));

CREATE INDEX reference_band_p1 ON reference (guild_id, substr(phash, 5, 4));

CREATE INDEX reference_band_p2 ON reference (guild_id, substr(phash, 9, 4));

CREATE INDEX reference_band_p3 ON reference (guild_id, substr(phash, 13, 4));

CREATE INDEX reference_band_d0 ON reference (guild_id, substr(dhash, 1, 4));

CREATE INDEX reference_band_d1 ON reference (guild_id, substr(dhash, 5, 4));

CREATE INDEX reference_band_d2 ON reference (guild_id, substr(dhash, 9, 4));

CREATE INDEX reference_band_d3 ON reference (guild_id, substr(dhash, 13, 4));

CREATE TABLE reference_index (
    reference_id  INTEGER PRIMARY KEY REFERENCES reference (id) ON DELETE CASCADE,
    guild_id      INTEGER NOT NULL REFERENCES guild (guild_id),
    encoders      TEXT NOT NULL,
    indexed_at    TEXT NOT NULL
) STRICT;

CREATE INDEX reference_index_by_guild ON reference_index (guild_id);

CREATE TABLE reference_pose (
    reference_id  INTEGER PRIMARY KEY REFERENCES reference (id) ON DELETE CASCADE,
    guild_id      INTEGER NOT NULL REFERENCES guild (guild_id),
    keypoints     TEXT NOT NULL CHECK (json_array_length(keypoints) = 17)
, beyond TEXT NOT NULL DEFAULT '[]'
    CHECK (json_array_length(beyond) IN (0, 116))) STRICT;

CREATE INDEX reference_pose_by_guild ON reference_pose (guild_id);

CREATE TABLE drift_mode (
    guild_id  INTEGER NOT NULL REFERENCES guild (guild_id),
    mode      TEXT NOT NULL CHECK (length(mode) BETWEEN 1 AND 80),
    shown     INTEGER NOT NULL DEFAULT 0 CHECK (shown >= 0),
    helped    INTEGER NOT NULL DEFAULT 0 CHECK (helped >= 0),
    labelled  INTEGER NOT NULL DEFAULT 0 CHECK (labelled >= 0),
    PRIMARY KEY (guild_id, mode)
) STRICT, WITHOUT ROWID;

CREATE TABLE ladder_step (
    id          INTEGER PRIMARY KEY,
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    attempt_id  INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
    generator   TEXT NOT NULL,
    step        TEXT NOT NULL,
    mode        TEXT NOT NULL DEFAULT '',
    gain        REAL,
    UNIQUE (attempt_id, step, mode)
) STRICT;

CREATE INDEX ladder_step_by_guild ON ladder_step (guild_id, generator, mode, step);

CREATE TABLE verdict_label (
    id            INTEGER PRIMARY KEY,
    guild_id      INTEGER NOT NULL REFERENCES guild (guild_id),
    sample_id     INTEGER NOT NULL REFERENCES drift_sample (id) ON DELETE CASCADE,
    review_id     INTEGER NOT NULL REFERENCES review (id) ON DELETE CASCADE,
    good          INTEGER NOT NULL CHECK (good IN (0, 1)),
    member_id     INTEGER NOT NULL,
    created_at    TEXT NOT NULL,
    withdrawn_at  TEXT
) STRICT;

CREATE UNIQUE INDEX verdict_label_one ON verdict_label (sample_id) WHERE withdrawn_at IS NULL;

CREATE INDEX verdict_label_by_guild ON verdict_label (guild_id, id) WHERE withdrawn_at IS NULL;

CREATE INDEX verdict_label_by_sample ON verdict_label (sample_id);

CREATE INDEX verdict_label_by_review ON verdict_label (review_id);

CREATE TABLE vector_change (
    guild_id  INTEGER PRIMARY KEY,
    stamp     INTEGER NOT NULL
) STRICT;

CREATE TRIGGER vector_added AFTER INSERT ON fingerprint BEGIN
    INSERT INTO vector_change (guild_id, stamp) VALUES (0, random()), (NEW.guild_id, random())
    ON CONFLICT (guild_id) DO UPDATE SET stamp = excluded.stamp;
END;

CREATE TRIGGER vector_changed AFTER UPDATE ON fingerprint BEGIN
    INSERT INTO vector_change (guild_id, stamp) VALUES (0, random()), (NEW.guild_id, random())
    ON CONFLICT (guild_id) DO UPDATE SET stamp = excluded.stamp;
END;

CREATE TRIGGER vector_removed AFTER DELETE ON fingerprint BEGIN
    INSERT INTO vector_change (guild_id, stamp) VALUES (0, random()), (OLD.guild_id, random())
    ON CONFLICT (guild_id) DO UPDATE SET stamp = excluded.stamp;
END;

CREATE TRIGGER vector_moved AFTER UPDATE OF appearance_row ON reference
WHEN OLD.appearance_row <> NEW.appearance_row BEGIN
    INSERT INTO vector_change (guild_id, stamp) VALUES (0, random()), (NEW.guild_id, random())
    ON CONFLICT (guild_id) DO UPDATE SET stamp = excluded.stamp;
END;

CREATE TRIGGER vector_change_forgotten AFTER DELETE ON guild BEGIN
    DELETE FROM vector_change WHERE guild_id = OLD.guild_id;
END;

CREATE TABLE script (
    id          INTEGER PRIMARY KEY,
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    series_id   INTEGER NOT NULL REFERENCES series (id),
    title       TEXT NOT NULL,
    sha256      TEXT NOT NULL,
    imported_by INTEGER NOT NULL,
    created_at  TEXT NOT NULL
) STRICT;

CREATE INDEX script_of_guild ON script (guild_id, series_id);

CREATE TABLE staging (
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    script_id   INTEGER NOT NULL REFERENCES script (id) ON DELETE CASCADE,
    page        INTEGER NOT NULL CHECK (page BETWEEN 1 AND 9999),
    panel       INTEGER NOT NULL CHECK (panel BETWEEN 1 AND 9999),
    sketch      TEXT NOT NULL,
    staging     TEXT NOT NULL CHECK (json_valid(staging)),
    PRIMARY KEY (script_id, page, panel)
) STRICT, WITHOUT ROWID;

CREATE TABLE lettering (
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    panel_id    INTEGER NOT NULL REFERENCES panel (id) ON DELETE CASCADE,
    language    TEXT NOT NULL DEFAULT '' CHECK (length(language) <= 35),
    lines       TEXT NOT NULL CHECK (json_valid(lines)),
    updated_at  TEXT NOT NULL,
    PRIMARY KEY (guild_id, panel_id, language)
) STRICT, WITHOUT ROWID;

CREATE INDEX lettering_by_panel ON lettering (panel_id);

CREATE TABLE drift_alarm (
    id             INTEGER PRIMARY KEY,
    guild_id       INTEGER NOT NULL REFERENCES guild (guild_id),
    character_id   TEXT NOT NULL,
    appearance_id  TEXT NOT NULL,
    sample_id      INTEGER NOT NULL REFERENCES drift_sample (id) ON DELETE CASCADE,
    since_sample   INTEGER NOT NULL REFERENCES drift_sample (id) ON DELETE CASCADE,
    watcher        TEXT NOT NULL CHECK (watcher IN ('rule', 'test')),
    similarity_before REAL NOT NULL,
    similarity_after  REAL NOT NULL,
    cause          TEXT NOT NULL DEFAULT '',
    created_at     TEXT NOT NULL,
    UNIQUE (sample_id)
) STRICT;

CREATE INDEX drift_alarm_by_look ON drift_alarm (guild_id, character_id, appearance_id, id);

CREATE INDEX drift_alarm_by_since ON drift_alarm (since_sample);

CREATE UNIQUE INDEX review_one_appeal ON review (panel_id) WHERE appeal_of IS NOT NULL;

CREATE INDEX review_by_appeal ON review (appeal_of) WHERE appeal_of IS NOT NULL;

CREATE TABLE review_opinion (
    id          INTEGER PRIMARY KEY,
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    review_id   INTEGER NOT NULL REFERENCES review (id) ON DELETE CASCADE,
    member_id   INTEGER NOT NULL,
    good        INTEGER NOT NULL CHECK (good IN (0, 1)),
    created_at  TEXT NOT NULL,
    UNIQUE (review_id, member_id)
) STRICT;

CREATE INDEX opinion_by_guild ON review_opinion (guild_id, review_id DESC);

CREATE TABLE audit_event (
    id          INTEGER PRIMARY KEY,
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    member_id   INTEGER,  -- who decided; NULL: the program itself
    action      TEXT NOT NULL CHECK (length(action) BETWEEN 1 AND 40),
    subject     TEXT NOT NULL DEFAULT '' CHECK (length(subject) <= 120),
    detail      TEXT NOT NULL DEFAULT '' CHECK (length(detail) <= 600),
    created_at  TEXT NOT NULL
) STRICT;

CREATE INDEX audit_by_guild ON audit_event (guild_id, id DESC);

CREATE TRIGGER audit_bounded AFTER INSERT ON audit_event WHEN NEW.id % 64 = 0 BEGIN
    DELETE FROM audit_event WHERE guild_id = NEW.guild_id AND id <= (
        SELECT id FROM audit_event WHERE guild_id = NEW.guild_id
        ORDER BY id DESC LIMIT 1 OFFSET 10000
    );
END;

CREATE TRIGGER audit_review AFTER UPDATE OF status ON review
WHEN OLD.status = 'open' AND NEW.status <> 'open' BEGIN
    INSERT INTO audit_event (guild_id, member_id, action, subject, detail, created_at)
    VALUES (NEW.guild_id, NEW.decided_by, 'review.' || NEW.status,
            'review ' || NEW.id || ', panel ' || NEW.panel_id, substr(NEW.note, 1, 500),
            coalesce(NEW.decided_at, NEW.created_at));
END;

CREATE TABLE likeness (
    character_row  INTEGER PRIMARY KEY REFERENCES character (id) ON DELETE CASCADE,
    guild_id       INTEGER NOT NULL REFERENCES guild (guild_id),
    person_id      INTEGER NOT NULL,
    created_at     TEXT NOT NULL
) STRICT;

CREATE INDEX likeness_by_guild ON likeness (guild_id, person_id);

CREATE TABLE consent (
    id             INTEGER PRIMARY KEY,
    guild_id       INTEGER NOT NULL REFERENCES guild (guild_id),
    character_row  INTEGER NOT NULL REFERENCES character (id) ON DELETE CASCADE,
    holder_id      INTEGER NOT NULL,
    person_id      INTEGER NOT NULL CHECK (person_id <> holder_id OR person_id = 1),
    scope          TEXT NOT NULL CHECK (scope IN ('draw', 'train')),
    status         TEXT NOT NULL CHECK (status IN
                       ('asked', 'given', 'refused', 'revoked', 'expired')),
    expires_at     TEXT NOT NULL,
    asked_at       TEXT NOT NULL,
    decided_at     TEXT
) STRICT;

CREATE INDEX consent_by_character ON consent (character_row, status);

CREATE INDEX consent_by_guild ON consent (guild_id, id DESC);

CREATE INDEX consent_given ON consent (expires_at) WHERE status IN ('asked', 'given');

CREATE TABLE doomed_file (
    guild_id  INTEGER NOT NULL,
    kind      TEXT NOT NULL CHECK (kind IN ('picture', 'module', 'guild')),
    name      TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (guild_id, kind, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX guild_left ON guild (left_at) WHERE left_at IS NOT NULL;

CREATE TABLE co_owner (
    guild_id       INTEGER NOT NULL REFERENCES guild (guild_id),
    character_row  INTEGER NOT NULL REFERENCES character (id) ON DELETE CASCADE,
    member_id      INTEGER NOT NULL,
    created_at     TEXT NOT NULL,
    PRIMARY KEY (character_row, member_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX co_owner_by_guild ON co_owner (guild_id, member_id);

CREATE TABLE access_rule (
    guild_id       INTEGER NOT NULL REFERENCES guild (guild_id),
    character_row  INTEGER NOT NULL REFERENCES character (id) ON DELETE CASCADE,
    deed           TEXT NOT NULL CHECK (deed IN ('request', 'edit', 'train')),
    circle         TEXT NOT NULL CHECK (circle IN ('everyone', 'role', 'owners', 'nobody')),
    circle_role_id INTEGER CHECK ((circle = 'role') = (circle_role_id IS NOT NULL)),
    PRIMARY KEY (character_row, deed)
) STRICT, WITHOUT ROWID;

CREATE INDEX access_rule_by_guild ON access_rule (guild_id);

CREATE TABLE quest (
    id               INTEGER PRIMARY KEY,
    guild_id         INTEGER NOT NULL REFERENCES guild (guild_id),
    appearance_row   INTEGER NOT NULL REFERENCES appearance (id) ON DELETE CASCADE,
    shot_type        TEXT NOT NULL CHECK (shot_type IN ('headshot', 'half', 'full', 'dynamic')),
    angle            TEXT NOT NULL DEFAULT '',
    expression       TEXT NOT NULL DEFAULT '',
    saving           REAL NOT NULL CHECK (saving >= 0),
    basis            TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(basis)),
    status           TEXT NOT NULL CHECK (status IN
                         ('open', 'taken', 'delivered', 'accepted', 'closed')),
    posted_by        INTEGER NOT NULL,
    artist_id        INTEGER,
    due_at           TEXT,
    delivery_sha256  TEXT CHECK (length(delivery_sha256) = 64),
    reference_id     INTEGER REFERENCES reference (id) ON DELETE SET NULL,
    decided_by       INTEGER,
    note             TEXT NOT NULL DEFAULT '' CHECK (length(note) <= 300),
    channel_id       INTEGER,
    created_at       TEXT NOT NULL,
    updated_at       TEXT NOT NULL,
    CHECK ((status IN ('taken', 'delivered')) <= (artist_id IS NOT NULL)),
    CHECK ((status = 'delivered') = (delivery_sha256 IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX quest_one_at_a_time ON quest (appearance_row, shot_type, angle, expression)
WHERE status IN ('open', 'taken', 'delivered');

CREATE INDEX quest_by_look ON quest (appearance_row);

CREATE INDEX quest_by_guild ON quest (guild_id, id DESC);

CREATE INDEX quest_by_reference ON quest (reference_id);

CREATE INDEX quest_due ON quest (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE role_quota (
    guild_id     INTEGER NOT NULL REFERENCES guild (guild_id),
    series_id    INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    role_id      INTEGER NOT NULL,
    gpu_seconds  INTEGER NOT NULL CHECK (gpu_seconds BETWEEN 1 AND 864000),
    PRIMARY KEY (series_id, role_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_by_member ON job (guild_id, member_id, created_at);

CREATE TABLE channel_default (
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    channel_id  INTEGER NOT NULL,
    generator   TEXT CHECK (length(generator) BETWEEN 1 AND 40),
    style       TEXT CHECK (length(style) BETWEEN 1 AND 200),
    width       INTEGER CHECK (width BETWEEN 256 AND 2048),
    height      INTEGER CHECK (height BETWEEN 256 AND 2048),
    alternates  INTEGER CHECK (alternates BETWEEN 1 AND 4),
    PRIMARY KEY (guild_id, channel_id),
    CHECK ((width IS NULL) = (height IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE report (
    id           INTEGER PRIMARY KEY,
    guild_id     INTEGER NOT NULL REFERENCES guild (guild_id),
    review_id    INTEGER NOT NULL REFERENCES review (id) ON DELETE CASCADE,
    reporter_id  INTEGER NOT NULL,
    reason       TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    created_at   TEXT NOT NULL,
    UNIQUE (review_id, reporter_id)
) STRICT;

CREATE INDEX report_by_reporter ON report (guild_id, reporter_id, created_at);

CREATE TABLE preview_run (
    id            INTEGER PRIMARY KEY,
    guild_id      INTEGER NOT NULL REFERENCES guild (guild_id),
    attempt_id    INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
    candidate_id  INTEGER REFERENCES candidate (id) ON DELETE CASCADE,
    alternate     INTEGER NOT NULL CHECK (alternate >= 0),
    look          TEXT NOT NULL,
    kind          TEXT NOT NULL,
    scores        TEXT NOT NULL CHECK (json_valid(scores)),
    left_alone    INTEGER NOT NULL CHECK (left_alone IN (0, 1)),
    anchored_at   REAL CHECK (anchored_at BETWEEN 0 AND 1),
    aborted_at    REAL CHECK (aborted_at BETWEEN 0 AND 1),
    saved_steps   INTEGER NOT NULL DEFAULT 0,
    saved_seconds REAL NOT NULL DEFAULT 0,
    UNIQUE (attempt_id, alternate)
) STRICT;

CREATE INDEX preview_run_by_look ON preview_run (guild_id, look, id) WHERE left_alone = 1;

CREATE INDEX preview_run_by_candidate ON preview_run (candidate_id);

CREATE TABLE blocked_word (
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    key         TEXT NOT NULL,  -- the word as it is compared
    word        TEXT NOT NULL CHECK (length(word) BETWEEN 1 AND 60),
    added_by    INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    PRIMARY KEY (guild_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE candidate_traits (
    candidate_id  INTEGER PRIMARY KEY REFERENCES candidate (id) ON DELETE CASCADE,
    guild_id      INTEGER NOT NULL REFERENCES guild (guild_id),
    named         TEXT NOT NULL CHECK (json_valid(named)),
    vector        BLOB NOT NULL,
    source        TEXT NOT NULL
) STRICT;

CREATE INDEX candidate_traits_by_guild ON candidate_traits (guild_id);

CREATE TABLE taste_guess (
    panel_id      INTEGER PRIMARY KEY REFERENCES panel (id) ON DELETE CASCADE,
    guild_id      INTEGER NOT NULL REFERENCES guild (guild_id),
    candidate_id  INTEGER NOT NULL REFERENCES candidate (id) ON DELETE CASCADE,
    chance        REAL NOT NULL CHECK (chance BETWEEN 0 AND 1)
) STRICT;

CREATE INDEX taste_guess_by_guild ON taste_guess (guild_id);

CREATE INDEX taste_guess_by_candidate ON taste_guess (candidate_id);

CREATE TABLE panel_print (
    guild_id      INTEGER NOT NULL REFERENCES guild (guild_id),
    candidate_id  INTEGER NOT NULL REFERENCES candidate (id) ON DELETE CASCADE,
    encoder       TEXT NOT NULL CHECK (length(encoder) BETWEEN 1 AND 200),
    vector        BLOB NOT NULL,
    PRIMARY KEY (candidate_id, encoder)
) STRICT, WITHOUT ROWID;

CREATE INDEX panel_print_by_guild ON panel_print (guild_id, encoder);

CREATE TABLE panel_search (
    id          INTEGER PRIMARY KEY,
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    member_id   INTEGER NOT NULL,
    wish        TEXT NOT NULL CHECK (json_valid(wish)),
    found       TEXT NOT NULL CHECK (json_valid(found)),
    created_at  TEXT NOT NULL
) STRICT;

CREATE INDEX panel_search_by_member ON panel_search (guild_id, member_id, id);

CREATE TRIGGER panel_search_bounded AFTER INSERT ON panel_search BEGIN
    DELETE FROM panel_search WHERE guild_id = NEW.guild_id AND member_id = NEW.member_id
    AND id <= (SELECT id FROM panel_search WHERE guild_id = NEW.guild_id
               AND member_id = NEW.member_id ORDER BY id DESC LIMIT 1 OFFSET 50);
END;

CREATE TABLE safety_rule (
    guild_id      INTEGER PRIMARY KEY REFERENCES guild (guild_id),
    flag_percent  INTEGER NOT NULL CHECK (flag_percent BETWEEN 1 AND 100),
    restricted    TEXT NOT NULL CHECK (restricted IN ('review', 'allow')),
    updated_at    TEXT NOT NULL
) STRICT;

CREATE TABLE picture_rating (
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    picture     TEXT NOT NULL,  -- a sha256; not called so, as a rating keeps no file alive
    score       REAL NOT NULL CHECK (score BETWEEN 0 AND 1),
    rater       TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    PRIMARY KEY (guild_id, picture)
) STRICT, WITHOUT ROWID;

CREATE TABLE held_picture (
    id          INTEGER PRIMARY KEY,
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    picture     TEXT NOT NULL,
    sha256      TEXT,  -- the file, while somebody has to look at it
    member_id   INTEGER NOT NULL,
    score       REAL NOT NULL CHECK (score BETWEEN 0 AND 1),
    rater       TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('open', 'allowed', 'refused')),
    decided_by  INTEGER,
    decided_at  TEXT,
    created_at  TEXT NOT NULL,
    UNIQUE (guild_id, picture)
) STRICT;

CREATE INDEX job_queued ON job (guild_id, member_id, priority DESC, id)
WHERE status = 'queued' AND held = 0;

CREATE INDEX job_affine ON job (guild_id, member_id, priority, affinity, id)
WHERE status = 'queued' AND held = 0;

CREATE INDEX job_front ON job (guild_id, front DESC, id)
WHERE status = 'queued' AND held = 0 AND front > 0;

CREATE INDEX job_held ON job (guild_id, id) WHERE status = 'queued' AND held = 1;

CREATE TRIGGER job_joins AFTER INSERT ON job WHEN NEW.status = 'queued' AND NEW.held = 0 BEGIN
    INSERT INTO share (guild_id, member_id, vtime)
    VALUES (NEW.guild_id, 0, (SELECT clock FROM share WHERE guild_id = 0))
    ON CONFLICT DO UPDATE SET vtime = max(vtime, excluded.vtime) WHERE waiting = 0;
    INSERT INTO share (guild_id, member_id, vtime)
    VALUES (NEW.guild_id, NEW.member_id,
            (SELECT clock FROM share WHERE guild_id = NEW.guild_id AND member_id = 0))
    ON CONFLICT DO UPDATE SET vtime = max(vtime, excluded.vtime) WHERE waiting = 0;
    UPDATE share SET waiting = waiting + 1
    WHERE guild_id = NEW.guild_id AND member_id IN (0, NEW.member_id);
END;

CREATE TRIGGER job_goes_on AFTER UPDATE OF held ON job
WHEN NEW.status = 'queued' AND OLD.status = 'queued' AND OLD.held = 1 AND NEW.held = 0 BEGIN
    INSERT INTO share (guild_id, member_id, vtime)
    VALUES (NEW.guild_id, 0, (SELECT clock FROM share WHERE guild_id = 0))
    ON CONFLICT DO UPDATE SET vtime = max(vtime, excluded.vtime) WHERE waiting = 0;
    INSERT INTO share (guild_id, member_id, vtime)
    VALUES (NEW.guild_id, NEW.member_id,
            (SELECT clock FROM share WHERE guild_id = NEW.guild_id AND member_id = 0))
    ON CONFLICT DO UPDATE SET vtime = max(vtime, excluded.vtime) WHERE waiting = 0;
    UPDATE share SET waiting = waiting + 1
    WHERE guild_id = NEW.guild_id AND member_id IN (0, NEW.member_id);
END;

CREATE TRIGGER job_is_held AFTER UPDATE OF held ON job
WHEN NEW.status = 'queued' AND OLD.status = 'queued' AND OLD.held = 0 AND NEW.held = 1 BEGIN
    UPDATE share SET waiting = waiting - 1
    WHERE guild_id = NEW.guild_id AND member_id IN (0, NEW.member_id);
END;

CREATE TRIGGER job_served AFTER UPDATE OF status ON job
WHEN OLD.status = 'queued' AND NEW.status = 'running' BEGIN
    UPDATE share SET clock = (SELECT vtime FROM share
                              WHERE guild_id = NEW.guild_id AND member_id = 0)
    WHERE guild_id = 0;
    UPDATE share SET clock = (SELECT min(vtime) FROM share
                              WHERE guild_id = NEW.guild_id AND member_id <> 0 AND waiting > 0)
    WHERE guild_id = NEW.guild_id AND member_id = 0;
    UPDATE share SET vtime = vtime + 1, waiting = waiting - 1
    WHERE guild_id = NEW.guild_id AND member_id IN (0, NEW.member_id);
END;

CREATE TRIGGER job_leaves AFTER UPDATE OF status ON job
WHEN OLD.status = 'queued' AND OLD.held = 0 AND NEW.status NOT IN ('queued', 'running') BEGIN
    UPDATE share SET waiting = waiting - 1
    WHERE guild_id = NEW.guild_id AND member_id IN (0, NEW.member_id);
END;

CREATE TRIGGER job_rejoins AFTER UPDATE OF status ON job
WHEN OLD.status = 'running' AND NEW.status = 'queued' BEGIN
    UPDATE share SET vtime = max(vtime - (NEW.crashes = OLD.crashes),
                                 (SELECT clock FROM share WHERE guild_id = 0))
    WHERE guild_id = NEW.guild_id AND member_id = 0;
    UPDATE share SET vtime = max(vtime - (NEW.crashes = OLD.crashes),
                                 (SELECT clock FROM share
                                  WHERE guild_id = NEW.guild_id AND member_id = 0))
    WHERE guild_id = NEW.guild_id AND member_id = NEW.member_id;
    UPDATE share SET waiting = waiting + (NEW.held = 0)
    WHERE guild_id = NEW.guild_id AND member_id IN (0, NEW.member_id);
END;

CREATE TRIGGER job_deleted AFTER DELETE ON job WHEN OLD.status = 'queued' AND OLD.held = 0 BEGIN
    UPDATE share SET waiting = waiting - 1
    WHERE guild_id = OLD.guild_id AND member_id IN (0, OLD.member_id);
END;
