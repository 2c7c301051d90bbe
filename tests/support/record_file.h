/* Files of the project, for tests that run in its root. */
#ifndef COMITY_TESTS_SUPPORT_RECORD_FILE_H
#define COMITY_TESTS_SUPPORT_RECORD_FILE_H

#include "base/span.h"

struct buf record_file(const char *path); /* the whole file; stops the program when it cannot */

#endif
