-- What was decided by whom; whose likeness a character is; files that must go; servers that left.

CREATE TABLE audit_event (
    id          INTEGER PRIMARY KEY,
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    member_id   INTEGER,  -- who decided; NULL: the program itself
    action      TEXT NOT NULL CHECK (length(action) BETWEEN 1 AND 40),
    subject     TEXT NOT NULL DEFAULT '' CHECK (length(subject) <= 120),
    detail      TEXT NOT NULL DEFAULT '' CHECK (length(detail) <= 600),
    created_at  TEXT NOT NULL
) STRICT;

CREATE INDEX audit_by_guild ON audit_event (guild_id, id DESC);

-- The newest 10,000 of a guild are kept; looking each 64th time keeps the usual insert cheap.
CREATE TRIGGER audit_bounded AFTER INSERT ON audit_event WHEN NEW.id % 64 = 0 BEGIN
    DELETE FROM audit_event WHERE guild_id = NEW.guild_id AND id <= (
        SELECT id FROM audit_event WHERE guild_id = NEW.guild_id
        ORDER BY id DESC LIMIT 1 OFFSET 10000
    );
END;

-- Whatever settles a review, nobody can forget to write it down.
CREATE TRIGGER audit_review AFTER UPDATE OF status ON review
WHEN OLD.status = 'open' AND NEW.status <> 'open' BEGIN
    INSERT INTO audit_event (guild_id, member_id, action, subject, detail, created_at)
    VALUES (NEW.guild_id, NEW.decided_by, 'review.' || NEW.status,
            'review ' || NEW.id || ', panel ' || NEW.panel_id, substr(NEW.note, 1, 500),
            coalesce(NEW.decided_at, NEW.created_at));
END;

CREATE TABLE likeness (
    character_row  INTEGER PRIMARY KEY REFERENCES character (id) ON DELETE CASCADE,
    guild_id       INTEGER NOT NULL REFERENCES guild (guild_id),
    person_id      INTEGER NOT NULL,
    created_at     TEXT NOT NULL
) STRICT;

CREATE INDEX likeness_by_guild ON likeness (guild_id, person_id);

CREATE TABLE consent (
    id             INTEGER PRIMARY KEY,
    guild_id       INTEGER NOT NULL REFERENCES guild (guild_id),
    character_row  INTEGER NOT NULL REFERENCES character (id) ON DELETE CASCADE,
    holder_id      INTEGER NOT NULL,
    person_id      INTEGER NOT NULL CHECK (person_id <> holder_id OR person_id = 1),
    scope          TEXT NOT NULL CHECK (scope IN ('draw', 'train')),
    status         TEXT NOT NULL CHECK (status IN
                       ('asked', 'given', 'refused', 'revoked', 'expired')),
    expires_at     TEXT NOT NULL,
    asked_at       TEXT NOT NULL,
    decided_at     TEXT
) STRICT;

CREATE INDEX consent_by_character ON consent (character_row, status);

CREATE INDEX consent_by_guild ON consent (guild_id, id DESC);

CREATE INDEX consent_given ON consent (expires_at) WHERE status IN ('asked', 'given');

-- Files go after the transaction that no longer names them; these rows outlive a crash between.
CREATE TABLE doomed_file (
    guild_id  INTEGER NOT NULL,
    kind      TEXT NOT NULL CHECK (kind IN ('picture', 'module', 'guild')),
    name      TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (guild_id, kind, name)
) STRICT, WITHOUT ROWID;

ALTER TABLE guild ADD COLUMN left_at TEXT;

CREATE INDEX guild_left ON guild (left_at) WHERE left_at IS NOT NULL;
