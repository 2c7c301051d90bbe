-- Cards change: whose keys counted before, and which card of ours each peer was given last.

-- peer_id 0: our own cards, the present one last; time_ms: when it came into use.  Of a peer: its
-- former cards; time_ms: when it was replaced.  What a peer's former keys signed counts up to the
-- sizes that its feeds had here then.
CREATE TABLE former_card (
    former_id INTEGER PRIMARY KEY,
    peer_id INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    log_key BLOB NOT NULL,
    receipt_key BLOB NOT NULL,
    in_feed_id INTEGER NOT NULL,
    in_size INTEGER NOT NULL,
    out_feed_id INTEGER NOT NULL,
    out_size INTEGER NOT NULL,
    card BLOB NOT NULL
) STRICT;
CREATE INDEX former_card_peer ON former_card (peer_id, former_id);
-- feed_id 0: in the queue, or given by hand.
CREATE TABLE card_given (
    peer_id INTEGER PRIMARY KEY REFERENCES peer,
    digest BLOB NOT NULL,
    feed_id INTEGER NOT NULL,
    number INTEGER NOT NULL
) STRICT;
