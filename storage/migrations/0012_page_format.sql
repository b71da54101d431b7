-- The sheet that a comic's pages are composed for; what was composed before was A4.
ALTER TABLE series ADD COLUMN page_format TEXT NOT NULL DEFAULT 'a4';
