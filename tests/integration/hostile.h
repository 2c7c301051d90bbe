/* A connection with a valid certificate, in the hands of somebody who keeps to nothing: what
 * hostile_peer and forging_peer share.  Any failure of their own ends the program with status 2. */
#ifndef COMITY_TESTS_HOSTILE_H
#define COMITY_TESTS_HOSTILE_H

#include "base/id.h"
#include "crypto/sign.h"
#include "crypto/tls.h"

#include <stdbool.h>

enum { WAIT_MS = 12000, SETTLE_MS = 300 };

struct session;

struct hostile {
    int fd;
    struct tls *tls;
    struct private_key *key;
    struct session *session;
    struct buf hello;
    void (*hear)(struct hostile *it, struct span bytes); /* NULL: what comes is of no interest */
    bool enough;                                         /* set by `hear`: no need to wait on */
    bool closed;
};

_Noreturn void hostile_give_up(const char *what, const struct error *err);
int64_t hostile_now_ms(void);
void hostile_connect_to(struct hostile *it, const char *port);
void hostile_secure(struct hostile *it,
                    const char *identity,
                    const struct realm *realm,
                    const struct code codes[2],
                    const char *anchor_path);
/* A right Hello, without heads. */
void hostile_greet(struct hostile *it, const struct realm *realm, const struct code codes[2]);
void hostile_say(struct hostile *it, struct span bytes);
/* Takes what comes for so long, or until the end. */
void hostile_listen_for(struct hostile *it, int64_t ms, bool until_open);

#endif
