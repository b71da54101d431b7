-- Scripts as they were handed in (their text is an encrypted blob), and what their storyboards
-- showed: where the figures and the balloons of a panel are meant to be.
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
