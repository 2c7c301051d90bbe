/* The card: the one file that a node hands to others (docs/PROTOCOL.md, Identity).
 *
 *   Comity-Card: 1
 *   Comity-Realm: training
 *   Comity-Code: KE
 *   Comity-Name: Kenya
 *   Comity-Address: comity.example.go.ke:7400
 *
 *   anchor, tls, log, receipt, witness certificates in PEM, then the revocation list if there is
 * one
 *
 * Realm, code and keys are proved by the certificates once the fingerprint has been compared over a
 * channel that both sides trust.  Name and address are what the sender says of itself.
 */
#ifndef COMITY_CRYPTO_CARD_H
#define COMITY_CRYPTO_CARD_H

#include "base/limits.h"
#include "crypto/certificate.h"
#include "crypto/crl.h"
#include "crypto/fingerprint.h"

enum {
    ADDRESS_MAX = 261, /* a host name of 253 bytes, ':' and a port; or [IPv6]:port */
    CARD_PROBLEMS_MAX = 16
};

struct card {
    struct realm realm;
    struct code code;
    char name[NAME_MAX_BYTES + 1]; /* UTF-8, no control characters */
    char address[ADDRESS_MAX + 1]; /* "host:port", or empty: this node only dials */
    struct buf anchor;             /* DER */
    struct buf roles[ROLE_COUNT];  /* DER, by enum role */
    struct buf crl;                /* DER, or empty */
};
void card_fini(struct card *card);

/* All that is wrong with a card, at once. */
struct card_problems {
    struct error items[CARD_PROBLEMS_MAX];
    size_t count; /* of items; more are not kept */
};

MUST_CHECK enum status card_encode(const struct card *card,
                                   struct buf *append_to,
                                   struct error *err);

/* Who reads the card, and when. */
struct card_rule {
    struct realm realm;
    struct code self;         /* a card of our own code is refused */
    bool accept_self;         /* ... unless this is set (a node checks its own card) */
    struct span known_anchor; /* DER of the anchor that we hold for that code, or empty */
    int64_t now_ms;
};
/* Reads and checks everything: syntax, roles, realm, code, chain, dates, list.  On failure
 * *ret_card is untouched, *problems (may be NULL) has all of them, *err the first with their count;
 * the status is that of the first. */
MUST_CHECK enum status card_read(struct span text,
                                 const struct card_rule *rule,
                                 struct card *ret_card,
                                 struct card_problems *problems,
                                 struct error *err);
/* Syntax only: every part is in its place and parses.  For reading back what was checked before. */
MUST_CHECK enum status card_decode(struct span text,
                                   struct card *ret_card,
                                   struct card_problems *problems,
                                   struct error *err);
/* The first of several cards that stand one behind the other in a text; *rest is what follows it.
 * Empty: there is no more.  What stands before a card belongs to it, and card_decode refuses it. */
struct span card_next(struct span *rest);
/* May something that was signed at `then_ms` under this role of a card be believed?  Judges the
 * anchor, that role's certificate and the list by that time, not by the present: evidence outlives
 * certificates.  `vouched`: somebody else's signature says when it was (of a log certificate: at
 * the latest, and not much earlier); otherwise a revocation counts whenever it came.  The error
 * says which rule is broken, and when. */
MUST_CHECK enum status card_check_signed(
    const struct card *card, enum role role, int64_t then_ms, bool vouched, struct error *err);
/* "host:port" with a port of 1-65535, or "[IPv6]:port". */
MUST_CHECK enum status card_check_address(const char *address, struct error *err);
/* 1 to NAME_MAX_BYTES of one line of text (base/text.h). */
MUST_CHECK enum status card_check_name(const char *name, struct error *err);

#endif
