/* Excerpts that would be made a second time.
 *
 * Two excerpts are the same when instrument, article, language, title and text are: whoever reads
 * them cannot tell them apart.  Importing one file twice would otherwise double all that stands in
 * it, and nothing would say so.
 */
#ifndef COMITY_ADMIN_REPEATS_H
#define COMITY_ADMIN_REPEATS_H

#include "admin/admin.h"
#include "record/excerpt.h"

/* What was read, and where: the excerpts of file i end before ends[i]. */
struct repeats {
    struct excerpt_list list; /* owned by the caller */
    size_t ends[REQUEST_FILES_MAX];
    size_t file_count;
};
/* Names to the reply every excerpt that stands earlier in the list, and every one that a current
 * record holds (all of them are opened, one after the other).  ERR_INVALID when there was one;
 * then nothing may be imported. */
MUST_CHECK enum status repeats_check(struct admin *admin,
                                     struct control_call *call,
                                     const struct repeats *repeats,
                                     struct error *err);
/* The current record that holds the same as this excerpt; ID_NONE when there is none. */
MUST_CHECK enum status repeats_find(struct admin *admin,
                                    const struct excerpt *excerpt,
                                    struct id *ret_here,
                                    struct error *err);

#endif
