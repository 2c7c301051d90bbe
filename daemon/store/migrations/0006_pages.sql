-- What one commit writes is counted in pages: fewer tables and indexes that every entry touches.

-- The queue stands in the order in which it is read, so that no index need repeat it: outbox_id is
-- (peer_id << 42) + (priority << 40) + number.
CREATE TABLE queue (
    outbox_id INTEGER PRIMARY KEY,
    peer_id INTEGER NOT NULL REFERENCES peer,
    priority INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    in_reply_to BLOB NOT NULL,
    consent_id BLOB NOT NULL,
    subject_id BLOB NOT NULL,
    record_version INTEGER NOT NULL,
    form INTEGER NOT NULL,
    queued_ms INTEGER NOT NULL,
    body BLOB
) STRICT;
INSERT INTO queue
SELECT (peer_id << 42) + (priority << 40) + outbox_id, peer_id, priority, kind, in_reply_to,
    consent_id, subject_id, record_version, form, queued_ms, body
FROM outbox ORDER BY 1;
DROP TABLE outbox;
ALTER TABLE queue RENAME TO outbox;

-- How many places of a leaf are allotted stands beside its keys, which change at the same time.
-- key_tree.generation no longer counts the commits, but what a bundle may have been written
-- between.
ALTER TABLE key_page ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
UPDATE key_page SET used = g.used FROM key_group g WHERE key_page.id = g.leaf << 4;
ALTER TABLE key_group DROP COLUMN used;

-- The notes of a feed change with its head.  Nobody asks when we receipted what others gave.
ALTER TABLE feed ADD COLUMN checkpoint_note BLOB NOT NULL DEFAULT x'';
ALTER TABLE feed ADD COLUMN receipt_note BLOB NOT NULL DEFAULT x'';
UPDATE feed SET checkpoint_note = n.note FROM feed_note n
    WHERE n.feed_id = feed.feed_id AND n.which = 1;
UPDATE feed SET receipt_note = n.note FROM feed_note n
    WHERE n.feed_id = feed.feed_id AND n.which = 2;
DROP TABLE feed_note;
DELETE FROM feed_receipt WHERE feed_id IN (SELECT feed_id FROM feed WHERE direction = 2);

-- What was given or is held under one consent mostly follows one upon the other.  In place of an
-- index: the blocks of 256 numbers in which there is any.
CREATE TABLE delivery_block (
    consent_id BLOB NOT NULL,
    block INTEGER NOT NULL, -- delivery_id >> 8
    PRIMARY KEY (consent_id, block)
) STRICT, WITHOUT ROWID;
INSERT INTO delivery_block SELECT DISTINCT consent_id, delivery_id >> 8 FROM delivery;
DROP INDEX delivery_consent;
-- keep_until_ms: no active holding of the block ends before; the largest number: none is known to.
CREATE TABLE holding_block (
    peer_id INTEGER NOT NULL,
    consent_id BLOB NOT NULL,
    block INTEGER NOT NULL, -- holding_id >> 8
    keep_until_ms INTEGER NOT NULL,
    PRIMARY KEY (peer_id, consent_id, block)
) STRICT, WITHOUT ROWID;
INSERT INTO holding_block
SELECT peer_id, consent_id, holding_id >> 8,
    min(CASE state WHEN 1 THEN keep_until_ms ELSE 9223372036854775807 END)
FROM holding GROUP BY 1, 2, 3;
CREATE INDEX holding_block_due ON holding_block (keep_until_ms)
    WHERE keep_until_ms < 9223372036854775807;
DROP INDEX holding_consent;
DROP INDEX holding_expiry;
