/* What the files of the exchange share; nobody else includes it.
 *
 *   exchange.c        peers, links, frames, timers      exchange_effect.c  effects of a session
 *   exchange_job.c    jobs for the store                exchange_travel.c  those that carry records
 *   exchange_clone.c  two links of one peer
 */
#ifndef COMITY_NODE_EXCHANGE_INTERNAL_H
#define COMITY_NODE_EXCHANGE_INTERNAL_H

#include "node/exchange.h"

struct peer {
    struct exchange_peer known;
    bool dialling;
    int64_t next_dial_ms; /* INT64_MAX: none planned */
    uint32_t failed_dials;
    char last_error[256];
    /* What came over its connections and changed feeds: how often, and by which process of its. */
    uint64_t changes;
    uint8_t changed_by[BOOT_ID_SIZE];
};

struct link {
    struct exchange *exchange;
    struct link *next;
    struct link_config config;
    struct session *session;
    unsigned uses;   /* jobs and calls that still need this memory */
    bool closing;    /* io->close() was called */
    bool gone;       /* exchange_closed() was called: freed with the last use */
    bool greeted;    /* the peer's Hello is authenticated */
    bool was_useful; /* the comparison succeeded once: a lost link, not a failed dial */
    bool paused;
    bool alarmed; /* the operator knows why it ends */
    /* The keys that counted last, tried first with what comes next. */
    struct feed_verification log_key, receipt_key;
    uint64_t receipted; /* store thread only: size of the newest receipt that was signed for it */
    uint8_t peer_boot_id[BOOT_ID_SIZE];
    uint64_t changes_at_hello; /* peer->changes when our heads were asked for */
    /* Held until it is known whether the older link, of another boot id, still lives. */
    bool held;
    int64_t held_until_ms;
    bool has_compare;
    struct effect compare; /* of a held link: waits for the verdict */
    struct batch
        *ready; /* published together with the one at hand; of the job that delivers them */
    size_t ready_count;
    bool has_publish;
    struct effect publish; /* waits until the peer has read what is queued for it */
};

struct exchange {
    struct exchange_config config;
    struct peer *peers;
    size_t peer_count;
    struct link *links;
    bool waiting_asked; /* a job asks the feed who has something waiting ... */
    bool waiting_again; /* ... and something was queued since */
    bool stopping;
    size_t paused_links;
};

/* exchange.c */
int64_t exchange_now_ms(const struct exchange *exchange);
struct peer *exchange_find_peer(struct exchange *exchange, const struct code *code);
void exchange_event(struct exchange *exchange,
                    const char *name,
                    const struct code *peer,
                    const char *format,
                    ...) PRINTF_LIKE(4, 5);
void exchange_hold(struct link *link);    /* memory stays until ... */
void exchange_release(struct link *link); /* ... this */
/* The sessions with this peer, or all (NULL), publish what waits. */
void exchange_wake_links(struct exchange *exchange, const struct code *peer);
void exchange_dial_reset(struct exchange *exchange, const struct code *code);

/* exchange_effect.c: does what the session asks for, until it asks for nothing. */
void exchange_pump(struct link *link);
void exchange_compare(struct link *link, struct effect *effect);

/* exchange_job.c */
void exchange_ask_heads(struct link *link);
/* Takes the effect's contents; a job that finds no room answers the session at once. */
void exchange_ask(struct link *link, struct effect *effect);
void exchange_ask_waiting(struct exchange *exchange);
void exchange_tell_greeted(struct link *link);
void exchange_tell_alarm(struct exchange *exchange, const struct code *peer, const char *text);

/* exchange_clone.c */
void exchange_judge_greeted(struct link *link);
void exchange_judge_gone(struct link *gone);
void exchange_judge_held(struct exchange *exchange);
/* Our Hello shows what an earlier process of the peer has changed since. */
bool exchange_is_outdated(const struct link *link);
void exchange_stop_outdated(struct link *link);
int64_t exchange_judge_deadline_ms(const struct exchange *exchange);

#endif
