-- Entries of either direction that their subscriber stored and did not accept, and its words why.
CREATE TABLE refusal (
    entry_id INTEGER PRIMARY KEY, -- of the refused entry: feed_id << 40 | index
    time_ms INTEGER NOT NULL,
    why TEXT NOT NULL
) STRICT;
