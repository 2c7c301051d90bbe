/* The queue of effects that a session wants, oldest first. */
#ifndef COMITY_SESSION_EFFECT_H
#define COMITY_SESSION_EFFECT_H

#include "session/session.h"

struct effect_node;
struct effect_queue {
    struct effect_node *first;
    struct effect_node *last;
};

/* Moves *effect to the end; on ERR_MEMORY it is freed. */
MUST_CHECK enum status effect_push(struct effect_queue *queue,
                                   struct effect *effect,
                                   struct error *err);
bool effect_pop(struct effect_queue *queue, struct effect *ret_effect);
/* All of *from to the end of *to; nothing can fail. */
void effect_move_all(struct effect_queue *to, struct effect_queue *from);
void effect_queue_fini(struct effect_queue *queue);

#endif
