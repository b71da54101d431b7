-- What a series likes: what its pictures are like, and what was expected of votes.

ALTER TABLE series ADD COLUMN taste TEXT NOT NULL DEFAULT 'rank'
    CHECK (taste IN ('off', 'rank', 'spare'));

-- Pictures that people may vote on, as numbers. Their place on the card is candidate.label.
CREATE TABLE candidate_traits (
    candidate_id  INTEGER PRIMARY KEY REFERENCES candidate (id) ON DELETE CASCADE,
    guild_id      INTEGER NOT NULL REFERENCES guild (guild_id),
    named         TEXT NOT NULL CHECK (json_valid(named)),
    vector        BLOB NOT NULL,
    source        TEXT NOT NULL
) STRICT;

CREATE INDEX candidate_traits_by_guild ON candidate_traits (guild_id);

-- Written when a vote closes, from votes on other panels only.
CREATE TABLE taste_guess (
    panel_id      INTEGER PRIMARY KEY REFERENCES panel (id) ON DELETE CASCADE,
    guild_id      INTEGER NOT NULL REFERENCES guild (guild_id),
    candidate_id  INTEGER NOT NULL REFERENCES candidate (id) ON DELETE CASCADE,
    chance        REAL NOT NULL CHECK (chance BETWEEN 0 AND 1)
) STRICT;

CREATE INDEX taste_guess_by_guild ON taste_guess (guild_id);

CREATE INDEX taste_guess_by_candidate ON taste_guess (candidate_id);
