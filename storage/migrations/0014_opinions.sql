-- Second looks: who has taken a review, what several people think of a picture, appeals.

ALTER TABLE review ADD COLUMN claimed_by INTEGER;
ALTER TABLE review ADD COLUMN claimed_at TEXT;
ALTER TABLE review ADD COLUMN appeal_of INTEGER REFERENCES review (id) ON DELETE SET NULL;

CREATE UNIQUE INDEX review_one_appeal ON review (panel_id) WHERE appeal_of IS NOT NULL;

CREATE INDEX review_by_appeal ON review (appeal_of) WHERE appeal_of IS NOT NULL;

CREATE TABLE review_opinion (
    id          INTEGER PRIMARY KEY,
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    review_id   INTEGER NOT NULL REFERENCES review (id) ON DELETE CASCADE,
    member_id   INTEGER NOT NULL,
    good        INTEGER NOT NULL CHECK (good IN (0, 1)),
    created_at  TEXT NOT NULL,
    UNIQUE (review_id, member_id)
) STRICT;

CREATE INDEX opinion_by_guild ON review_opinion (guild_id, review_id DESC);
