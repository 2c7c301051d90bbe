/* Two States, two contexts and a pair of ends in memory that talk to each other. */
#ifndef COMITY_TESTS_SUPPORT_TLS_LINK_H
#define COMITY_TESTS_SUPPORT_TLS_LINK_H

#include "base/clock.h"
#include "crypto/tls.h"
#include "support/pki.h"

/* What `self` trusts: that peer, or nobody when it is NULL. */
struct trust *tls_link_trust(const struct pki_state *self, const struct pki_state *peer);
struct tls_context *tls_link_context(const struct pki_state *self,
                                     const struct pki_state *peer,
                                     struct clock *clock);

struct tls_link {
    struct tls_context *contexts[2]; /* by enum tls_side */
    struct tls *ends[2];
};

void tls_link_open(struct tls_link *link, const struct code *expected);
/* Carries what one end has written to the other; what comes out of it goes to *got (may be NULL).
 * False when there was nothing. */
bool tls_link_carry(struct tls *from, struct tls *to, struct buf *got);
void tls_link_shake(struct tls_link *link); /* until nothing moves */
void tls_link_close(struct tls_link *link);

#endif
