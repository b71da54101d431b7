-- What moderators' verdicts teach the check: the score of every shown picture, and what people said.

-- score: least similarity minus shipped limit over the looks that decided; NULL where the check
-- knew no limit. encoders, looks and color_mode say with which scores it can be compared.
-- probability: with which chance a picture like it was shown to moderators; 1 where it was flagged,
-- the share of the blind audit where it passed, 0 for alternates beside the best one of a panel.
ALTER TABLE drift_sample ADD COLUMN score REAL;
ALTER TABLE drift_sample ADD COLUMN encoders TEXT NOT NULL DEFAULT '';
ALTER TABLE drift_sample ADD COLUMN looks TEXT NOT NULL DEFAULT '';
ALTER TABLE drift_sample ADD COLUMN color_mode TEXT NOT NULL DEFAULT 'color'
    CHECK (color_mode IN ('color', 'grayscale'));
ALTER TABLE drift_sample ADD COLUMN probability REAL NOT NULL DEFAULT 0
    CHECK (probability BETWEEN 0 AND 1);

-- good: the person took the character for on-model. A later decision about the same picture (an
-- appeal, a second opinion) withdraws the earlier label and writes its own.
CREATE TABLE verdict_label (
    id            INTEGER PRIMARY KEY,
    guild_id      INTEGER NOT NULL REFERENCES guild (guild_id),
    sample_id     INTEGER NOT NULL REFERENCES drift_sample (id) ON DELETE CASCADE,
    review_id     INTEGER NOT NULL REFERENCES review (id) ON DELETE CASCADE,
    good          INTEGER NOT NULL CHECK (good IN (0, 1)),
    member_id     INTEGER NOT NULL,
    created_at    TEXT NOT NULL,
    withdrawn_at  TEXT
) STRICT;
CREATE UNIQUE INDEX verdict_label_one ON verdict_label (sample_id) WHERE withdrawn_at IS NULL;
CREATE INDEX verdict_label_by_guild ON verdict_label (guild_id, id) WHERE withdrawn_at IS NULL;
CREATE INDEX verdict_label_by_sample ON verdict_label (sample_id);
CREATE INDEX verdict_label_by_review ON verdict_label (review_id);

-- The share of good panels that the check may flag, and of passed panels that are audited blindly.
ALTER TABLE series ADD COLUMN false_flag_percent INTEGER NOT NULL DEFAULT 10
    CHECK (false_flag_percent IN (2, 5, 10));
ALTER TABLE series ADD COLUMN audit_percent INTEGER NOT NULL DEFAULT 10
    CHECK (audit_percent BETWEEN 0 AND 50);
