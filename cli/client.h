/* The other end of the control socket. */
#ifndef COMITY_CLI_CLIENT_H
#define COMITY_CLI_CLIENT_H

#include "wire/reply.h"
#include "wire/request.h"

/* Where the daemon listens: `socket` if given, else what the configuration file says ([control]
 * socket), else /run/comity/control.sock.  `config` NULL: /etc/comity/comity.conf, if it is there.
 * Appends a NUL-terminated path. */
MUST_CHECK enum status client_socket_path(const char *config,
                                          const char *socket,
                                          struct buf *ret_path,
                                          struct error *err);
/* ERR_IO: nobody listens there; says what to look at. */
MUST_CHECK enum status client_connect(const char *path, int *ret_fd, struct error *err);
/* Sends the request and waits for the answer; calls `progress` (may be NULL) for each message that
 * comes before.  Closes nothing.  ERR_DENIED: hung up without a word; ERR_IO: in the middle of it.
 */
MUST_CHECK enum status client_ask(int fd,
                                  const struct request *request,
                                  void (*progress)(const struct reply *reply),
                                  struct reply *ret_reply,
                                  struct error *err);

#endif
