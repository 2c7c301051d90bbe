-- A delivery stands where its entry does: delivery_id = feed_id << 40 | number, as entries and
-- holdings have it, so that no index need repeat it.
UPDATE delivery SET delivery_id = feed_id << 40 | number;
DROP INDEX delivery_entry;
