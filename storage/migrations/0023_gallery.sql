-- Accepted pictures as wholes, to be found by their likes; searches that can be leafed through.

CREATE TABLE panel_print (
    guild_id      INTEGER NOT NULL REFERENCES guild (guild_id),
    candidate_id  INTEGER NOT NULL REFERENCES candidate (id) ON DELETE CASCADE,
    encoder       TEXT NOT NULL CHECK (length(encoder) BETWEEN 1 AND 200),
    vector        BLOB NOT NULL,
    PRIMARY KEY (candidate_id, encoder)
) STRICT, WITHOUT ROWID;

CREATE INDEX panel_print_by_guild ON panel_print (guild_id, encoder);

CREATE TABLE panel_search (
    id          INTEGER PRIMARY KEY,
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    member_id   INTEGER NOT NULL,
    wish        TEXT NOT NULL CHECK (json_valid(wish)),
    found       TEXT NOT NULL CHECK (json_valid(found)),
    created_at  TEXT NOT NULL
) STRICT;

CREATE INDEX panel_search_by_member ON panel_search (guild_id, member_id, id);

-- The newest fifty searches of a member can still be leafed through.
CREATE TRIGGER panel_search_bounded AFTER INSERT ON panel_search BEGIN
    DELETE FROM panel_search WHERE guild_id = NEW.guild_id AND member_id = NEW.member_id
    AND id <= (SELECT id FROM panel_search WHERE guild_id = NEW.guild_id
               AND member_id = NEW.member_id ORDER BY id DESC LIMIT 1 OFFSET 50);
END;
