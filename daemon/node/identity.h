/* Our own keys and certificates, read from the identity directory and checked against each other.
 *
 * anchor.crt · tls.crt tls.key · log.crt log.key · receipt.crt receipt.key · witness.crt
 * witness.key · crl.pem (may be missing) · card.pem.  While a key is being replaced, also
 * log.old.key or receipt.old.key: the one before, which goes on signing beside the new one
 * (certs/README.md, 6), and former-cards.pem: all the cards before, one behind the other.  The key
 * of the anchor does not belong there.
 */
#ifndef COMITY_NODE_IDENTITY_H
#define COMITY_NODE_IDENTITY_H

#include "base/id.h"
#include "crypto/sign.h"

struct identity {
    struct buf anchor;                   /* DER */
    struct buf certificates[ROLE_COUNT]; /* DER */
    struct private_key *keys[ROLE_COUNT];
    struct private_key *former_log_key, *former_receipt_key; /* NULL: none */
    struct buf crl;                                          /* DER, or empty */
    struct buf former_cards;                                 /* of the same anchor, or empty */
    struct buf card; /* for peers: card.pem, with the list of crl.pem */
};

/* Every message names the file and the next step. */
MUST_CHECK enum status identity_read(const char *directory,
                                     const struct realm *realm,
                                     const struct code *code,
                                     int64_t now_ms,
                                     struct identity *ret_identity,
                                     struct error *err);
/* Our own card, as it stands in card.pem. */
MUST_CHECK enum status identity_read_card(const char *directory,
                                          struct buf *ret_text,
                                          struct error *err);
void identity_fini(struct identity *identity);

#endif
