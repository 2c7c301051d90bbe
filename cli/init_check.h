/* Values of `node init` that only this system can judge, before anything is made. */
#ifndef COMITY_CLI_INIT_CHECK_H
#define COMITY_CLI_INIT_CHECK_H

#include "base/status.h"

/* Users, numeric uids and @groups of this system, separated by blanks, as comityd reads them. */
MUST_CHECK enum status init_check_people(const char *list, struct error *err);
/* A directory that may be made, or one that is there. */
MUST_CHECK enum status init_check_directory(const char *path, struct error *err);

#endif
