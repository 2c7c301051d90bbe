/* Mutual TLS 1.3 over memory: ciphertext in, ciphertext out, no sockets (RFC 8446).
 *
 *   uv read ──▶ tls_receive ──▶ tls_read ──▶ frames        frames ──▶ tls_send ──▶ tls_pull ──▶ uv
 * write
 *
 *   HANDSHAKING ──▶ OPEN ──▶ CLOSED (close_notify, either way)
 *        └──────────┴──────▶ FAILED (tls_error() says why; tls_pull() may still hold the alert)
 *
 * After every call the owner takes tls_pull() and writes it.  A context and its connections belong
 * to one thread.  A client is OPEN before the server has judged its certificate: nothing
 * confidential may be sent before the peer's first authenticated frame.
 */
#ifndef COMITY_CRYPTO_TLS_H
#define COMITY_CRYPTO_TLS_H

#include "base/clock.h"
#include "base/span.h"
#include "crypto/sign.h"
#include "crypto/trust.h"

#define TLS_ALPN           "comity/1"
#define TLS_EXPORTER_HELLO "EXPORTER-comity-hello"

enum {
    TLS_RECORD_MAX = 16 * 1024,
    TLS_OUTPUT_MAX = 256 * 1024, /* ciphertext that waits for tls_pull() before tls_send() stops */
    TLS_CERTIFICATES_MAX = 16 * 1024
};

struct tls_context;
struct tls;

struct tls_identity {        /* borrowed for the call */
    struct span certificate; /* DER of our tls certificate */
    const struct private_key *key;
};

/* `clock` is kept; `trust` moves in. */
MUST_CHECK enum status tls_context_new(const struct tls_identity *identity,
                                       struct trust *trust,
                                       struct clock *clock,
                                       struct tls_context **ret_context,
                                       struct error *err);
/* All connections of it must be freed before. */
void tls_context_free(struct tls_context *context);
/* The old set is freed.  Live connections keep running until tls_recheck(). */
void tls_context_set_trust(struct tls_context *context, struct trust *trust);
/* For new connections; live ones keep what they showed. */
MUST_CHECK enum status tls_context_set_identity(struct tls_context *context,
                                                const struct tls_identity *identity,
                                                struct error *err);

enum tls_side { TLS_SERVER, TLS_CLIENT };
enum tls_state { TLS_HANDSHAKING, TLS_OPEN, TLS_CLOSED, TLS_FAILED };

/* `expected` NULL: any accepted peer.  A client has its first flight ready for tls_pull(). */
MUST_CHECK enum status tls_new(struct tls_context *context,
                               enum tls_side side,
                               const struct code *expected,
                               struct tls **ret_tls,
                               struct error *err);
void tls_free(struct tls *tls);

/* Takes ciphertext from the network and drives the handshake.  The bytes are borrowed until
 * tls_read() has given 0 or tls_settle() was called; call one of them before the memory goes. */
MUST_CHECK enum status tls_receive(struct tls *tls, struct span ciphertext, struct error *err);
/* Up to `size` bytes of plain text, fewer only when more ciphertext is needed.  0 bytes: nothing
 * now; look at tls_state() to learn whether the peer has closed. */
MUST_CHECK enum status tls_read(
    struct tls *tls, void *room, size_t size, size_t *ret_size, struct error *err);
/* Ends the loan of tls_receive() early (backpressure): copies what is unread, so that tls_read()
 * can go on later. */
MUST_CHECK enum status tls_settle(struct tls *tls, struct error *err);

/* Takes as much as fits under TLS_OUTPUT_MAX of waiting ciphertext: `*ret_taken` may be less than
 * asked, also 0; pull, write, then offer the rest.  ERR_WRONG_STATE unless OPEN.  Few large calls
 * make large records. */
MUST_CHECK enum status tls_send(struct tls *tls,
                                struct span plain,
                                size_t *ret_taken,
                                struct error *err);
/* Moves all waiting ciphertext out; an empty buf when there is none. */
struct buf tls_pull(struct tls *tls);
size_t tls_pending(const struct tls *tls); /* bytes that tls_pull() would give */

/* Queues close_notify; the state is CLOSED.  Idempotent. */
void tls_shutdown(struct tls *tls);

enum tls_state tls_state(const struct tls *tls);
const char *tls_state_name(enum tls_state state);
const struct error *tls_error(const struct tls *tls); /* of FAILED; status OK otherwise */

/* Who is there.  `answer.verdict` says more than the state: VERDICT_UNKNOWN_NODE (FAILED, pending),
 * VERDICT_RECALLS_ONLY (OPEN, but only recalls may pass).  Before the peer's certificate was seen
 * the verdict is VERDICT_NO_CERTIFICATE. */
const struct trust_answer *tls_peer(const struct tls *tls);
struct span tls_peer_certificate(const struct tls *tls); /* DER, borrowed; empty before */
/* Judges the peer again by the context's present trust and clock (every RECHECK_CERTIFICATE_MS).
 * On refusal the state is FAILED and the status is the reason's; close the connection. */
MUST_CHECK enum status tls_recheck(struct tls *tls, struct error *err);

/* RFC 8446 section 7.5, no context value. */
MUST_CHECK enum status tls_exporter(
    struct tls *tls, const char *label, uint8_t *ret_bytes, size_t size, struct error *err);

#endif
