-- The first schema.  Numbers of states, kinds and forms are those of the headers in daemon/store,
-- daemon/consent and daemon/log; they are for ever.  Times are Unix milliseconds, 0 for "not yet".
-- No plain text of a record is in any column.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Key tree (keys.h).  One row of key_tree; key_page.id = index << 4 | level, so that new leaves
-- come last; block = place in keys.bundle; generation = commit that wrote it last.
CREATE TABLE key_tree (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    top_level INTEGER NOT NULL,
    next_leaf INTEGER NOT NULL,
    next_block INTEGER NOT NULL,
    generation INTEGER NOT NULL
) STRICT;
INSERT INTO key_tree VALUES (1, 1, 0, 0, 0);
CREATE TABLE key_page (
    id INTEGER PRIMARY KEY,
    block INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE TABLE key_group (
    id BLOB PRIMARY KEY,
    leaf INTEGER NOT NULL,
    used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE peer (
    peer_id INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    realm TEXT NOT NULL,
    state INTEGER NOT NULL,
    held INTEGER NOT NULL,
    fingerprint BLOB NOT NULL,
    anchor_digest BLOB NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    log_key BLOB NOT NULL,
    receipt_key BLOB NOT NULL,
    boot_id BLOB NOT NULL,
    recoveries INTEGER NOT NULL,
    recovered_ms INTEGER NOT NULL,
    crl_number INTEGER NOT NULL,
    crl_expires_ms INTEGER NOT NULL,
    added_by INTEGER NOT NULL,
    accepted_by INTEGER NOT NULL,
    added_ms INTEGER NOT NULL,
    accepted_ms INTEGER NOT NULL,
    contact_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE peer_file (
    peer_id INTEGER NOT NULL REFERENCES peer,
    file INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (peer_id, file)
) STRICT, WITHOUT ROWID;

CREATE TABLE feed (
    feed_id INTEGER PRIMARY KEY CHECK (feed_id BETWEEN 1 AND 4194304),
    peer_id INTEGER NOT NULL REFERENCES peer,
    direction INTEGER NOT NULL,
    state INTEGER NOT NULL,
    origin TEXT NOT NULL UNIQUE,
    epoch INTEGER NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    frontier BLOB NOT NULL,
    receipt_size INTEGER NOT NULL,
    receipt_ms INTEGER NOT NULL,
    healed_size INTEGER NOT NULL,
    rolled_back INTEGER NOT NULL,
    opened_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX feed_active ON feed (peer_id, direction) WHERE state = 1;
CREATE TABLE feed_note (
    feed_id INTEGER NOT NULL REFERENCES feed,
    which INTEGER NOT NULL,
    note BLOB NOT NULL,
    PRIMARY KEY (feed_id, which)
) STRICT, WITHOUT ROWID;
CREATE TABLE feed_receipt (
    feed_id INTEGER NOT NULL,
    size INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    PRIMARY KEY (feed_id, size)
) STRICT, WITHOUT ROWID;
CREATE TABLE subtree (
    feed_id INTEGER NOT NULL,
    level INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (feed_id, level, number)
) STRICT, WITHOUT ROWID;

-- entry_id = feed_id << 40 | index.  sealed: salt and body, or salt alone with version_of.
CREATE TABLE entry (
    entry_id INTEGER PRIMARY KEY,
    flags INTEGER NOT NULL,
    key_slot INTEGER NOT NULL,
    header BLOB NOT NULL,
    version_of BLOB,
    version INTEGER NOT NULL,
    sealed BLOB
) STRICT;

CREATE TABLE outbox (
    outbox_id INTEGER PRIMARY KEY AUTOINCREMENT,
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
CREATE INDEX outbox_queue ON outbox (peer_id, priority, outbox_id);

CREATE TABLE record (
    record_id BLOB PRIMARY KEY,
    kind INTEGER NOT NULL,
    state INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    created_by INTEGER NOT NULL,
    identity BLOB NOT NULL -- keyed hash of a release's dataset, period and source, or zeros
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX record_identity ON record (identity)
    WHERE state = 1 AND identity <> zeroblob(32);
CREATE TABLE record_version (
    row_id INTEGER PRIMARY KEY,
    record_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    state INTEGER NOT NULL,
    key_slot INTEGER NOT NULL,
    size INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    created_by INTEGER NOT NULL,
    sealed BLOB,
    UNIQUE (record_id, version)
) STRICT;

CREATE TABLE pair_id (
    peer_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    local BLOB NOT NULL,
    pair BLOB NOT NULL,
    PRIMARY KEY (peer_id, kind, local)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX pair_id_back ON pair_id (peer_id, kind, pair);

CREATE TABLE consent (
    consent_id BLOB NOT NULL PRIMARY KEY,
    state INTEGER NOT NULL,
    supersedes BLOB NOT NULL,
    digest BLOB NOT NULL,
    nonce BLOB NOT NULL,
    created_by INTEGER NOT NULL,
    proposed_by INTEGER NOT NULL,
    approved_by INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    proposed_ms INTEGER NOT NULL,
    approved_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL,
    valid_from_ms INTEGER NOT NULL,
    valid_until_ms INTEGER NOT NULL,
    terms BLOB NOT NULL
) STRICT;
CREATE INDEX consent_expiry ON consent (state, valid_until_ms);
-- The preview as it was proposed; sealed, because it has titles in it.
CREATE TABLE consent_preview (
    consent_id BLOB NOT NULL PRIMARY KEY REFERENCES consent,
    key_slot INTEGER NOT NULL,
    sealed BLOB
) STRICT;
CREATE TABLE consent_record (
    consent_id BLOB NOT NULL REFERENCES consent,
    record_id BLOB NOT NULL REFERENCES record,
    version INTEGER NOT NULL,
    form INTEGER NOT NULL,
    PRIMARY KEY (consent_id, record_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX consent_record_back ON consent_record (record_id, consent_id);
CREATE TABLE consent_recipient (
    consent_id BLOB NOT NULL REFERENCES consent,
    code TEXT NOT NULL,
    anchor BLOB NOT NULL,
    PRIMARY KEY (consent_id, code)
) STRICT, WITHOUT ROWID;
CREATE TABLE consent_event (
    consent_id BLOB NOT NULL REFERENCES consent,
    sequence INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    from_state INTEGER NOT NULL,
    to_state INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (consent_id, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE delivery (
    delivery_id INTEGER PRIMARY KEY,
    peer_id INTEGER NOT NULL,
    record_id BLOB NOT NULL,
    consent_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    form INTEGER NOT NULL,
    feed_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    queued_ms INTEGER NOT NULL,
    numbered_ms INTEGER NOT NULL,
    withdrawn_ms INTEGER NOT NULL,
    erased_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX delivery_entry ON delivery (feed_id, number);
CREATE INDEX delivery_record ON delivery (record_id, peer_id);
CREATE INDEX delivery_consent ON delivery (consent_id);

CREATE TABLE recall (
    recall_id INTEGER PRIMARY KEY,
    peer_id INTEGER NOT NULL,
    record_id BLOB NOT NULL,
    consent_id BLOB NOT NULL,
    withdrawn BLOB NOT NULL,
    state INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    closed_ms INTEGER NOT NULL,
    closed_feed_id INTEGER NOT NULL,
    closed_number INTEGER NOT NULL
) STRICT;
CREATE INDEX recall_record ON recall (record_id, peer_id);
CREATE INDEX recall_withdrawn ON recall (withdrawn);
CREATE INDEX recall_state ON recall (state);

-- holding_id = entry_id of its entry.
CREATE TABLE holding (
    holding_id INTEGER PRIMARY KEY,
    peer_id INTEGER NOT NULL,
    subject_id BLOB NOT NULL,
    consent_id BLOB NOT NULL,
    entry_id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    version INTEGER NOT NULL,
    form INTEGER NOT NULL,
    body_format INTEGER NOT NULL,
    state INTEGER NOT NULL,
    reasons INTEGER NOT NULL,
    withdrawn_entry BLOB NOT NULL,
    received_ms INTEGER NOT NULL,
    keep_until_ms INTEGER NOT NULL,
    erased_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX holding_subject ON holding (peer_id, subject_id);
CREATE INDEX holding_consent ON holding (peer_id, consent_id);
CREATE INDEX holding_locked ON holding (holding_id) WHERE state = 2;
CREATE INDEX holding_expiry ON holding (keep_until_ms)
    WHERE state = 1 AND keep_until_ms < 9223372036854775807;
CREATE TABLE received_terms (
    peer_id INTEGER NOT NULL,
    consent_id BLOB NOT NULL,
    state INTEGER NOT NULL,
    feed_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    supersedes BLOB NOT NULL,
    valid_from_ms INTEGER NOT NULL,
    valid_until_ms INTEGER NOT NULL,
    keep_until_ms INTEGER NOT NULL,
    erase_days INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    PRIMARY KEY (peer_id, consent_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX received_terms_expiry ON received_terms (state, valid_until_ms);

CREATE TABLE journal_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    origin TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    frontier BLOB NOT NULL,
    rolled_back INTEGER NOT NULL
) STRICT;
INSERT INTO journal_head VALUES (1, '', 0, 0, zeroblob(32), x'', 0);
CREATE TABLE journal (
    row_id INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    number INTEGER NOT NULL,
    leaf BLOB NOT NULL,
    UNIQUE (epoch, number)
) STRICT;
CREATE TABLE alarm (
    alarm_id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    peer TEXT NOT NULL,
    text TEXT NOT NULL,
    opened_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    closed_ms INTEGER NOT NULL,
    closed_by INTEGER NOT NULL,
    times INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX alarm_open ON alarm (kind, peer) WHERE closed_ms = 0;
