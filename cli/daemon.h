/* Runs comityd once, for what only it can do to a database that nobody has open. */
#ifndef COMITY_CLI_DAEMON_H
#define COMITY_CLI_DAEMON_H

#include "base/status.h"

/* comityd --config CONFIG OPTION [VALUE], waited for; value may be NULL.  Its messages go to
 * standard error. */
MUST_CHECK enum status daemon_run(const char *config,
                                  const char *option,
                                  const char *value,
                                  struct error *err);

#endif
