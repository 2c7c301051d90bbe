#include "crypto/tls.h"

#include "base/memory.h"
#include "crypto/tls_internal.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <pthread.h>
#include <string.h>

enum {
    HANDSHAKE_BYTES_MAX = 2 * TLS_CERTIFICATES_MAX, /* received; an honest one has about 2 KiB */
    OUTPUT_HARD_MAX = TLS_OUTPUT_MAX + 64 * 1024,   /* records of the library's own: alerts */
    RECORD_OVERHEAD = 64                            /* header, tag, content type, room */
};
/* RFC 8446 section 5.5 allows AES-GCM 2^24.5 full records under one key. */
#define RECORDS_PER_KEY ((uint64_t)1 << 23)

/* The library's end of the memory: reads take what tls_receive() lent, writes go to `out`. */

static size_t take(struct span *from, char *to, size_t size)
{
    size_t taken = from->size < size ? from->size : size;
    if (taken > 0)
        memcpy(to, from->data, taken);
    *from = span_slice(*from, taken, SIZE_MAX);
    return taken;
}

static int bio_read(BIO *bio, char *to, size_t size, size_t *ret_size)
{
    struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    struct span kept = span_slice(buf_span(&tls->kept), tls->kept_at, SIZE_MAX);
    size_t got = take(&kept, to, size);
    tls->kept_at += got;
    if (tls->kept_at == tls->kept.size) { /* an idle connection keeps no memory */
        buf_fini(&tls->kept);
        tls->kept_at = 0;
    }
    got += take(&tls->lent, to + got, size - got);
    *ret_size = got;
    if (got == 0)
        BIO_set_retry_read(bio);
    return got > 0;
}

static int bio_write(BIO *bio, const char *from, size_t size, size_t *ret_size)
{
    struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (size > OUTPUT_HARD_MAX - tls->out.size ||
        buf_append(&tls->out, span_of(from, size), NULL) != OK)
        return 0;
    *ret_size = size;
    return 1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *method;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "comity memory");
    if (method != NULL && (BIO_meth_set_read_ex(method, bio_read) != 1 ||
                           BIO_meth_set_write_ex(method, bio_write) != 1 ||
                           BIO_meth_set_ctrl(method, bio_control) != 1 ||
                           BIO_meth_set_create(method, bio_create) != 1)) {
        BIO_meth_free(method);
        method = NULL;
    }
}

static bool attach(struct tls *tls)
{
    pthread_once(&once, make_method);
    tls->native = method == NULL ? NULL : SSL_new(tls->context->native);
    BIO *bio = tls->native == NULL ? NULL : BIO_new(method);
    if (bio == NULL)
        return false;
    BIO_set_data(bio, tls);
    SSL_set_bio(tls->native, bio, bio);
    SSL_set_app_data(tls->native, tls);
    if (tls->side == TLS_SERVER)
        SSL_set_accept_state(tls->native);
    else
        SSL_set_connect_state(tls->native);
    return true;
}

/* Failing. */

static void fail(struct tls *tls, const struct error *error)
{
    tls->state = TLS_FAILED;
    tls->error = *error;
    tls->lent = SPAN_EMPTY;
    buf_fini(&tls->kept);
    tls->kept_at = 0;
}

static void fail_protocol(struct tls *tls, const char *what)
{
    struct error error = ERROR_INIT;
    tls->answer.verdict = verdict_set(VERDICT_WRONG_PROTOCOL, &error, "%s", what);
    tls->answer.reason = error;
    fail(tls, &error);
}

/* An alert that the peer sent, and what it means here. */
static void fail_alert(struct tls *tls, int alert)
{
    struct error error = ERROR_INIT;
    if (alert == SSL_AD_PROTOCOL_VERSION) {
        fail_protocol(tls, "the other end does not speak TLS 1.3");
        return;
    }
    if (alert == SSL_AD_NO_APPLICATION_PROTOCOL) {
        fail_protocol(tls, "the other end does not speak " TLS_ALPN " (ALPN)");
        return;
    }
    const char *next =
        alert == SSL_AD_UNKNOWN_CA ? "; next: ask its administrators to accept our card" : "";
    error_set(&error, ERR_DENIED, "the other end refused us: %s%s",
              SSL_alert_desc_string_long(alert), next);
    fail(tls, &error);
}

