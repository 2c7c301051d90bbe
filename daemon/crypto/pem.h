/* PEM (RFC 7468), strictly: one label, base64 in lines of at most 76, nothing else inside.
 *
 * Line ends may be LF or CRLF and blank lines may stand between blocks, because cards travel by
 * mail; anything else outside a block is the caller's to read or to refuse.
 */
#ifndef COMITY_CRYPTO_PEM_H
#define COMITY_CRYPTO_PEM_H

#include "base/span.h"

#define PEM_CERTIFICATE "CERTIFICATE"
#define PEM_CRL         "X509 CRL"

MUST_CHECK enum status pem_encode(const char *label,
                                  struct span der,
                                  struct buf *append_to,
                                  struct error *err);

/* A line of *rest without its end, which is taken off; false when nothing is left. */
bool pem_line(struct span *rest, struct span *ret_line);
/* `begin` is a line "-----BEGIN ...-----" that pem_line() gave: reads the block from *rest up to
 * and with its END line.  ret_label has room for PEM_LABEL_MAX + 1. */
enum { PEM_LABEL_MAX = 31 };
bool pem_is_begin(struct span line);
MUST_CHECK enum status pem_block(struct span begin,
                                 struct span *rest,
                                 char ret_label[static PEM_LABEL_MAX + 1],
                                 struct buf *ret_der,
                                 struct error *err);
/* The text must hold exactly one block, of this label, and nothing else. */
MUST_CHECK enum status pem_decode(const char *label,
                                  struct span text,
                                  struct buf *ret_der,
                                  struct error *err);
/* The same from a file of at most CARD_MAX bytes; errors begin with the path. */
MUST_CHECK enum status pem_read(const char *label,
                                const char *path,
                                struct buf *ret_der,
                                struct error *err);

#endif
