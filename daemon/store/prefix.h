/* Ids as people type them: any unique beginning of at least 6 hex digits (base/id.h). */
#ifndef COMITY_STORE_PREFIX_H
#define COMITY_STORE_PREFIX_H

#include "base/id.h"

/* The first and the last id that begin with `prefix`.  ERR_INVALID: too short, too long, no hex. */
MUST_CHECK enum status prefix_range(const char *prefix,
                                    struct id *ret_first,
                                    struct id *ret_last,
                                    struct error *err);
#endif
