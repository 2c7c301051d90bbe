/* A node in miniature for tests of sessions: a feed of counters that outlives connections, and a
 * host that answers a session's effects from it, at once or one by one.
 *
 * Entry i of every feed is the one that peer_wire_batch() makes, so that whoever stores it can say
 * whether it is the right one.  Anything that the session promises its owner is checked here, with
 * cmocka's asserts, or abort() outside of cmocka.
 */
#ifndef COMITY_TESTS_SUPPORT_SESSION_HOST_H
#define COMITY_TESTS_SUPPORT_SESSION_HOST_H

#include "session/session.h"
#include "wire/frame.h"

/* What a "database" holds about one pair; survives connections. */
struct host_feed {
    const char *origin_out; /* of the feed to the peer */
    uint64_t queued;        /* entries that are or will be published, in all */
    uint64_t published;     /* numbered */
    uint64_t receipted;
    const char *origin_in;
    uint64_t stored;  /* durably, of the peer's feed */
    uint64_t applied; /* entries that had an effect: must end equal to what was published */
    uint64_t heal_to; /* hand back headers of the peer's feed up to here, 0: none */
    uint64_t heal_from;
    uint64_t healed; /* headers of our own feed that came back */
    size_t batch_entries;
    size_t body_size;
    bool says_last; /* batches say when nothing is behind them */
};

enum { HOST_PENDING_MAX = 64 };

struct host {
    struct host_feed *feed;
    struct session *session;
    struct frame_reader reader;
    struct buf out; /* bytes for the network */
    struct effect pending[HOST_PENDING_MAX];
    size_t pending_count;
    bool closed;
    bool penalty;
    struct error why;
    size_t counts[EFFECT_KIND_COUNT];
    char alarm[ERROR_TEXT_MAX];
    uint32_t features[FEATURES_MAX];
    size_t feature_count;
    /* What the next answers say; OK: the truth. */
    struct resume resume;
    bool resume_given;  /* `resume` is the answer to COMPARE */
    enum status answer; /* status of every answer */
    const char *answer_text;
};

struct session_config host_config(const char *self, const char *peer, bool initiator);
/* ERR_MEMORY when there is none; *host is then closed and must still be fini'd. */
enum status host_init(struct host *host,
                      struct host_feed *feed,
                      const struct session_config *config,
                      struct error *err);
void host_fini(struct host *host);
/* session_start with the heads of the feed. */
void host_start(struct host *host, int64_t now_ms);
/* Takes what the session wants: bytes go to `out`, questions to `pending`. */
void host_drain(struct host *host);
/* Answers the oldest question; false when there is none. */
bool host_answer(struct host *host, int64_t now_ms);
void host_answer_all(struct host *host, int64_t now_ms);
/* Bytes from the network, in any pieces. */
void host_receive(struct host *host, int64_t now_ms, struct span bytes);
/* One frame's body. */
void host_receive_frame(struct host *host, int64_t now_ms, struct span body);
void host_tick(struct host *host, int64_t now_ms);
void host_wake(struct host *host, int64_t now_ms);

#endif
