/* Log lines: one event, one line, `event=NAME key=value key="words"`, to stderr.
 *
 * In front stands the priority as systemd reads it (sd-daemon(3): `<6>`).  No line ever carries
 * text of records.  Written with one write(2), so that lines of two threads do not mix.
 */
#ifndef COMITY_NODE_LOG_H
#define COMITY_NODE_LOG_H

#include "base/status.h"
#include "node/config.h"

void log_set_level(enum log_level level); /* before threads start, or on the loop thread */
void log_event(enum log_level level, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);
/* Fields that are formatted already. */
void log_fields(enum log_level level, const char *name, const char *fields);
/* Lines of config_read(), each as an event. */
void log_problems(const struct buf *problems);
/* Makes a line of what was put together: control characters become '?', and a quotation mark inside
 * a quoted value becomes an apostrophe, so that values end where they seem to. */
void log_clean(char *line);

#endif
