-- What our own clock alone ended, so that it can be undone when the clock was wrong.
ALTER TABLE received_terms ADD COLUMN by_clock INTEGER NOT NULL DEFAULT 0;
CREATE INDEX holding_by_clock ON holding (keep_until_ms)
    WHERE state = 2 AND (reasons & 8) <> 0; -- HOLDING_KEEP_UNTIL
