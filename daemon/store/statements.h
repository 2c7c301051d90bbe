/* All SQL of Comity but the migrations: name and text, prepared once when the database opens.
 * Parameters are put, and columns taken, in the order in which they stand here. */
#ifndef COMITY_STORE_STATEMENTS_H
#define COMITY_STORE_STATEMENTS_H

/* clang-format off */
#define PEER_COLUMNS                                                                               \
    "code, realm, state, held, fingerprint, anchor_digest, name, address, log_key, receipt_key, "  \
    "boot_id, recoveries, recovered_ms, crl_number, crl_expires_ms, added_by, accepted_by, "       \
    "added_ms, accepted_ms, contact_ms"
#define FEED_COLUMNS                                                                               \
    "feed_id, peer_id, direction, state, origin, epoch, size, root, frontier, receipt_size, "      \
    "receipt_ms, healed_size, rolled_back, opened_ms, receipt_after"
#define ENTRY_COLUMNS "entry_id, flags, key_slot, header, version_of, version, sealed"
#define OUTBOX_COLUMNS                                                                             \
    "peer_id, priority, kind, in_reply_to, consent_id, subject_id, record_version, form, "         \
    "queued_ms, body"
#define RECORD_COLUMNS "record_id, kind, state, version, created_ms, created_by, identity"
#define CONSENT_COLUMNS                                                                            \
    "consent_id, state, supersedes, digest, nonce, created_by, proposed_by, approved_by, "         \
    "created_ms, proposed_ms, approved_ms, ended_ms, valid_from_ms, valid_until_ms"
#define DELIVERY_SELECT                                                                            \
    "SELECT delivery_id, peer_id, record_id, d.consent_id, version, form, feed_id, number, "       \
    "queued_ms, numbered_ms, withdrawn_ms, erased_ms, (SELECT time_ms FROM feed_receipt r "        \
    "WHERE r.feed_id = d.feed_id AND r.size > d.number ORDER BY r.size LIMIT 1) FROM "
#define DELIVERY_ORDER "ORDER BY d.delivery_id LIMIT ?6"
#define DELIVERY_FILTER                                                                            \
    "(?1 = 0 OR d.peer_id = ?1) AND (?2 IS NULL OR d.record_id = ?2) "                             \
    "AND (?3 IS NULL OR d.consent_id = ?3) "                                                       \
    "AND (?4 = 0 OR (d.withdrawn_ms = 0 AND d.erased_ms = 0)) AND d.delivery_id > ?5 "
#define RECALL_COLUMNS                                                                             \
    "recall_id, peer_id, record_id, consent_id, withdrawn, state, started_ms, due_ms, closed_ms, " \
    "closed_feed_id, closed_number"
#define HOLDING_COLUMNS                                                                            \
    "holding_id, peer_id, subject_id, consent_id, entry_id, kind, version, form, body_format, "    \
    "state, reasons, withdrawn_entry, received_ms, keep_until_ms, erased_ms"
#define HOLDING_COLUMNS_OF_H                                                                       \
    "holding_id, h.peer_id, subject_id, h.consent_id, entry_id, kind, version, form, "             \
    "body_format, state, reasons, withdrawn_entry, received_ms, h.keep_until_ms, erased_ms"
#define HOLDING_FILTER                                                                             \
    "(?1 = 0 OR h.peer_id = ?1) AND (?2 IS NULL OR subject_id = ?2) "                                \
    "AND (?3 IS NULL OR h.consent_id = ?3) AND (?4 = 0 OR state = ?4) "                              \
    "AND (?5 = 0 OR (reasons & ?5) <> 0) AND holding_id >= ?6 "
#define HOLDING_ORDER "ORDER BY holding_id LIMIT ?7"
/* The earliest end of an active holding in block b. */
#define HOLDING_BLOCK_NEXT(b)                                                                      \
    "coalesce((SELECT min(h.keep_until_ms) FROM holding h WHERE h.holding_id >= " b ".block << 8 " \
    "AND h.holding_id < (" b ".block + 1) << 8 AND h.consent_id = " b ".consent_id "               \
    "AND h.state = 1), 9223372036854775807)"
