/* What the service manager is told: sd_notify(3) without its library.
 *
 * One datagram to the socket that $NOTIFY_SOCKET names.  The library would bring four others into
 * the process and a megabyte of memory for it.
 */
#ifndef COMITY_NODE_NOTIFY_H
#define COMITY_NODE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* "READY=1", "STOPPING=1", "RELOADING=1", "WATCHDOG=1".  False: nobody is there to be told, or it
 * was not heard; the node works on either way. */
bool notify_send(const char *state);
/* How often a sign of life is asked for (WATCHDOG_USEC, for this process); 0: not at all. */
uint64_t notify_watchdog_us(void);

#endif
