/* What session.c, inbound.c and outbound.c share: the session itself, and how it is moved on.
 *
 * session.c   lifetime, states, time, closing
 * inbound.c   one function for each kind of message, and the answers that belong to receiving
 * outbound.c  publishing within the window, healing the peer, and the answers that belong to it
 */
#ifndef COMITY_SESSION_INTERNAL_H
#define COMITY_SESSION_INTERNAL_H

#include "session/effect.h"
#include "session/session.h"
#include "session/window.h"
#include "wire/codec.h"

struct session {
    struct session_config config;
    enum session_state state;
    struct effect_queue effects;
    struct effect_queue held; /* came while COMPARING, wanted once RUNNING */
    struct buf early;         /* the frame that came before session_start() */
    bool close_due;           /* the last effect is still to be given */
    bool close_penalty;
    struct error close_error;

    /* Time. */
    int64_t started_ms;
    int64_t last_heard_ms;
    int64_t probe_deadline_ms; /* INT64_MAX: no probe */
    bool ping_out;             /* our Ping has no Pong yet */
    uint64_t ping_number;
    uint64_t probe_number; /* of the Ping whose Pong shows that the peer lives; 0: no probe */
    bool probe_answered;
    int64_t pings_since_ms; /* the peer's Pings of the present interval */
    unsigned pings;

    /* From us to the peer. */
    struct window sent;
    uint64_t next_index;
    bool publish_wanted, publish_out;
    struct buf heal_origin; /* of the peer's feed that we hand back */
    uint64_t heal_next;
    bool heal_read_out; /* the database reads */
    bool heal_sent;     /* a Heal waits for its HealTaken */
    bool heal_last;     /* and it was the last */
    int64_t heal_sent_ms;

    /* From the peer to us. */
    struct window arrived;
    struct buf origin; /* of the peer's feed, from its first batch */
    uint64_t expected; /* first index of its next batch */
    uint64_t receipt_sent;
    bool compare_out;
    bool healing; /* the database applies a Heal */
    bool healed;  /* the last Heal of the series came */
    struct buf healing_origin;
    uint64_t healing_next;

    struct session_stats stats;
};

/* session.c */
void session_move(struct session *session, enum session_state to);
/* Takes *effect; without memory for it the session closes. */
void session_want(struct session *session, struct effect *effect);
void session_send(struct session *session, struct buf *frame /* moved */);
void session_send_number(struct session *session, enum message_kind kind, uint64_t number);
void session_send_ping(struct session *session);
/* Goodbye and CLOSE.  The peer is blamed when its bytes or its order were wrong. */
void session_fail(struct session *session, const struct error *err, bool peer_can_be_wrong);
/* `said` is the status that the peer is told, as a reason. */
void session_close(struct session *session,
                   const struct error *err,
                   bool penalty,
                   enum status said,
                   const char *text);
/* True when the answer failed, and the session is closed therefore. */
bool session_answer_failed(struct session *session,
                           const struct error *err,
                           bool peer_can_be_wrong);
void session_internal(struct session *session, const char *what);

/* inbound.c */
void inbound_dispatch(struct session *session,
                      int64_t now_ms,
                      size_t frame_size,
                      struct message *message);

/* outbound.c */
void outbound_start(struct session *session, int64_t now_ms, struct resume *resume);
void outbound_publish(struct session *session);
enum status outbound_take_receipt(struct session *session,
                                  struct message *message,
                                  struct error *err);
enum status outbound_heal_taken(struct session *session, uint64_t next_index, struct error *err);
int64_t outbound_deadline_ms(const struct session *session);

#endif