#define TERMS_COLUMNS                                                                              \
    "peer_id, consent_id, state, feed_id, number, supersedes, valid_from_ms, valid_until_ms, "     \
    "keep_until_ms, erase_days, received_ms, by_clock"
#define ALARM_COLUMNS                                                                              \
    "alarm_id, kind, peer, text, opened_ms, last_ms, closed_ms, times, closed_by"

#define STATEMENTS                                                                                 \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(COMMIT, "COMMIT")                                                                            \
    X(SAVEPOINT, "SAVEPOINT job")                                                                  \
    X(RELEASE, "RELEASE job")                                                                      \
                                                                                                   \
    X(META_GET, "SELECT value FROM meta WHERE name = ?")                                           \
    X(META_SET, "INSERT INTO meta VALUES (?, ?) "                                                  \
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value")                                 \
                                                                                                   \
    X(KEY_TREE_GET, "SELECT top_level, next_leaf, next_block, generation FROM key_tree")           \
    X(KEY_TREE_SET, "UPDATE key_tree SET top_level = ?, next_leaf = ?, next_block = ?, "           \
        "generation = ?")                                                                          \
    X(KEY_PAGE_GET, "SELECT block, used, sealed FROM key_page WHERE id = ?")                             \
    X(KEY_PAGE_PUT, "INSERT INTO key_page VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE "      \
        "SET generation = excluded.generation, sealed = excluded.sealed, used = excluded.used")                          \
    X(KEY_PAGE_SINCE, "SELECT id, block, generation, sealed FROM key_page "                        \
        "WHERE id > ? AND generation > ? ORDER BY id LIMIT ?")                                     \
    X(KEY_PAGE_ROW, "SELECT id, block, generation, sealed FROM key_page WHERE id = ?")             \
    X(KEY_GROUP_CLEAR, "DELETE FROM key_group")                                                    \
    X(KEY_GROUP_GET, "SELECT g.leaf, p.used FROM key_group g JOIN key_page p "                     \
        "ON p.id = g.leaf << 4 WHERE g.id = ?")                              \
    X(KEY_GROUP_PUT, "INSERT INTO key_group VALUES (?, ?) ON CONFLICT (id) DO UPDATE "             \
        "SET leaf = excluded.leaf")                                          \
                                                                                                   \
    X(PEER_ADD, "INSERT INTO peer (" PEER_COLUMNS ") "                                             \
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")                     \
    X(PEER_UPDATE, "UPDATE peer SET realm = ?2, state = ?3, held = ?4, fingerprint = ?5, "         \
        "anchor_digest = ?6, name = ?7, address = ?8, log_key = ?9, receipt_key = ?10, "           \
        "boot_id = ?11, recoveries = ?12, recovered_ms = ?13, crl_number = ?14, "                  \
        "crl_expires_ms = ?15, added_by = ?16, accepted_by = ?17, added_ms = ?18, "                \
        "accepted_ms = ?19, contact_ms = ?20 WHERE code = ?1")                                     \
    X(PEER_GET, "SELECT peer_id, " PEER_COLUMNS " FROM peer WHERE code = ?")                       \
    X(PEER_GET_ID, "SELECT peer_id, " PEER_COLUMNS " FROM peer WHERE peer_id = ?")                 \
    X(PEER_LIST, "SELECT peer_id, " PEER_COLUMNS " FROM peer WHERE code > ? ORDER BY code "        \
        "LIMIT ?")                                                                                 \
    X(PEER_FILE_GET, "SELECT bytes FROM peer_file WHERE peer_id = ? AND file = ?")                 \
    X(PEER_FILE_SET, "INSERT INTO peer_file VALUES (?, ?, ?) ON CONFLICT (peer_id, file) "         \
        "DO UPDATE SET bytes = excluded.bytes")                                                    \
                                                                                                   \
    X(FORMER_CARD_ADD, "INSERT INTO former_card (peer_id, time_ms, log_key, receipt_key, "        \
        "in_feed_id, in_size, out_feed_id, out_size, card) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")    \
    X(FORMER_CARD_LIST, "SELECT former_id, time_ms, log_key, receipt_key, in_feed_id, in_size, "  \
        "out_feed_id, out_size FROM former_card WHERE peer_id = ? ORDER BY former_id DESC LIMIT ?") \
    X(FORMER_CARD_KEYS, "SELECT max(former_id), time_ms, log_key, receipt_key, in_feed_id, "       \
        "in_size, out_feed_id, out_size FROM former_card WHERE peer_id = ? "                       \
        "GROUP BY log_key, receipt_key ORDER BY 1 DESC LIMIT ?")                                   \
    X(FORMER_CARD_SINCE, "SELECT min(time_ms) FROM former_card WHERE peer_id = 0 "                 \
        "AND receipt_key = ?")                                                                     \
    X(FORMER_CARD_READ, "SELECT card FROM former_card WHERE former_id = ?")                        \
    X(CARD_GIVEN_GET, "SELECT digest, feed_id, number FROM card_given WHERE peer_id = ?")          \
    X(CARD_GIVEN_PUT, "INSERT INTO card_given VALUES (?, ?, ?, ?) ON CONFLICT (peer_id) "          \
        "DO UPDATE SET digest = excluded.digest, feed_id = excluded.feed_id, "                     \
        "number = excluded.number")                                                                \
                                                                                                   \
    X(FEED_ADD, "INSERT INTO feed (peer_id, direction, state, origin, epoch, size, root, "         \
        "frontier, receipt_size, receipt_ms, healed_size, rolled_back, opened_ms) "                \
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")                                          \
    X(FEED_GET, "SELECT " FEED_COLUMNS " FROM feed WHERE feed_id = ?")                             \
    X(FEED_ACTIVE, "SELECT " FEED_COLUMNS " FROM feed WHERE peer_id = ? AND direction = ? "        \
        "AND state = 1")                                                                           \
    X(FEED_LATEST, "SELECT " FEED_COLUMNS " FROM feed WHERE peer_id = ? AND direction = ? "        \
        "AND size > 0 ORDER BY feed_id DESC LIMIT 1")                                              \
    X(FEED_BY_ORIGIN, "SELECT " FEED_COLUMNS " FROM feed WHERE origin = CAST(? AS TEXT)")          \
    X(FEED_LIST, "SELECT " FEED_COLUMNS " FROM feed WHERE feed_id > ? ORDER BY feed_id LIMIT ?")   \
    X(FEED_SET_HEAD, "UPDATE feed SET size = ?, root = ?, frontier = ? WHERE feed_id = ?")         \
    X(FEED_SET_STATE, "UPDATE feed SET state = ?, healed_size = ?, rolled_back = ? "               \
        "WHERE feed_id = ?")                                                                       \
    X(FEED_SET_RECEIPT, "UPDATE feed SET receipt_size = ?1, receipt_ms = ?2, receipt_note = ?3, "  \
        "receipt_after = CASE WHEN direction = 1 AND receipt_ms < ?2 THEN coalesce((SELECT "       \
        "t.feed_id << 40 | t.size FROM feed t WHERE t.peer_id = feed.peer_id AND t.direction = 2 " \
        "AND t.state = 1), 0) ELSE receipt_after END "                                             \
        "WHERE feed_id = ?4 AND receipt_size <= ?1 AND receipt_ms <= ?2")                          \
    X(FEED_SET_RECEIVED, "UPDATE feed SET size = ?2, root = ?3, frontier = ?4, "                   \
        "checkpoint_note = ?5, receipt_size = ?6, receipt_ms = ?7, "                               \
        "receipt_note = iif(?8, ?5, receipt_note) "                                                \
        "WHERE feed_id = ?1 AND receipt_size <= ?6 AND receipt_ms <= ?7")                          \
    X(FEED_GET_CHECKPOINT, "SELECT checkpoint_note FROM feed WHERE feed_id = ?")                   \
    X(FEED_GET_RECEIPT, "SELECT receipt_note FROM feed WHERE feed_id = ?")                         \
    X(FEED_RECEIPT_ADD, "INSERT INTO feed_receipt VALUES (?, ?, ?) ON CONFLICT DO NOTHING")        \
    X(FEED_HEADS, "SELECT feed_id, epoch, size, root FROM feed WHERE feed_id > ? "                 \
        "ORDER BY feed_id")                                                                        \
    X(SUBTREE_PUT, "INSERT INTO subtree VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "                \
        "SET hash = excluded.hash")                                                                \
    X(SUBTREE_GET, "SELECT hash FROM subtree WHERE feed_id = ? AND level = ? AND number = ?")      \
                                                                                                   \
    X(ENTRY_ADD, "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)")                                 \
    X(ENTRY_GET, "SELECT " ENTRY_COLUMNS " FROM entry WHERE entry_id = ?")                         \
    X(ENTRY_WALK, "SELECT " ENTRY_COLUMNS " FROM entry WHERE entry_id >= ? AND entry_id < ? "      \
        "ORDER BY entry_id")                                                                       \
    X(ENTRY_ERASE, "UPDATE entry SET flags = flags | 2, sealed = NULL WHERE entry_id = ?")         \
                                                                                                   \
    X(OUTBOX_ADD, "INSERT INTO outbox (outbox_id, " OUTBOX_COLUMNS ") "                            \
        "SELECT coalesce(max(outbox_id) + 1, ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 "       \
        "FROM outbox WHERE outbox_id >= ?1 AND outbox_id < ?1 + (1 << 40)")                        \
    X(OUTBOX_NEXT, "SELECT outbox_id, " OUTBOX_COLUMNS " FROM outbox WHERE outbox_id > ? "         \
        "AND outbox_id < ? ORDER BY outbox_id LIMIT ?")                                            \
    X(OUTBOX_REMOVE, "DELETE FROM outbox WHERE outbox_id = ?")                                     \
    X(OUTBOX_REMOVE_RECORDS, "DELETE FROM outbox WHERE priority IN (1, 2) AND consent_id = ?1 "    \
        "AND (?2 IS NULL OR subject_id = ?2) AND (?3 = 0 OR peer_id = ?3)")                        \
    X(OUTBOX_HAS_RECORD, "SELECT 1 FROM outbox WHERE outbox_id >= ?1 "                             \
        "AND outbox_id < ?1 + (1 << 40) AND consent_id = ?2 AND subject_id = ?3 LIMIT 1")          \
    X(OUTBOX_COUNT, "SELECT count(*) FROM outbox WHERE outbox_id >= ? AND outbox_id < ?")          \
    X(OUTBOX_WAITING, "SELECT code FROM peer p WHERE p.state = 3 AND EXISTS (SELECT 1 FROM outbox " \
        "o WHERE o.outbox_id >= p.peer_id << 42 AND o.outbox_id < (p.peer_id << 42) + "            \
        "(1 << CASE p.held WHEN 1 THEN 40 ELSE 42 END)) ORDER BY code LIMIT ?")                    \
                                                                                                   \
    X(RECORD_ADD, "INSERT INTO record (" RECORD_COLUMNS ") VALUES (?, ?, 1, 1, ?, ?, ?)")             \
    X(RECORD_SET_VERSION, "UPDATE record SET version = ? WHERE record_id = ?")                     \
    X(RECORD_GET, "SELECT " RECORD_COLUMNS " FROM record WHERE record_id = ?")                     \
    X(RECORD_LAST, "SELECT record_id FROM record ORDER BY record_id DESC LIMIT 1")                 \
    X(RECORD_FIND, "SELECT " RECORD_COLUMNS " FROM record WHERE record_id >= ? AND "               \
        "record_id <= ? ORDER BY record_id LIMIT 2")                                               \
    X(RECORD_LIST, "SELECT " RECORD_COLUMNS " FROM record WHERE (?1 = 0 OR kind = ?1) "            \
        "AND record_id > ?2 ORDER BY record_id LIMIT ?3")                                          \
    X(RECORD_BY_IDENTITY, "SELECT " RECORD_COLUMNS " FROM record WHERE identity = ? AND state = 1") \
    X(RECORD_RETIRE, "UPDATE record SET state = 2 WHERE record_id = ?")                            \
    X(VERSION_ADD, "INSERT INTO record_version (record_id, version, state, key_slot, size, "       \
        "created_ms, created_by, sealed) VALUES (?, ?, 1, ?, ?, ?, ?, ?)")                         \
    X(VERSION_GET, "SELECT state, key_slot, size, created_ms, created_by FROM record_version "     \
        "WHERE record_id = ? AND version = ?")                                                     \
    X(VERSION_BODY, "SELECT state, key_slot, sealed FROM record_version "                          \
        "WHERE record_id = ? AND version = ?")                                                     \
    X(VERSION_ERASE, "UPDATE record_version SET state = 3, sealed = NULL "                         \
        "WHERE record_id = ? AND version = ?")                                                     \
                                                                                                   \
    X(PAIR_ADD, "INSERT INTO pair_id VALUES (?, ?, ?, ?) "                                         \
        "ON CONFLICT (peer_id, kind, local) DO NOTHING")                                           \
    X(PAIR_GET, "SELECT pair FROM pair_id WHERE peer_id = ? AND kind = ? AND local = ?")           \
    X(PAIR_LOCAL, "SELECT local FROM pair_id WHERE peer_id = ? AND kind = ? AND pair = ?")         \
                                                                                                   \
    X(CONSENT_ADD, "INSERT INTO consent (" CONSENT_COLUMNS ", terms) "                             \
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")                                    \
    X(CONSENT_UPDATE, "UPDATE consent SET state = ?2, supersedes = ?3, digest = ?4, nonce = ?5, "  \
        "created_by = ?6, proposed_by = ?7, approved_by = ?8, created_ms = ?9, "                   \
        "proposed_ms = ?10, approved_ms = ?11, ended_ms = ?12, valid_from_ms = ?13, "              \
        "valid_until_ms = ?14, terms = coalesce(?15, terms) WHERE consent_id = ?1")                \
    X(CONSENT_GET, "SELECT " CONSENT_COLUMNS " FROM consent WHERE consent_id = ?")                 \
    X(CONSENT_TERMS, "SELECT terms FROM consent WHERE consent_id = ?")                             \
    X(CONSENT_PREVIEW_SET, "INSERT INTO consent_preview VALUES (?, ?, ?) ON CONFLICT (consent_id) " \
        "DO UPDATE SET sealed = excluded.sealed")                                                  \
    X(CONSENT_PREVIEW_GET, "SELECT key_slot, sealed FROM consent_preview WHERE consent_id = ?")    \
    X(CONSENT_PREVIEW_REMOVE, "UPDATE consent_preview SET sealed = NULL WHERE consent_id = ?")     \
    X(CONSENT_FIND, "SELECT " CONSENT_COLUMNS " FROM consent WHERE consent_id >= ? AND "           \
        "consent_id <= ? ORDER BY consent_id LIMIT 2")                                             \
    X(CONSENT_LIST, "SELECT " CONSENT_COLUMNS " FROM consent WHERE (?1 = 0 OR state = ?1) "        \
        "AND consent_id > ?2 ORDER BY consent_id LIMIT ?3")                                        \
    X(CONSENT_COVERING, "SELECT r.consent_id FROM consent_record r "                               \
        "JOIN consent_recipient q ON q.consent_id = r.consent_id AND q.code = ?2 "                 \
        "JOIN consent c ON c.consent_id = r.consent_id "                                           \
        "WHERE r.record_id = ?1 AND (?3 = 0 OR c.state = ?3) AND r.consent_id > ?4 "               \
        "ORDER BY r.consent_id LIMIT ?5")                                                          \
    X(CONSENT_EXPIRING, "SELECT consent_id FROM consent WHERE state = ? AND valid_until_ms <= ? "  \
        "ORDER BY valid_until_ms LIMIT ?")                                                         \
    X(CONSENT_NEXT_EXPIRY, "SELECT valid_until_ms FROM consent WHERE state = ? "                   \
        "ORDER BY valid_until_ms LIMIT 1")                                                         \
    X(CONSENT_RECORD_ADD, "INSERT INTO consent_record VALUES (?, ?, ?, ?) ON CONFLICT "            \
        "(consent_id, record_id) DO UPDATE SET version = excluded.version, form = excluded.form")  \
    X(CONSENT_RECORD_REMOVE, "DELETE FROM consent_record WHERE consent_id = ? AND record_id = ?")  \
    X(CONSENT_RECORDS, "SELECT record_id, version, form FROM consent_record "                      \
        "WHERE consent_id = ? AND record_id > ? ORDER BY record_id LIMIT ?")                       \
    X(CONSENT_RECIPIENT_ADD, "INSERT INTO consent_recipient VALUES (?, ?, ?) ON CONFLICT "         \
        "(consent_id, code) DO UPDATE SET anchor = excluded.anchor")                               \
    X(CONSENT_RECIPIENTS, "SELECT code, anchor FROM consent_recipient WHERE consent_id = ? "       \
        "ORDER BY code LIMIT ?")                                                                   \
    X(CONSENT_EVENT_ADD, "INSERT INTO consent_event SELECT ?1, coalesce(max(sequence), 0) + 1, "   \
        "?2, ?3, ?4, ?5, ?6 FROM consent_event WHERE consent_id = ?1")                             \
    X(CONSENT_EVENTS, "SELECT sequence, time_ms, uid, from_state, to_state, text "                 \
        "FROM consent_event WHERE consent_id = ? AND sequence > ? ORDER BY sequence LIMIT ?")      \
                                                                                                   \
    X(DELIVERY_ADD, "INSERT INTO delivery (delivery_id, peer_id, record_id, consent_id, version, form, "        \
        "feed_id, number, queued_ms, numbered_ms, withdrawn_ms, erased_ms) "                       \
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")                                             \
    X(DELIVERY_LIST, DELIVERY_SELECT "delivery d WHERE " DELIVERY_FILTER DELIVERY_ORDER)                                     \
    X(DELIVERY_OF_RECORD, DELIVERY_SELECT "delivery d WHERE d.record_id = ?2 AND " \
        DELIVERY_FILTER DELIVERY_ORDER)           \
    X(DELIVERY_OF_CONSENT, DELIVERY_SELECT "delivery_block b CROSS JOIN delivery d "   \
        "ON d.delivery_id >= b.block << 8 AND d.delivery_id < (b.block + 1) << 8 "                \
        "WHERE b.consent_id = ?3 AND b.block >= ?5 >> 8 AND " DELIVERY_FILTER                      \
        "ORDER BY b.block, d.delivery_id LIMIT ?6")                                                \
    X(DELIVERY_BLOCK_PUT, "INSERT OR IGNORE INTO delivery_block VALUES (?, ?)")         \
    X(DELIVERY_BY_ENTRY, DELIVERY_SELECT "delivery d WHERE d.delivery_id = ?")                                \
    X(DELIVERY_WITHDRAW, "UPDATE delivery SET withdrawn_ms = ?1 WHERE delivery_id = ?2 "           \
        "AND withdrawn_ms = 0")                                                                    \
    X(DELIVERY_ERASED, "UPDATE delivery SET erased_ms = ?1 WHERE record_id = ?3 "                  \
        "AND peer_id = ?2 AND withdrawn_ms > 0 AND erased_ms = 0")                                 \
                                                                                                   \
    X(REFUSAL_PUT, "INSERT OR REPLACE INTO refusal (entry_id, time_ms, why) VALUES (?, ?, ?)")     \
    X(REFUSAL_GET, "SELECT why FROM refusal WHERE entry_id = ?")                                   \
                                                                                                   \
    X(RECALL_ADD, "INSERT INTO recall (peer_id, record_id, consent_id, withdrawn, state, "         \
        "started_ms, due_ms, closed_ms, closed_feed_id, closed_number) "                           \
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")                                                   \
    X(RECALL_UPDATE, "UPDATE recall SET withdrawn = ?2, state = ?3, closed_ms = ?4, "              \
        "closed_feed_id = ?5, closed_number = ?6 WHERE recall_id = ?1")                            \
    X(RECALL_OPEN, "SELECT " RECALL_COLUMNS " FROM recall WHERE record_id = ?2 AND peer_id = ?1 "  \
        "AND state <> 2 ORDER BY recall_id LIMIT 1")                                               \
    X(RECALL_BY_WITHDRAWN, "SELECT " RECALL_COLUMNS " FROM recall WHERE withdrawn = ? "            \
        "ORDER BY recall_id LIMIT 1")                                                              \
    X(RECALL_LIST, "SELECT " RECALL_COLUMNS " FROM recall WHERE due_ms <= ?1 AND recall_id > ?2 "  \
        "ORDER BY recall_id LIMIT ?3")                                                             \
    X(RECALL_LIST_OPEN, "SELECT " RECALL_COLUMNS " FROM recall WHERE state IN (1, 3) "             \
        "AND due_ms <= ?1 AND recall_id > ?2 ORDER BY recall_id LIMIT ?3")                         \
                                                                                                   \
    X(HOLDING_ADD, "INSERT INTO holding (" HOLDING_COLUMNS ") "                                    \
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")                                    \
    X(HOLDING_UPDATE, "UPDATE holding SET consent_id = ?2, state = ?3, reasons = ?4, "             \
        "withdrawn_entry = ?5, keep_until_ms = ?6, erased_ms = ?7 WHERE holding_id = ?1")          \
    X(HOLDING_GET, "SELECT " HOLDING_COLUMNS " FROM holding WHERE holding_id = ?")                 \
    X(HOLDING_LIST, "SELECT " HOLDING_COLUMNS " FROM holding h WHERE " HOLDING_FILTER HOLDING_ORDER)               \
    X(HOLDING_OF_SUBJECT, "SELECT " HOLDING_COLUMNS " FROM holding h WHERE h.peer_id = ?1 "        \
        "AND subject_id = ?2 AND " HOLDING_FILTER HOLDING_ORDER)                                   \
    X(HOLDING_HAS_SUBJECT, "SELECT 1 FROM holding WHERE peer_id = ? AND subject_id = ? LIMIT 1")   \
    X(HOLDING_OF_CONSENT, "SELECT " HOLDING_COLUMNS_OF_H " FROM holding_block b "                  \
        "CROSS JOIN holding h ON h.holding_id >= b.block << 8 "                                    \
        "AND h.holding_id < (b.block + 1) << 8 WHERE b.peer_id = ?1 AND b.consent_id = ?3 "        \
        "AND b.block >= ?6 >> 8 AND " HOLDING_FILTER "ORDER BY b.block, h.holding_id LIMIT ?7")    \
    X(HOLDING_BLOCK_PUT, "INSERT INTO holding_block VALUES (?, ?, ?, ?) "                          \
        "ON CONFLICT (peer_id, consent_id, block) DO UPDATE "                                      \
        "SET keep_until_ms = excluded.keep_until_ms "                                              \
        "WHERE excluded.keep_until_ms < keep_until_ms")                                            \
    X(HOLDING_BLOCK_SETTLE, "UPDATE holding_block SET keep_until_ms = "                            \
        HOLDING_BLOCK_NEXT("holding_block") " FROM (SELECT peer_id AS peer, consent_id AS consent, "   \
        "block AS due FROM holding_block WHERE keep_until_ms <= ? "                                \
        "AND keep_until_ms < 9223372036854775807 ORDER BY keep_until_ms LIMIT 32) "                \
        "WHERE peer_id = peer AND consent_id = consent AND block = due")                           \
    X(HOLDING_BLOCK_PEER, "UPDATE holding_block SET keep_until_ms = "                              \
        HOLDING_BLOCK_NEXT("holding_block") " WHERE peer_id = ?")                                  \
    X(HOLDING_RANGE, "SELECT " HOLDING_COLUMNS " FROM holding WHERE peer_id = ? "                  \
        "AND (subject_id, holding_id) > (?, ?) AND subject_id <= ? "                               \
        "ORDER BY subject_id, holding_id LIMIT ?")                                                 \
    X(HOLDING_TO_ERASE, "SELECT " HOLDING_COLUMNS " FROM holding WHERE state = 2 "                 \
        "AND (reasons & ?) <> 0 ORDER BY holding_id LIMIT ?")                                      \
    X(HOLDING_EXPIRING, "SELECT " HOLDING_COLUMNS_OF_H " FROM holding_block b "                    \
        "CROSS JOIN holding h ON h.holding_id >= b.block << 8 "                                    \
        "AND h.holding_id < (b.block + 1) << 8 WHERE b.keep_until_ms < 9223372036854775807 "       \
        "AND b.keep_until_ms <= ?1 AND +h.consent_id = b.consent_id AND +h.state = 1 "             \
        "AND h.keep_until_ms < 9223372036854775807 AND h.keep_until_ms <= ?1 "                     \
        "ORDER BY b.keep_until_ms LIMIT ?2")                                                       \
    X(HOLDING_EARLY, "SELECT " HOLDING_COLUMNS " FROM holding WHERE state = 2 "                    \
        "AND (reasons & 8) <> 0 AND keep_until_ms > ? ORDER BY keep_until_ms LIMIT ?")             \
    X(HOLDING_NEXT_EXPIRY, "SELECT keep_until_ms FROM holding_block "                              \
        "WHERE keep_until_ms < 9223372036854775807 ORDER BY keep_until_ms LIMIT 1")                  \
    X(HOLDING_LOCK_PEER, "UPDATE holding SET state = 2, reasons = reasons | ?2 "                   \
        "WHERE peer_id = ?1 AND state IN (1, 2)")                                                  \
    X(HOLDING_UNLOCK_PEER, "UPDATE holding SET reasons = reasons & ~?2, "                          \
        "state = CASE reasons & ~?2 WHEN 0 THEN 1 ELSE 2 END WHERE peer_id = ?1 AND state = 2")    \
    X(TERMS_PUT, "INSERT OR REPLACE INTO received_terms (" TERMS_COLUMNS ") "                      \
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")                                             \
    X(TERMS_GET, "SELECT " TERMS_COLUMNS " FROM received_terms WHERE peer_id = ? "                 \
        "AND consent_id = ?")                                                                      \
    X(TERMS_LIST, "SELECT " TERMS_COLUMNS " FROM received_terms WHERE (?1 = 0 OR peer_id = ?1) "   \
        "AND (peer_id, consent_id) > (?2, ?3) ORDER BY peer_id, consent_id LIMIT ?4")              \
    X(TERMS_EXPIRING, "SELECT " TERMS_COLUMNS " FROM received_terms WHERE state = ? "              \
        "AND valid_until_ms <= ? ORDER BY valid_until_ms LIMIT ?")                                 \
    X(TERMS_EARLY, "SELECT " TERMS_COLUMNS " FROM received_terms WHERE state = ? "                 \
        "AND valid_until_ms > ? AND by_clock = 1 ORDER BY valid_until_ms LIMIT ?")                 \
    X(TERMS_NEXT_EXPIRY, "SELECT valid_until_ms FROM received_terms WHERE state = ? "              \
        "ORDER BY valid_until_ms LIMIT 1")                                                         \
                                                                                                   \
    X(JOURNAL_HEAD, "SELECT origin, epoch, size, root, frontier, rolled_back FROM journal_head")   \
    X(JOURNAL_SET_HEAD, "UPDATE journal_head SET origin = ?, epoch = ?, size = ?, root = ?, "      \
        "frontier = ?, rolled_back = ?")                                                           \
    X(JOURNAL_ADD, "INSERT INTO journal (epoch, number, leaf) VALUES (?, ?, ?)")                   \
    X(JOURNAL_GET, "SELECT leaf FROM journal WHERE epoch = ? AND number = ?")                      \
    X(ALARM_RAISE, "INSERT INTO alarm (kind, peer, text, opened_ms, last_ms, closed_ms, "          \
        "closed_by, times) VALUES (?1, ?2, ?3, ?4, ?4, 0, 0, 1) ON CONFLICT (kind, peer) "         \
        "WHERE closed_ms = 0 DO UPDATE SET text = excluded.text, last_ms = excluded.last_ms, "     \
        "times = times + 1 RETURNING alarm_id")                                                    \
    X(ALARM_CLOSE, "UPDATE alarm SET closed_ms = ?, closed_by = ? WHERE alarm_id = ? "             \
        "AND closed_ms = 0")                                                                       \
    X(ALARM_LIST, "SELECT " ALARM_COLUMNS " FROM alarm WHERE (?1 = 0 OR closed_ms = 0) "           \
        "AND alarm_id > ?2 ORDER BY alarm_id LIMIT ?3")

enum statement_id {
#define X(name, text) STATEMENT_##name,
    STATEMENTS
#undef X
    STATEMENT_COUNT
};
/* clang-format on */

#endif
