-- feed_id << 40 | size of the active feed the other way when a receipt came whose time is later than
-- that of the one before; 0: there was none.  A time that never goes back says nothing about the
-- clock by which later entries were signed.
ALTER TABLE feed ADD COLUMN receipt_after INTEGER NOT NULL DEFAULT 0;
