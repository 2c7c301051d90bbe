/* The fingerprint of a node: what two officials read to each other over the telephone.
 *
 * Comparisons take constant time.
 */
#ifndef COMITY_CRYPTO_FINGERPRINT_H
#define COMITY_CRYPTO_FINGERPRINT_H

#include "base/id.h"

/* The fingerprint of a code and its anchor key: twelve groups of five digits, which can be read
 * over a telephone in any language.
 *   N = SHA-256("comity.v1/fingerprint" || 0x00 || realm || 0x00 || code || 0x00 || SPKI of anchor)
 * as a big-endian number; the fingerprint is N mod 10^60, 199 bits, written with leading zeros. */
enum { FINGERPRINT_DIGITS = 60, FINGERPRINT_TEXT_SIZE = 72 };
struct fingerprint {
    char digits[FINGERPRINT_DIGITS]; /* '0'-'9', no NUL */
};
MUST_CHECK enum status fingerprint_of(const struct realm *realm,
                                      const struct code *code,
                                      struct span anchor_der,
                                      struct fingerprint *ret_fingerprint,
                                      struct error *err);
/* "12345 67890 ..." */
void fingerprint_format(const struct fingerprint *fingerprint,
                        char text[static FINGERPRINT_TEXT_SIZE]);
/* Blanks, hyphens, dots and line ends between digits are ignored; all 60 digits must be there. */
MUST_CHECK enum status fingerprint_parse(const char *text,
                                         struct fingerprint *ret_fingerprint,
                                         struct error *err);
bool fingerprint_equal(const struct fingerprint *a, const struct fingerprint *b);
/* Bit i is set when group i + 1 differs, so that a person can be told which one to read again. */
uint16_t fingerprint_difference(const struct fingerprint *a, const struct fingerprint *b);

#endif
