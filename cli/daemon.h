/* Runs comityd once, for what only it can do to a database that nobody has open. */
#ifndef COMITY_CLI_DAEMON_H
#define COMITY_CLI_DAEMON_H

#include "base/status.h"

/* comityd --config CONFIG OPTION [VALUE], waited for; value may be NULL.  What goes wrong it says
 * on standard error; its standard output is dropped. */
MUST_CHECK enum status daemon_run(const char *config,
                                  const char *option,
                                  const char *value,
                                  struct error *err);

#endif
