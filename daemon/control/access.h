/* Who is at the other end of the control socket, and what that person may do.
 *
 * The uid is what the kernel says (SO_PEERCRED); the permit follows from the lists `auditors`,
 * `operators` and `approvers` of the configuration, looked up when somebody connects, so that a
 * person who left a group loses access at once.  A permit includes those below it: auditors read,
 * operators also prepare, approvers also approve (what widens anything still takes two different
 * uids).  A uid that is in no list gets PERMIT_NONE, root as well.
 */
#ifndef COMITY_CONTROL_ACCESS_H
#define COMITY_CONTROL_ACCESS_H

#include "base/span.h"

enum permit { PERMIT_NONE = 0, PERMIT_READ, PERMIT_PREPARE, PERMIT_APPROVE };
const char *permit_name(enum permit permit); /* "nobody", "auditor", "operator", "approver" */

enum { CALLER_NAME_SIZE = 64 };

struct caller {
    uint32_t uid;
    uint32_t gid;
    enum permit permit;
    char name[CALLER_NAME_SIZE]; /* login name, or the number */
};

#endif
