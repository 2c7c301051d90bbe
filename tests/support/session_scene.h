/* Kenya's node under test, and Australia's messages written by hand: a scene for refusals. */
#ifndef COMITY_TESTS_SUPPORT_SESSION_SCENE_H
#define COMITY_TESTS_SUPPORT_SESSION_SCENE_H

#include "support/session_host.h"
#include "wire/codec.h"

#define AU_TO_KE "comity.v1/training/feed/AU/KE/0000000000000001"
#define KE_TO_AU "comity.v1/training/feed/KE/AU/0000000000000002"

struct scene {
    struct host_feed feed;
    struct host ke;
};

void scene_init(struct scene *scene);
void scene_fini(struct scene *scene);
/* From the start to this state, all questions answered. */
void scene_reach(struct scene *scene, enum session_state state);
/* The host hears one frame's body, which is freed. */
void scene_hear(struct scene *scene, struct buf *frame);
/* CLOSE came with this, and the last thing said was a Goodbye with that. */
void scene_check_closed(struct scene *scene,
                        enum status status,
                        bool penalty,
                        enum goodbye_reason reason,
                        const char *says);
/* The last frame that the host sent; the caller frees it with message_fini(). */
struct message scene_last_sent(const struct host *host);

/* Bodies of frames from Australia, without their length. */
struct buf scene_hello_of(const struct session_config *config);
struct buf scene_batch(const char *origin, uint64_t first, size_t count, size_t body_size);
struct buf scene_receipt(uint64_t size);
struct buf scene_heal(const char *origin, uint64_t first, size_t count, bool last);
struct buf scene_number(enum message_kind kind, uint64_t number);
struct buf scene_goodbye(enum goodbye_reason reason, const char *text);
struct buf scene_sample(enum message_kind kind); /* a proper one of its kind */

#endif
