-- The chapter that is being drawn: what everybody wears where a request does not say when it plays.
ALTER TABLE series ADD COLUMN chapter INTEGER CHECK (chapter BETWEEN 1 AND 9999);
