-- Retrieval: bands of hashes, what a reference was indexed with, poses, and strict preflight.

-- Near copies are found by equal 16-bit bands of two hashes; see storage/duplicates.py, whose
-- expressions these must match.
CREATE INDEX reference_band_p0 ON reference (guild_id, substr(phash, 1, 4));
CREATE INDEX reference_band_p1 ON reference (guild_id, substr(phash, 5, 4));
CREATE INDEX reference_band_p2 ON reference (guild_id, substr(phash, 9, 4));
CREATE INDEX reference_band_p3 ON reference (guild_id, substr(phash, 13, 4));
CREATE INDEX reference_band_d0 ON reference (guild_id, substr(dhash, 1, 4));
CREATE INDEX reference_band_d1 ON reference (guild_id, substr(dhash, 5, 4));
CREATE INDEX reference_band_d2 ON reference (guild_id, substr(dhash, 9, 4));
CREATE INDEX reference_band_d3 ON reference (guild_id, substr(dhash, 13, 4));

-- The encoder set with which a reference was last indexed. A reference on which no figure was
-- found has a row and no fingerprints. No row: not indexed yet, or before this table was.
CREATE TABLE reference_index (
    reference_id  INTEGER PRIMARY KEY REFERENCES reference (id) ON DELETE CASCADE,
    guild_id      INTEGER NOT NULL REFERENCES guild (guild_id),
    encoders      TEXT NOT NULL,
    indexed_at    TEXT NOT NULL
) STRICT;
CREATE INDEX reference_index_by_guild ON reference_index (guild_id);

-- 17 keypoints as JSON [[x, y, confidence], …], in pixels of the reference.
CREATE TABLE reference_pose (
    reference_id  INTEGER PRIMARY KEY REFERENCES reference (id) ON DELETE CASCADE,
    guild_id      INTEGER NOT NULL REFERENCES guild (guild_id),
    keypoints     TEXT NOT NULL CHECK (json_array_length(keypoints) = 17)
) STRICT;
CREATE INDEX reference_pose_by_guild ON reference_pose (guild_id);

-- Counts the changes of a mirror, so that a copy of it in memory knows when it is old.
ALTER TABLE vector_mirror ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;

-- What happens to a request whose cast has no reference for the planned shot.
ALTER TABLE series ADD COLUMN missing_shot TEXT NOT NULL DEFAULT 'warn'
    CHECK (missing_shot IN ('warn', 'block'));
