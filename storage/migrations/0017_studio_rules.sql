-- Who votes on alternates and until when; what members may use; what a channel draws with.

ALTER TABLE series ADD COLUMN vote_hours INTEGER NOT NULL DEFAULT 24
    CHECK (vote_hours BETWEEN 1 AND 336);
ALTER TABLE series ADD COLUMN vote_quorum INTEGER CHECK (vote_quorum BETWEEN 1 AND 1000);
ALTER TABLE series ADD COLUMN vote_role_id INTEGER;
ALTER TABLE series ADD COLUMN vote_days INTEGER NOT NULL DEFAULT 0
    CHECK (vote_days BETWEEN 0 AND 3650);
ALTER TABLE series ADD COLUMN vote_tie TEXT NOT NULL DEFAULT 'extend'
    CHECK (vote_tie IN ('extend', 'requester', 'margin'));

-- A vote that ended in a tie goes on once.
ALTER TABLE panel ADD COLUMN vote_extended INTEGER NOT NULL DEFAULT 0
    CHECK (vote_extended IN (0, 1));

-- Seconds of the engine in 24 hours, NULL for no limit; seconds between two requests.
ALTER TABLE series ADD COLUMN gpu_seconds INTEGER CHECK (gpu_seconds BETWEEN 1 AND 864000);
ALTER TABLE series ADD COLUMN cooldown INTEGER NOT NULL DEFAULT 0
    CHECK (cooldown BETWEEN 0 AND 86400);

CREATE TABLE role_quota (
    guild_id     INTEGER NOT NULL REFERENCES guild (guild_id),
    series_id    INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    role_id      INTEGER NOT NULL,
    gpu_seconds  INTEGER NOT NULL CHECK (gpu_seconds BETWEEN 1 AND 864000),
    PRIMARY KEY (series_id, role_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_by_member ON job (guild_id, member_id, created_at);

-- What a panel that is asked for in a channel gets where its request does not say otherwise.
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
