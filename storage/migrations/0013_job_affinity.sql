-- What a job needs loaded, and how many later jobs of its member went before it for that reason.
ALTER TABLE job ADD COLUMN affinity TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN passed INTEGER NOT NULL DEFAULT 0;

CREATE INDEX job_affine ON job (guild_id, member_id, priority, affinity, id)
WHERE status = 'queued';
