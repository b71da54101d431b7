-- The lettering of a panel as people edited it, one row for each language: the lines of dialogue
-- with their kinds and wanted places. The empty language is the one that the panel was asked for
-- in; without a row, the words of the brief stand.
CREATE TABLE lettering (
    guild_id    INTEGER NOT NULL REFERENCES guild (guild_id),
    panel_id    INTEGER NOT NULL REFERENCES panel (id) ON DELETE CASCADE,
    language    TEXT NOT NULL DEFAULT '' CHECK (length(language) <= 35),
    lines       TEXT NOT NULL CHECK (json_valid(lines)),
    updated_at  TEXT NOT NULL,
    PRIMARY KEY (guild_id, panel_id, language)
) STRICT, WITHOUT ROWID;
CREATE INDEX lettering_by_panel ON lettering (panel_id);
