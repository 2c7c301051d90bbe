/* The States whose anchors a node has accepted: what a handshake and a re-check are judged by.
 *
 * A set is immutable.  When peers change, a new one is made from the database and put in place of
 * the old one as a whole (tls_context_set_trust).  It belongs to one thread.
 */
#ifndef COMITY_CRYPTO_TRUST_H
#define COMITY_CRYPTO_TRUST_H

#include "base/id.h"
#include "crypto/verdict.h"

struct trust;

struct trust_node { /* borrowed by trust_new(), which copies */
    struct code code;
    struct span anchor; /* DER */
    struct span crl;    /* DER, or empty */
    bool blocked;
};

/* Fails on a malformed or duplicate node, naming it: the database holds only checked ones. */
MUST_CHECK enum status trust_new(const struct realm *realm,
                                 const struct code *self,
                                 const struct trust_node *nodes,
                                 size_t count,
                                 struct trust **ret_trust,
                                 struct error *err);
void trust_free(struct trust *trust);

struct trust_answer {
    enum verdict verdict;
    bool named; /* code is what the certificate says (proved only if the verdict allows) */
    struct code code;
    struct error reason; /* the sentence; also for VERDICT_CRL_OLD and VERDICT_RECALLS_ONLY */
};
/* VERDICT_UNKNOWN_NODE: a well-formed certificate of this realm and role, of no State in the set;
 * the connection is refused and the node is shown as pending. */
void trust_judge(const struct trust *trust,
                 struct span certificate_der,
                 enum role role,
                 int64_t now_ms,
                 struct trust_answer *ret_answer);

#endif
