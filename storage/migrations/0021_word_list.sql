-- Words that a server does not want in names, notes, prompts and dialogue.
CREATE TABLE blocked_word (
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    key         TEXT NOT NULL,  -- the word as it is compared
    word        TEXT NOT NULL CHECK (length(word) BETWEEN 1 AND 60),
    added_by    INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    PRIMARY KEY (guild_id, key)
) STRICT, WITHOUT ROWID;
