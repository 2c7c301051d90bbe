/* What a State may share: the two kinds of record, and how their bytes are recognised.
 *
 * The words of this layer:
 *   excerpt    a piece of review material about one article of one instrument (excerpt.h)
 *   release    a snapshot of statistics: one dataset, one period, one source (release.h)
 *   structure  which dimensions, attributes and code lists the figures of a dataset have
 *   catalogue  instruments, articles, clusters, areas: facts, from data/catalogue
 *   problem    one thing wrong with a file, with its place and the rule that it breaks
 *
 * Everything here is pure: no clock, no disk, no network, no logging.
 */
#ifndef COMITY_RECORD_RECORD_H
#define COMITY_RECORD_RECORD_H

#include "base/id.h"
#include "base/span.h"

struct release_codec; /* release.h */

/* Stored in the database and sent in entries: never renumber. */
enum record_kind { RECORD_EXCERPT = 1, RECORD_RELEASE = 2 };

const char *record_kind_name(enum record_kind kind); /* "excerpt", "release", or "?" */
bool record_kind_parse(const char *name, enum record_kind *ret_kind);
/* Decodes and checks `bytes` as a record of that kind that `publisher` may give, and keeps nothing:
 * what a receiver does before it accepts a body.  The error quotes nothing out of the record, since
 * it becomes an answer in the clear.  ERR_INVALID, ERR_LIMIT, ERR_UNSUPPORTED, ERR_MEMORY;
 * ERR_DENIED when its figures are about an area that is not the publisher's.  `codec` (release.h)
 * may be NULL. */
MUST_CHECK enum status record_check(struct release_codec *codec,
                                    enum record_kind kind,
                                    struct span bytes,
                                    const struct code *publisher,
                                    struct error *err);

#endif
