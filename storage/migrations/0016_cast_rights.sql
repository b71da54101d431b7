-- Who may do what with a character, and pictures that artists are asked for.

CREATE TABLE co_owner (
    guild_id       INTEGER NOT NULL REFERENCES guild (guild_id),
    character_row  INTEGER NOT NULL REFERENCES character (id) ON DELETE CASCADE,
    member_id      INTEGER NOT NULL,
    created_at     TEXT NOT NULL,
    PRIMARY KEY (character_row, member_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX co_owner_by_guild ON co_owner (guild_id, member_id);

-- A deed without a row here is open to whom it is open by itself, see pipeline/domain/access.py.
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