/* What the library's error queue means in our words. */
static void fail_library(struct tls *tls)
{
    struct error error = ERROR_INIT;
    unsigned long code = ERR_peek_error();
    int reason = ERR_GET_REASON(code);
    bool from_tls = ERR_GET_LIB(code) == ERR_LIB_SSL;
    if (from_tls && reason > SSL_AD_REASON_OFFSET)
        fail_alert(tls, reason - SSL_AD_REASON_OFFSET);
    else if (from_tls && reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
        tls->answer.verdict =
            verdict_set(VERDICT_NO_CERTIFICATE, &error, "the other end showed no certificate");
        tls->answer.reason = error;
        fail(tls, &error);
    } else if (from_tls &&
               (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_WRONG_VERSION_NUMBER ||
                reason == SSL_R_VERSION_TOO_LOW || reason == SSL_R_HTTP_REQUEST)) {
        fail_protocol(tls, "the other end does not speak TLS 1.3");
    } else if (from_tls && reason == SSL_R_EXCESSIVE_MESSAGE_SIZE) {
        error_set(&error, ERR_LIMIT, "the other end's certificates have more than %d bytes",
                  TLS_CERTIFICATES_MAX);
        fail(tls, &error);
    } else {
        const char *text = ERR_reason_error_string(code);
        error_set(&error, ERR_INVALID, "TLS: %s", text == NULL ? "failed" : text);
        fail(tls, &error);
    }
}

/* After a call of the library that gave no success: waits, closes or fails. */
static void look_why(struct tls *tls, int result)
{
    int why = SSL_get_error(tls->native, result);
    if (why == SSL_ERROR_WANT_READ) {
        tls->lent = SPAN_EMPTY; /* it has been read to its end */
    } else if (why == SSL_ERROR_ZERO_RETURN) {
        SSL_shutdown(tls->native); /* answers with our own close_notify */
        tls->state = TLS_CLOSED;
        tls->lent = SPAN_EMPTY;
    } else if (tls->state == TLS_HANDSHAKING && tls->answer.reason.status != OK) {
        fail(tls, &tls->answer.reason);
    } else {
        fail_library(tls);
    }
    ERR_clear_error();
}

static bool alpn_agreed(const struct tls *tls)
{
    const unsigned char *name = NULL;
    unsigned size = 0;
    SSL_get0_alpn_selected(tls->native, &name, &size);
    return span_equal(span_of(name, size), SPAN_LITERAL(TLS_ALPN));
}

static void handshake(struct tls *tls)
{
    ERR_clear_error();
    int result = SSL_do_handshake(tls->native);
    if (result != 1)
        look_why(tls, result);
    else if (!alpn_agreed(tls))
        fail_protocol(tls, "the other end does not speak " TLS_ALPN " (ALPN)");
    else
        tls->state = TLS_OPEN;
    if (tls->state == TLS_HANDSHAKING && tls->handshake_bytes > HANDSHAKE_BYTES_MAX) {
        struct error error = ERROR_INIT;
        error_set(&error, ERR_LIMIT, "a handshake of %llu bytes and no end; %d are the most",
                  (unsigned long long)tls->handshake_bytes, HANDSHAKE_BYTES_MAX);
        fail(tls, &error);
    }
}

static enum status report(const struct tls *tls, struct error *err)
{
    if (tls->state != TLS_FAILED)
        return OK;
    return error_set(err, tls->error.status, "%s", tls->error.text);
}

/* The public face. */

enum status tls_new(struct tls_context *context,
                    enum tls_side side,
                    const struct code *expected,
                    struct tls **ret_tls,
                    struct error *err)
{
    struct tls *tls = mem_calloc(1, sizeof(*tls));
    if (tls == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a connection");
    tls->context = context;
    tls->side = side;
    tls->answer.verdict = VERDICT_NO_CERTIFICATE;
    if (expected != NULL) {
        tls->has_expected = true;
        tls->expected = *expected;
    }
    if (!attach(tls)) {
        ERR_clear_error();
        tls_free(tls);
        return error_set(err, ERR_MEMORY, "no memory for a TLS connection");
    }
    if (side == TLS_CLIENT)
        handshake(tls);
    enum status status = report(tls, err);
    if (status != OK) {
        tls_free(tls);
        return status;
    }
    *ret_tls = tls;
    return OK;
}

void tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->native);
    buf_fini(&tls->peer_certificate);
    buf_fini(&tls->kept);
    buf_fini(&tls->out);
    mem_free(tls);
}

enum status tls_receive(struct tls *tls, struct span ciphertext, struct error *err)
{
    enum status status = tls_settle(tls, err); /* an earlier loan that was not ended */
    if (status != OK)
        return status;
    if (tls->state == TLS_CLOSED || tls->state == TLS_FAILED)
        return report(tls, err);
    tls->lent = ciphertext;
    if (tls->state == TLS_HANDSHAKING) {
        tls->handshake_bytes += ciphertext.size;
        handshake(tls);
    }
    return report(tls, err);
}

