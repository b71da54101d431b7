-- A new random stamp with every change of a guild's vectors (and one for all guilds, number 0), so
-- that copies in memory know that they are old, whichever process made the change.
CREATE TABLE vector_change (
    guild_id  INTEGER PRIMARY KEY,
    stamp     INTEGER NOT NULL
) STRICT;

CREATE TRIGGER vector_added AFTER INSERT ON fingerprint BEGIN
    INSERT INTO vector_change (guild_id, stamp) VALUES (0, random()), (NEW.guild_id, random())
    ON CONFLICT (guild_id) DO UPDATE SET stamp = excluded.stamp;
END;

CREATE TRIGGER vector_changed AFTER UPDATE ON fingerprint BEGIN
    INSERT INTO vector_change (guild_id, stamp) VALUES (0, random()), (NEW.guild_id, random())
    ON CONFLICT (guild_id) DO UPDATE SET stamp = excluded.stamp;
END;

CREATE TRIGGER vector_removed AFTER DELETE ON fingerprint BEGIN
    INSERT INTO vector_change (guild_id, stamp) VALUES (0, random()), (OLD.guild_id, random())
    ON CONFLICT (guild_id) DO UPDATE SET stamp = excluded.stamp;
END;

-- A merge or a split moves vectors to another look without touching them.
CREATE TRIGGER vector_moved AFTER UPDATE OF appearance_row ON reference
WHEN OLD.appearance_row <> NEW.appearance_row BEGIN
    INSERT INTO vector_change (guild_id, stamp) VALUES (0, random()), (NEW.guild_id, random())
    ON CONFLICT (guild_id) DO UPDATE SET stamp = excluded.stamp;
END;

CREATE TRIGGER vector_change_forgotten AFTER DELETE ON guild BEGIN
    DELETE FROM vector_change WHERE guild_id = OLD.guild_id;
END;
