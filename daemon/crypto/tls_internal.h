/* What tls.c and tls_context.c share; for nobody else. */
#ifndef COMITY_CRYPTO_TLS_INTERNAL_H
#define COMITY_CRYPTO_TLS_INTERNAL_H

#include "crypto/tls.h"

#include <openssl/ssl.h>

struct tls_context {
    SSL_CTX *native;
    struct trust *trust;
    struct clock *clock;
};

struct tls {
    struct tls_context *context;
    SSL *native; /* its app data is this struct */
    enum tls_side side;
    enum tls_state state;
    struct error error;

    bool has_expected;
    struct code expected;
    struct trust_answer answer;
    struct buf peer_certificate;

    struct span lent; /* of tls_receive(), unread */
    struct buf kept;  /* read before lent */
    size_t kept_at;
    struct buf out;
    uint64_t handshake_bytes; /* received while HANDSHAKING */
    uint64_t records;         /* sent since the last change of keys */
};

/* Judges the peer by the context's trust; *answer, and what kind of peer was expected. */
void tls_context_judge(struct tls *tls, struct trust_answer *ret_answer);

#endif