enum status tls_settle(struct tls *tls, struct error *err)
{
    if (tls->lent.size == 0)
        return OK;
    enum status status = buf_append(&tls->kept, tls->lent, err);
    if (status == OK)
        tls->lent = SPAN_EMPTY;
    return status;
}

enum status tls_read(struct tls *tls, void *room, size_t size, size_t *ret_size, struct error *err)
{
    size_t done = 0;
    uint8_t *to = room;
    while (tls->state == TLS_OPEN && done < size) {
        size_t got = 0;
        ERR_clear_error();
        int result = SSL_read_ex(tls->native, to + done, size - done, &got);
        done += got;
        if (result != 1) {
            look_why(tls, result);
            break;
        }
    }
    if (done == 0 && tls->state == TLS_FAILED)
        return report(tls, err);
    *ret_size = done;
    return OK;
}

/* How much of `wanted` is taken now: all, or as many full records as fit. */
static size_t room_for(const struct tls *tls, size_t wanted)
{
    size_t room = tls->out.size < TLS_OUTPUT_MAX ? TLS_OUTPUT_MAX - tls->out.size : 0;
    return wanted <= room ? wanted : room / TLS_RECORD_MAX * TLS_RECORD_MAX;
}

enum status tls_send(struct tls *tls, struct span plain, size_t *ret_taken, struct error *err)
{
    if (tls->state == TLS_FAILED)
        return report(tls, err);
    if (tls->state != TLS_OPEN)
        return error_set(err, ERR_WRONG_STATE, "nothing can be sent while a connection is %s",
                         tls_state_name(tls->state));
    size_t size = room_for(tls, plain.size);
    size_t records = (size + TLS_RECORD_MAX - 1) / TLS_RECORD_MAX;
    enum status status = buf_reserve(&tls->out, size + records * RECORD_OVERHEAD, err);
    if (status != OK)
        return status;
    size_t done = 0;
    ERR_clear_error();
    if (tls->records >= RECORDS_PER_KEY &&
        SSL_key_update(tls->native, SSL_KEY_UPDATE_NOT_REQUESTED) == 1)
        tls->records = 0;
    tls->records += records;
    if (size > 0) {
        int result = SSL_write_ex(tls->native, plain.data, size, &done);
        if (result != 1)
            fail_library(tls);
        ERR_clear_error();
    }
    if (tls->state == TLS_FAILED)
        return report(tls, err);
    *ret_taken = done;
    return OK;
}

struct buf tls_pull(struct tls *tls)
{
    return buf_move(&tls->out);
}

size_t tls_pending(const struct tls *tls)
{
    return tls->out.size;
}

void tls_shutdown(struct tls *tls)
{
    if (tls->state == TLS_OPEN)
        SSL_shutdown(tls->native);
    ERR_clear_error();
    if (tls->state != TLS_FAILED)
        tls->state = TLS_CLOSED;
    tls->lent = SPAN_EMPTY;
}

enum tls_state tls_state(const struct tls *tls)
{
    return tls->state;
}

const char *tls_state_name(enum tls_state state)
{
    static const char *const names[] = { "handshaking", "open", "closed", "failed" };
    return (unsigned)state <= TLS_FAILED ? names[state] : "unknown";
}

const struct error *tls_error(const struct tls *tls)
{
    return &tls->error;
}

const struct trust_answer *tls_peer(const struct tls *tls)
{
    return &tls->answer;
}

struct span tls_peer_certificate(const struct tls *tls)
{
    return buf_span(&tls->peer_certificate);
}

enum status tls_recheck(struct tls *tls, struct error *err)
{
    if (tls->state != TLS_OPEN)
        return report(tls, err);
    tls_context_judge(tls, &tls->answer);
    if (verdict_allows(tls->answer.verdict))
        return OK;
    SSL_shutdown(tls->native);
    ERR_clear_error();
    fail(tls, &tls->answer.reason);
    return report(tls, err);
}

enum status tls_exporter(
    struct tls *tls, const char *label, uint8_t *ret_bytes, size_t size, struct error *err)
{
    if (tls->state != TLS_OPEN)
        return error_set(err, ERR_WRONG_STATE, "a connection that is %s has no exporter",
                         tls_state_name(tls->state));
    if (SSL_export_keying_material(tls->native, ret_bytes, size, label, strlen(label), NULL, 0,
                                   0) == 1)
        return OK;
    ERR_clear_error();
    return error_set(err, ERR_INTERNAL, "the TLS exporter failed in the library");
}
