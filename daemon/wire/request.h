/* A request of the control socket (proto/control.proto): operation, arguments, files.
 *
 * Both ends use this: comityctl encodes, comityd decodes.  A frame is a 4-byte big-endian length
 * and the message; request_encode() writes both, request_decode() takes what stood behind the
 * length.  Texts are NUL-terminated UTF-8 without control characters in names.
 */
#ifndef COMITY_WIRE_REQUEST_H
#define COMITY_WIRE_REQUEST_H

#include "base/limits.h"
#include "base/span.h"

enum { REQUEST_VERSION = 1 };

struct request_argument {
    const char *name; /* "valid-until" */
    const char *value;
};

struct request_file {
    const char *name; /* of the argument that named it */
    const char *path; /* as typed */
    struct span bytes;
};

struct request {
    const char *operation; /* "peer.accept" */
    struct request_argument *arguments;
    size_t argument_count;
    struct request_file *files;
    size_t file_count;
    void *memory; /* what all of it lives in, when it was decoded */
};

/* Appends length and message to *append_to. */
MUST_CHECK enum status request_encode(const struct request *request,
                                      struct buf *append_to,
                                      struct error *err);
/* `message` is copied from; nothing in *ret_request points into it. */
MUST_CHECK enum status request_decode(struct span message,
                                      struct request *ret_request,
                                      struct error *err);
void request_fini(struct request *request); /* of a decoded one */

#endif
