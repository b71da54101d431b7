-- Content safety: a server's rules, what the classifiers said about pictures that people handed in,
-- and those that wait for a moderator.
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
