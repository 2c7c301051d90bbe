/* Tables consent, consent_record, consent_recipient, consent_event: our own consents.
 *
 * States and forms are the numbers of the consent layer; the store compares them only for equality.
 */
#ifndef COMITY_STORE_CONSENT_ROWS_H
#define COMITY_STORE_CONSENT_ROWS_H

#include "store/store.h"

enum { CONSENT_EVENT_TEXT_MAX = 400 };

struct consent_row {
    struct id consent_id;
    uint8_t state;
    struct id supersedes;                          /* the consent that this one replaces, or none */
    struct digest digest;                          /* of the preview; zeros in a draft */
    struct digest nonce;                           /* secret nonce of the preview */
    uint32_t created_by, proposed_by, approved_by; /* uids */
    int64_t created_ms, proposed_ms, approved_ms, ended_ms;
    int64_t valid_from_ms, valid_until_ms; /* for the timers; the terms say the same */
};

/* `terms` as the consent layer encodes them. */
MUST_CHECK enum status consent_rows_add(struct store *store,
                                        const struct consent_row *row,
                                        struct span terms,
                                        struct error *err);
/* All fields but the id; terms NULL keeps them. */
MUST_CHECK enum status consent_rows_update(struct store *store,
                                           const struct consent_row *row,
                                           const struct span *terms,
                                           struct error *err);
MUST_CHECK enum status consent_rows_get(struct store *store,
                                        const struct id *consent_id,
                                        struct consent_row *ret_row,
                                        struct error *err);
/* Appends. */
MUST_CHECK enum status consent_rows_terms(struct store *store,
                                          const struct id *consent_id,
                                          struct buf *ret_terms,
                                          struct error *err);
/* The preview as it was last shown (consent/preview.h), so that an approver can be told what has
 * changed since.  It holds titles: sealed, with a key of the consent's group.  Setting replaces;
 * the empty span removes.  Getting appends (mark *ret_preview secret); ERR_NOT_FOUND: none. */
MUST_CHECK enum status consent_rows_set_preview(struct store *store,
                                                const struct id *consent_id,
                                                struct span preview,
                                                struct error *err);
MUST_CHECK enum status consent_rows_get_preview(struct store *store,
                                                const struct id *consent_id,
                                                struct buf *ret_preview,
                                                struct error *err);
/* As record_rows_find. */
MUST_CHECK enum status consent_rows_find(struct store *store,
                                         const char *prefix,
                                         struct consent_row *ret_row,
                                         struct error *err);
/* In the order of ids; state 0: all; after NULL starts. */
MUST_CHECK enum status consent_rows_list(struct store *store,
                                         uint8_t state,
                                         const struct id *after,
                                         struct consent_row *ret_rows,
                                         size_t max,
                                         size_t *ret_count,
                                         struct error *err);
/* The consents in `state` (0: all) that list this record and this recipient, by id. */
MUST_CHECK enum status consent_rows_covering(struct store *store,
                                             const struct id *record_id,
                                             const struct code *recipient,
                                             uint8_t state,
                                             const struct id *after,
                                             struct id *ret_ids,
                                             size_t max,
                                             size_t *ret_count,
                                             struct error *err);
/* Consents in `state` with valid_until_ms <= until_ms, by time. */
MUST_CHECK enum status consent_rows_expiring(struct store *store,
                                             uint8_t state,
                                             int64_t until_ms,
                                             struct id *ret_ids,
                                             size_t max,
                                             size_t *ret_count,
                                             struct error *err);
/* The earliest valid_until_ms in `state`; INT64_MAX when there is none. */
MUST_CHECK enum status consent_rows_next_expiry(struct store *store,
                                                uint8_t state,
                                                int64_t *ret_ms,
                                                struct error *err);

struct consent_record_row {
    struct id record_id;
    uint32_t version;
    uint8_t form;
};
/* Adding the same record again replaces version and form. */
MUST_CHECK enum status consent_rows_add_record(struct store *store,
                                               const struct id *consent_id,
                                               const struct consent_record_row *row,
                                               struct error *err);
MUST_CHECK enum status consent_rows_remove_record(struct store *store,
                                                  const struct id *consent_id,
                                                  const struct id *record_id,
                                                  struct error *err);
/* By record id. */
MUST_CHECK enum status consent_rows_records(struct store *store,
                                            const struct id *consent_id,
                                            const struct id *after,
                                            struct consent_record_row *ret_rows,
                                            size_t max,
                                            size_t *ret_count,
                                            struct error *err);

struct consent_recipient_row {
    struct code code;
    struct digest anchor; /* peer_row.anchor_digest when it was previewed: bound for good */
};
MUST_CHECK enum status consent_rows_add_recipient(struct store *store,
                                                  const struct id *consent_id,
                                                  const struct consent_recipient_row *row,
                                                  struct error *err);
/* By code; at most CONSENT_RECIPIENTS_MAX exist. */
MUST_CHECK enum status consent_rows_recipients(struct store *store,
                                               const struct id *consent_id,
                                               struct consent_recipient_row *ret_rows,
                                               size_t max,
                                               size_t *ret_count,
                                               struct error *err);

struct consent_event_row {
    uint32_t sequence; /* from 1; set by the store */
    int64_t time_ms;
    uint32_t uid;
    uint8_t from_state, to_state;
    char text[CONSENT_EVENT_TEXT_MAX + 1]; /* what was done and why, in words */
};
MUST_CHECK enum status consent_rows_add_event(struct store *store,
                                              const struct id *consent_id,
                                              const struct consent_event_row *row,
                                              struct error *err);
MUST_CHECK enum status consent_rows_events(struct store *store,
                                           const struct id *consent_id,
                                           uint32_t after,
                                           struct consent_event_row *ret_rows,
                                           size_t max,
                                           size_t *ret_count,
                                           struct error *err);

#endif
