/* Addresses that misbehaved, and for how long they are refused; how many wait before Hello.
 *
 * As OpenSSH does it (sshd_config, PerSourcePenalties): each offence adds its time, at most
 * PENALTY_MAX_MS ahead.  An IPv6 address counts as its /64, which one host usually has.  Addresses
 * of this machine are never punished: they stand for every node that runs here.
 */
#ifndef COMITY_NET_PENALTY_H
#define COMITY_NET_PENALTY_H

#include "base/span.h"

struct sockaddr;

enum offence {
    OFFENCE_PROTOCOL, /* a frame or message that breaks the protocol */
    OFFENCE_AUTH,     /* no certificate, or one that was refused */
    OFFENCE_TIMEOUT,  /* neither finished its handshake nor said Hello in time */
    OFFENCE_COUNT
};

enum {
    PENALTY_MAX_MS = 600 * 1000,
    PENALTY_ADDRESSES_MAX = 1024, /* the one whose penalty ends first makes room */
    ADDRESS_KEY_SIZE = 16
};

struct address_key {
    uint8_t bytes[ADDRESS_KEY_SIZE]; /* IPv4 mapped into IPv6 (RFC 4291 section 2.5.5.2) */
    bool is_local;
};
struct address_key address_key_of(const struct sockaddr *address);
bool address_key_equal(const struct address_key *a, const struct address_key *b);

struct penalties; /* the table; grows with what is in it */
MUST_CHECK enum status penalties_new(struct penalties **ret_penalties, struct error *err);
void penalties_free(struct penalties *penalties);
/* Without memory for a new address the offence is not remembered. */
void penalties_add(struct penalties *penalties,
                   const struct address_key *address,
                   enum offence offence,
                   int64_t now_ms);
/* Milliseconds that the address has still to wait; 0: welcome. */
int64_t penalties_left_ms(const struct penalties *penalties,
                          const struct address_key *address,
                          int64_t now_ms);

#endif
