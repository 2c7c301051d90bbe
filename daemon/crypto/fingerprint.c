#include "crypto/fingerprint.h"

#include "crypto/certificate.h"
#include "crypto/digest.h"

#include <openssl/x509.h>
#include <string.h>

enum { GROUP = 5 };

static enum status hash(const struct realm *realm,
                        const struct code *code,
                        struct span key,
                        struct digest *ret_digest,
                        struct error *err)
{
    const struct span nul = { (const uint8_t *)"", 1 };
    const struct span parts[] = { SPAN_LITERAL("comity.v1/fingerprint"),
                                  nul,
                                  span_text(realm->text),
                                  nul,
                                  span_text(code->text),
                                  nul,
                                  key };
    return sha256_of(parts, sizeof(parts) / sizeof(parts[0]), ret_digest, err);
}

/* Long division of a big-endian number by ten, digit after digit from the right. */
static void to_decimal(struct digest number, char digits[static FINGERPRINT_DIGITS])
{
    for (int at = FINGERPRINT_DIGITS - 1; at >= 0; at--) {
        unsigned rest = 0;
        for (size_t i = 0; i < DIGEST_SIZE; i++) {
            unsigned part = rest << 8 | number.bytes[i];
            number.bytes[i] = (uint8_t)(part / 10);
            rest = part % 10;
        }
        digits[at] = (char)('0' + rest);
    }
}

enum status fingerprint_of(const struct realm *realm,
                           const struct code *code,
                           struct span anchor_der,
                           struct fingerprint *ret_fingerprint,
                           struct error *err)
{
    struct certificate *anchor = NULL;
    unsigned char *key = NULL;
    struct digest digest;
    enum status status = certificate_parse(anchor_der, &anchor, err);
    if (status != OK)
        return status;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate_native(anchor)), &key);
    if (size <= 0)
        status = error_set(err, ERR_INVALID, "the anchor's key could not be encoded");
    else
        status = hash(realm, code, span_of(key, (size_t)size), &digest, err);
    if (status == OK)
        to_decimal(digest, ret_fingerprint->digits);
    OPENSSL_free(key);
    certificate_free(anchor);
    return status;
}

void fingerprint_format(const struct fingerprint *fingerprint,
                        char text[static FINGERPRINT_TEXT_SIZE])
{
    size_t at = 0;
    for (size_t i = 0; i < FINGERPRINT_DIGITS; i++) {
        if (i > 0 && i % GROUP == 0)
            text[at++] = ' ';
        text[at++] = fingerprint->digits[i];
    }
    text[at] = '\0';
}

enum status fingerprint_parse(const char *text,
                              struct fingerprint *ret_fingerprint,
                              struct error *err)
{
    struct fingerprint fingerprint;
    size_t count = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (strchr(" \t\r\n-.", *at) != NULL)
            continue;
        if (*at < '0' || *at > '9') {
            return error_set(err, ERR_INVALID,
                             "a fingerprint has digits only, in groups of five; character %zu is "
                             "none",
                             (size_t)(at - text) + 1);
        }
        if (count < FINGERPRINT_DIGITS)
            fingerprint.digits[count] = *at;
        count++;
    }
    if (count != FINGERPRINT_DIGITS) {
        return error_set(err, ERR_INVALID,
                         "a fingerprint has %d digits, twelve groups of five; these are %zu",
                         FINGERPRINT_DIGITS, count);
    }
    *ret_fingerprint = fingerprint;
    return OK;
}

uint16_t fingerprint_difference(const struct fingerprint *a, const struct fingerprint *b)
{
    uint16_t difference = 0;
    for (size_t i = 0; i < FINGERPRINT_DIGITS; i += GROUP) {
        bool same = span_equal_secret(span_of(a->digits + i, GROUP), span_of(b->digits + i, GROUP));
        difference = (uint16_t)(difference | (!same << (i / GROUP)));
    }
    return difference;
}

bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b)
{
    return fingerprint_difference(a, b) == 0;
}
