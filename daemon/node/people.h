/* Lists of users and groups, as the configuration names them: resolved to numbers once.
 *
 * "ana 1002 @comity-operator @1500": user names, numeric uids, groups after an @; separated by
 * blanks or commas.
 */
#ifndef COMITY_NODE_PEOPLE_H
#define COMITY_NODE_PEOPLE_H

#include "base/span.h"

#include <sys/types.h>

enum { PEOPLE_MAX = 64 };

struct people {
    uid_t *uids;
    size_t uid_count;
    gid_t *gids;
    size_t gid_count;
};

/* ERR_NOT_FOUND names the user or group that this system does not know. */
MUST_CHECK enum status people_parse(const char *list, struct people *ret_people, struct error *err);
void people_fini(struct people *people);
/* The user with this uid and these groups is on the list. */
bool people_include(const struct people *people, uid_t uid, const gid_t *groups, size_t count);

#endif
