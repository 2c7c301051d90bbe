/* Names of logs and of cosigners.
 *
 *   comity.v1/<realm>/feed/<publisher>/<subscriber>/<epoch>   a feed, and its signing key
 *   comity.v1/<realm>/journal/<code>/<epoch>                  a journal, and its signing key
 *   comity.v1/<realm>/receipt/<code>                          the key that cosigns feeds
 *   comity.v1/<realm>/witness/<code>                          the key that cosigns journals
 *
 * An epoch is 64 random bits, 16 lower-case hex digits.
 */
#ifndef COMITY_LOG_ORIGIN_H
#define COMITY_LOG_ORIGIN_H

#include "base/id.h"
#include "base/span.h"

enum origin_kind { ORIGIN_FEED, ORIGIN_JOURNAL, ORIGIN_RECEIPT, ORIGIN_WITNESS };

enum { ORIGIN_TEXT_SIZE = 96 }; /* 10 + 16 + 6 + 12 + 1 + 12 + 1 + 16 and the NUL, with room */

struct origin {
    enum origin_kind kind;
    struct realm realm;
    struct code code;       /* the publisher, the journal's node, or the cosigner */
    struct code subscriber; /* feeds only */
    uint64_t epoch;         /* feeds and journals only */
};

void origin_format(const struct origin *origin, char text[static ORIGIN_TEXT_SIZE]);
MUST_CHECK enum status origin_parse(struct span text, struct origin *ret_origin, struct error *err);

/* The usual ones in one call. */
void origin_feed(const struct realm *realm,
                 const struct code *publisher,
                 const struct code *subscriber,
                 uint64_t epoch,
                 char text[static ORIGIN_TEXT_SIZE]);
void origin_journal(const struct realm *realm,
                    const struct code *code,
                    uint64_t epoch,
                    char text[static ORIGIN_TEXT_SIZE]);
void origin_receipt(const struct realm *realm,
                    const struct code *code,
                    char text[static ORIGIN_TEXT_SIZE]);
void origin_witness(const struct realm *realm,
                    const struct code *code,
                    char text[static ORIGIN_TEXT_SIZE]);

#endif
