/* Table peer: the nodes that this one knows, and how far it trusts them. */
#ifndef COMITY_STORE_PEER_ROWS_H
#define COMITY_STORE_PEER_ROWS_H

#include "base/limits.h"
#include "crypto/sign.h"
#include "store/store.h"

/* added ──accept (another person)──▶ accepted ⇄ blocked;  any ──▶ forgotten;  a stranger: pending
 */
enum peer_state {
    PEER_PENDING = 1, /* called in, was refused, nobody added its card */
    PEER_ADDED = 2,
    PEER_ACCEPTED = 3,
    PEER_BLOCKED = 4,
    PEER_FORGOTTEN = 5 /* row kept for what the feeds say, never spoken to */
};
const char *peer_state_name(enum peer_state state);

enum { PEER_ADDRESS_MAX = 300, PEER_BOOT_ID_SIZE = 16 };

struct peer_row {
    int64_t peer_id; /* 0 in a row that is to be added */
    struct code code;
    struct realm realm;
    enum peer_state state;
    bool held;                          /* an operator's hold: nothing but recalls */
    struct digest fingerprint;          /* over code and anchor key, as a person compares */
    struct digest anchor_digest;        /* SHA-256 of the anchor's DER: consents bind it */
    char name[NAME_MAX_BYTES + 1];      /* from the card */
    char address[PEER_ADDRESS_MAX + 1]; /* host:port to dial, or empty */
    struct public_key log_key;          /* checks its checkpoints */
    struct public_key receipt_key;      /* checks its cosignatures */
    uint8_t boot_id[PEER_BOOT_ID_SIZE]; /* last seen in a Hello */
    uint32_t recoveries;                /* times that we recovered against it ... */
    int64_t recovered_ms;               /* ... the last one when */
    uint64_t crl_number;                /* 0: no CRL yet */
    int64_t crl_expires_ms;
    uint32_t added_by, accepted_by;            /* uids */
    int64_t added_ms, accepted_ms, contact_ms; /* contact: last authenticated Hello */
};

/* Sets ret_peer_id.  ERR_EXISTS when the code has a row (update that one). */
MUST_CHECK enum status peer_rows_add(struct store *store,
                                     const struct peer_row *row,
                                     int64_t *ret_peer_id,
                                     struct error *err);
/* All fields but peer_id and code. */
MUST_CHECK enum status peer_rows_update(struct store *store,
                                        const struct peer_row *row,
                                        struct error *err);
MUST_CHECK enum status peer_rows_get(struct store *store,
                                     const struct code *code,
                                     struct peer_row *ret_row,
                                     struct error *err);
MUST_CHECK enum status peer_rows_get_id(struct store *store,
                                        int64_t peer_id,
                                        struct peer_row *ret_row,
                                        struct error *err);
/* In the order of their codes; `after` NULL starts. */
MUST_CHECK enum status peer_rows_list(struct store *store,
                                      const struct code *after,
                                      struct peer_row *ret_rows,
                                      size_t max,
                                      size_t *ret_count,
                                      struct error *err);

/* The larger pieces of a peer, each of which may be missing (empty buf). */
enum peer_file {
    PEER_ANCHOR_DER = 1,
    PEER_CARD_PEM = 2,
    PEER_CRL_DER = 3,
    PEER_CARD_NEXT = 4 /* added for an accepted peer; waits for a second person */
};
MUST_CHECK enum status peer_rows_set_file(struct store *store,
                                          int64_t peer_id,
                                          enum peer_file file,
                                          struct span bytes,
                                          struct error *err);
MUST_CHECK enum status peer_rows_get_file(struct store *store,
                                          int64_t peer_id,
                                          enum peer_file file,
                                          struct buf *ret_bytes,
                                          struct error *err);

#endif
