-- The registry in full: kinds of entries, colourways, versions, ranges of the story, marks,
-- suggestions that wait for a person, and a history that can be undone.

ALTER TABLE character ADD COLUMN kind TEXT NOT NULL DEFAULT 'character'
    CHECK (kind IN ('character', 'prop', 'location', 'style'));
ALTER TABLE character ADD COLUMN credits TEXT NOT NULL DEFAULT '';
ALTER TABLE character ADD COLUMN license TEXT NOT NULL DEFAULT '';

ALTER TABLE appearance ADD COLUMN colorway TEXT NOT NULL DEFAULT '';
ALTER TABLE appearance ADD COLUMN version INTEGER NOT NULL DEFAULT 1
    CHECK (version BETWEEN 1 AND 999);
-- Ranges as JSON [chapter, page]; NULL is open.
ALTER TABLE appearance ADD COLUMN valid_from TEXT
    CHECK (valid_from IS NULL OR json_array_length(valid_from) = 2);
ALTER TABLE appearance ADD COLUMN valid_to TEXT
    CHECK (valid_to IS NULL OR json_array_length(valid_to) = 2);
ALTER TABLE appearance ADD COLUMN suggested TEXT NOT NULL DEFAULT '{}'
    CHECK (json_valid(suggested));
-- A merged look stays as a signpost: whoever still names it is sent on, and undoing finds it.
ALTER TABLE appearance ADD COLUMN merged_into INTEGER
    REFERENCES appearance (id) ON DELETE SET NULL;
CREATE INDEX appearance_merged ON appearance (merged_into);

ALTER TABLE reference ADD COLUMN guessed TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(guessed));

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

-- What people did to a character's looks: state before and after, so that it can be undone.
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
