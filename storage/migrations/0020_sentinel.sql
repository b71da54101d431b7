-- Pictures that were looked at while they were drawn: their scores, and what was done.
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

-- Whether pictures are looked at while they are drawn.
ALTER TABLE series ADD COLUMN sentinel INTEGER NOT NULL DEFAULT 1 CHECK (sentinel IN (0, 1));
