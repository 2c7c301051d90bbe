/* Ids as people type them: any unique beginning of at least 6 hex digits (base/id.h). */
#ifndef COMITY_STORE_PREFIX_H
#define COMITY_STORE_PREFIX_H

#include "base/id.h"

/* The first and the last id that begin with `prefix`.  ERR_INVALID: too short, too long, no hex. */
MUST_CHECK enum status prefix_range(const char *prefix,
                                    struct id *ret_first,
                                    struct id *ret_last,
                                    struct error *err);
/* OK for one match; ERR_NOT_FOUND for none, ERR_CONFLICT for more. */
MUST_CHECK enum status prefix_one(size_t matches,
                                  const char *what,
                                  const char *prefix,
                                  struct error *err);

#endif
