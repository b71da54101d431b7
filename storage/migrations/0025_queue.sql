-- A queue that moderators steer: series that pause, panels that go first; and honest waiting times.

ALTER TABLE series ADD COLUMN paused_at TEXT;
ALTER TABLE series ADD COLUMN pause_reason TEXT NOT NULL DEFAULT '' CHECK (length(pause_reason) <= 200);

-- A held job waits, and takes part in nobody's turn. The larger front goes first in its guild.
ALTER TABLE job ADD COLUMN held INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1));
ALTER TABLE job ADD COLUMN front INTEGER NOT NULL DEFAULT 0 CHECK (front >= 0);

-- What there is to do (alternates times megapixels, 0 where nothing is drawn) and by which engine;
-- the seconds from asking to done that were expected when it was asked for.
ALTER TABLE job ADD COLUMN engine TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN work REAL NOT NULL DEFAULT 0 CHECK (work >= 0);
ALTER TABLE job ADD COLUMN expected_seconds REAL;

DROP INDEX job_queued;
CREATE INDEX job_queued ON job (guild_id, member_id, priority DESC, id)
WHERE status = 'queued' AND held = 0;

DROP INDEX job_affine;
CREATE INDEX job_affine ON job (guild_id, member_id, priority, affinity, id)
WHERE status = 'queued' AND held = 0;

CREATE INDEX job_front ON job (guild_id, front DESC, id)
WHERE status = 'queued' AND held = 0 AND front > 0;

CREATE INDEX job_held ON job (guild_id, id) WHERE status = 'queued' AND held = 1;

DROP TRIGGER job_joins;
CREATE TRIGGER job_joins AFTER INSERT ON job WHEN NEW.status = 'queued' AND NEW.held = 0 BEGIN
    INSERT INTO share (guild_id, member_id, vtime)
    VALUES (NEW.guild_id, 0, (SELECT clock FROM share WHERE guild_id = 0))
    ON CONFLICT DO UPDATE SET vtime = max(vtime, excluded.vtime) WHERE waiting = 0;
    INSERT INTO share (guild_id, member_id, vtime)
    VALUES (NEW.guild_id, NEW.member_id,
            (SELECT clock FROM share WHERE guild_id = NEW.guild_id AND member_id = 0))
    ON CONFLICT DO UPDATE SET vtime = max(vtime, excluded.vtime) WHERE waiting = 0;
    UPDATE share SET waiting = waiting + 1
    WHERE guild_id = NEW.guild_id AND member_id IN (0, NEW.member_id);
END;

-- The same when the series goes on.
CREATE TRIGGER job_goes_on AFTER UPDATE OF held ON job
WHEN NEW.status = 'queued' AND OLD.status = 'queued' AND OLD.held = 1 AND NEW.held = 0 BEGIN
    INSERT INTO share (guild_id, member_id, vtime)
    VALUES (NEW.guild_id, 0, (SELECT clock FROM share WHERE guild_id = 0))
    ON CONFLICT DO UPDATE SET vtime = max(vtime, excluded.vtime) WHERE waiting = 0;
    INSERT INTO share (guild_id, member_id, vtime)
    VALUES (NEW.guild_id, NEW.member_id,
            (SELECT clock FROM share WHERE guild_id = NEW.guild_id AND member_id = 0))
    ON CONFLICT DO UPDATE SET vtime = max(vtime, excluded.vtime) WHERE waiting = 0;
    UPDATE share SET waiting = waiting + 1
    WHERE guild_id = NEW.guild_id AND member_id IN (0, NEW.member_id);
END;

CREATE TRIGGER job_is_held AFTER UPDATE OF held ON job
WHEN NEW.status = 'queued' AND OLD.status = 'queued' AND OLD.held = 0 AND NEW.held = 1 BEGIN
    UPDATE share SET waiting = waiting - 1
    WHERE guild_id = NEW.guild_id AND member_id IN (0, NEW.member_id);
END;

-- The clock is the smallest time of whoever waits, also where somebody else was served first.
DROP TRIGGER job_served;
CREATE TRIGGER job_served AFTER UPDATE OF status ON job
WHEN OLD.status = 'queued' AND NEW.status = 'running' BEGIN
    UPDATE share SET clock = (SELECT vtime FROM share
                              WHERE guild_id = NEW.guild_id AND member_id = 0)
    WHERE guild_id = 0;
    UPDATE share SET clock = (SELECT min(vtime) FROM share
                              WHERE guild_id = NEW.guild_id AND member_id <> 0 AND waiting > 0)
    WHERE guild_id = NEW.guild_id AND member_id = 0;
    UPDATE share SET vtime = vtime + 1, waiting = waiting - 1
    WHERE guild_id = NEW.guild_id AND member_id IN (0, NEW.member_id);
END;

DROP TRIGGER job_leaves;
CREATE TRIGGER job_leaves AFTER UPDATE OF status ON job
WHEN OLD.status = 'queued' AND OLD.held = 0 AND NEW.status NOT IN ('queued', 'running') BEGIN
    UPDATE share SET waiting = waiting - 1
    WHERE guild_id = NEW.guild_id AND member_id IN (0, NEW.member_id);
END;

DROP TRIGGER job_rejoins;
CREATE TRIGGER job_rejoins AFTER UPDATE OF status ON job
WHEN OLD.status = 'running' AND NEW.status = 'queued' BEGIN
    UPDATE share SET vtime = max(vtime - (NEW.crashes = OLD.crashes),
                                 (SELECT clock FROM share WHERE guild_id = 0))
    WHERE guild_id = NEW.guild_id AND member_id = 0;
    UPDATE share SET vtime = max(vtime - (NEW.crashes = OLD.crashes),
                                 (SELECT clock FROM share
                                  WHERE guild_id = NEW.guild_id AND member_id = 0))
    WHERE guild_id = NEW.guild_id AND member_id = NEW.member_id;
    UPDATE share SET waiting = waiting + (NEW.held = 0)
    WHERE guild_id = NEW.guild_id AND member_id IN (0, NEW.member_id);
END;

DROP TRIGGER job_deleted;
CREATE TRIGGER job_deleted AFTER DELETE ON job WHEN OLD.status = 'queued' AND OLD.held = 0 BEGIN
    UPDATE share SET waiting = waiting - 1
    WHERE guild_id = OLD.guild_id AND member_id IN (0, OLD.member_id);
END;
