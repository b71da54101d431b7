-- A pose may hold feet, face and hands beyond the seventeen joints of the body.
ALTER TABLE reference_pose ADD COLUMN beyond TEXT NOT NULL DEFAULT '[]'
    CHECK (json_array_length(beyond) IN (0, 116));
