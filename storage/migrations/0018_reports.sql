-- What members report about panels that everyone sees. A review gathers all reports of a panel.
CREATE TABLE report (
    id           INTEGER PRIMARY KEY,
    guild_id     INTEGER NOT NULL REFERENCES guild (guild_id),
    review_id    INTEGER NOT NULL REFERENCES review (id) ON DELETE CASCADE,
    reporter_id  INTEGER NOT NULL,
    reason       TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    created_at   TEXT NOT NULL,
    UNIQUE (review_id, reporter_id)
) STRICT;

CREATE INDEX report_by_reporter ON report (guild_id, reporter_id, created_at);
