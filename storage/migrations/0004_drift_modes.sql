-- What panels teach: which drift is common in a guild, which words held against it, and which step
-- of the retry ladder paid for which drift on which engine.

-- shown: attempts whose negative prompt held against the mode; helped: of the attempts with a step
-- against it, those that gained; labelled: times that a moderator named it.
CREATE TABLE drift_mode (
    guild_id  INTEGER NOT NULL REFERENCES guild (guild_id),
    mode      TEXT NOT NULL CHECK (length(mode) BETWEEN 1 AND 80),
    shown     INTEGER NOT NULL DEFAULT 0 CHECK (shown >= 0),
    helped    INTEGER NOT NULL DEFAULT 0 CHECK (helped >= 0),
    labelled  INTEGER NOT NULL DEFAULT 0 CHECK (labelled >= 0),
    PRIMARY KEY (guild_id, mode)
) STRICT, WITHOUT ROWID;

-- One row for each step of each attempt. mode is empty where nothing said what had drifted; gain is
-- the rise of the best margin over the attempt before, NULL where it could not be measured.
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

-- How much the figures of an attempt repeat their references, 0 to 1.
ALTER TABLE attempt ADD COLUMN copy_score REAL CHECK (copy_score BETWEEN 0 AND 1);
