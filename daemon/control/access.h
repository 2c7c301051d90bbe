/* Who may do what: the lists `operators`, `approvers` and `auditors` of the configuration.
 *
 * An entry is a user name, a number (uid), or @group.  Names are looked up when somebody connects,
 * so that a person who left a group loses access at once.  A permit includes those below it:
 * auditors read, operators also prepare, approvers also approve (what widens anything still takes
 * two different uids).  A uid that is in no list gets PERMIT_NONE, root as well.
 */
#ifndef COMITY_CONTROL_ACCESS_H
#define COMITY_CONTROL_ACCESS_H

#include "base/span.h"

enum permit { PERMIT_NONE = 0, PERMIT_READ, PERMIT_PREPARE, PERMIT_APPROVE };
const char *permit_name(enum permit permit); /* "none", "auditor", "operator", "approver" */

enum { CALLER_NAME_SIZE = 64 };

/* Whoever is at the other end of the control socket, as the kernel says (SO_PEERCRED). */
struct caller {
    uint32_t uid;
    uint32_t gid;
    enum permit permit;
    char name[CALLER_NAME_SIZE]; /* login name, or the number */
};

struct access; /* the three lists */

MUST_CHECK enum status access_new(struct access **ret_access, struct error *err);
void access_free(struct access *access);
/* `list`: entries separated by blanks or commas.  A name that this system does not know is refused
 * here (ERR_NOT_FOUND), so that a typing error is found at the start. */
MUST_CHECK enum status access_add(struct access *access,
                                  enum permit permit,
                                  const char *list,
                                  struct error *err);
/* Fills name and permit from uid and gid; PERMIT_NONE when the person is in no list. */
void access_look_up(const struct access *access, struct caller *caller);

#endif
