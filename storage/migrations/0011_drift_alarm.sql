-- 1 for the best picture of a run, 0 for the alternates beside it.
ALTER TABLE drift_sample ADD COLUMN best INTEGER NOT NULL DEFAULT 1 CHECK (best IN (0, 1));

-- Falls in a character's similarity that were noticed; each is told to the moderators once.
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
