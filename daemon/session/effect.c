#include "session/effect.h"

#include "base/memory.h"

struct effect_node {
    struct effect_node *next;
    struct effect effect;
};

const char *effect_kind_name(enum effect_kind kind)
{
    static const char *const names[EFFECT_KIND_COUNT] = {
        [EFFECT_SEND] = "send",           [EFFECT_GREETED] = "greeted",
        [EFFECT_COMPARE] = "compare",     [EFFECT_PUBLISH] = "publish",
        [EFFECT_INGEST] = "ingest",       [EFFECT_TAKE_RECEIPT] = "take_receipt",
        [EFFECT_READ_HEAL] = "read_heal", [EFFECT_APPLY_HEAL] = "apply_heal",
        [EFFECT_ALARM] = "alarm",         [EFFECT_CLOSE] = "close",
    };
    return kind < EFFECT_KIND_COUNT ? names[kind] : "unknown";
}

void effect_fini(struct effect *effect)
{
    if (effect == NULL)
        return;
    buf_fini(&effect->frame);
    heads_fini(&effect->peer_heads);
    batch_fini(&effect->batch);
    buf_fini(&effect->note);
    buf_fini(&effect->origin);
    heal_fini(&effect->heal);
}

enum status effect_push(struct effect_queue *queue, struct effect *effect, struct error *err)
{
    struct effect_node *node = mem_alloc(sizeof *node);
    if (node == NULL) {
        effect_fini(effect);
        return error_set(err, ERR_MEMORY, "no memory for an effect");
    }
    node->next = NULL;
    node->effect = *effect;
    *effect = (struct effect){ 0 };
    if (queue->last == NULL)
        queue->first = node;
    else
        queue->last->next = node;
    queue->last = node;
    return OK;
}

bool effect_pop(struct effect_queue *queue, struct effect *ret_effect)
{
    struct effect_node *node = queue->first;
    if (node == NULL)
        return false;
    queue->first = node->next;
    if (queue->first == NULL)
        queue->last = NULL;
    *ret_effect = node->effect;
    mem_free(node);
    return true;
}

void effect_move_all(struct effect_queue *to, struct effect_queue *from)
{
    if (from->first == NULL)
        return;
    if (to->last == NULL)
        to->first = from->first;
    else
        to->last->next = from->first;
    to->last = from->last;
    *from = (struct effect_queue){ 0 };
}

void effect_queue_fini(struct effect_queue *queue)
{
    struct effect effect;
    while (effect_pop(queue, &effect))
        effect_fini(&effect);
}
