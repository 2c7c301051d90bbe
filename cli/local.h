/* Commands that need no running daemon. */
#ifndef COMITY_CLI_LOCAL_H
#define COMITY_CLI_LOCAL_H

#include "cli/command.h"

command_fn init_run;    /* node init */
command_fn verify_run;  /* evidence verify */
command_fn restore_run; /* backup restore */
command_fn help_run;    /* help */

#endif
