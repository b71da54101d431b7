-- What posts that everyone sees are written in; empty: as the server says on Discord.

ALTER TABLE series ADD COLUMN language TEXT NOT NULL DEFAULT '' CHECK (length(language) <= 10);
