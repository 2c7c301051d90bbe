/* Files that people name on the command line. */
#ifndef COMITY_CLI_FILE_H
#define COMITY_CLI_FILE_H

#include "base/span.h"

/* Appends the content of a regular file, or of standard input for "-".  Errors name path and rule:
 * missing, not readable, a directory, larger than `max`. */
MUST_CHECK enum status file_read(const char *path,
                                 size_t max,
                                 struct buf *append_to,
                                 struct error *err);
/* Makes a new file with this content, synced; one that is there already is refused, and a half
 * written one removed. */
MUST_CHECK enum status file_write_new(const char *path,
                                      struct span bytes,
                                      unsigned mode,
                                      struct error *err);

#endif
