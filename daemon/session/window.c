#include "session/window.h"

static void add(struct window *window, uint64_t end, size_t bytes)
{
    size_t at = (window->first + window->count) % SESSION_WINDOW_BATCHES;
    window->batches[at] = (struct window_batch){ .end = end, .bytes = bytes };
    window->count++;
    window->bytes += bytes;
}

static void drop_oldest(struct window *window)
{
    window->bytes -= window->batches[window->first].bytes;
    window->first = (window->first + 1) % SESSION_WINDOW_BATCHES;
    window->count--;
}

bool window_has_room(const struct window *window)
{
    return window->count < SESSION_WINDOW_BATCHES &&
           window->bytes + FRAME_BATCH_MAX <= SESSION_WINDOW_BYTES;
}

void window_sent(struct window *window, uint64_t end, size_t bytes, int64_t now_ms)
{
    window->sent_count++;
    if (end <= window->taken)
        return;
    if (window->count == 0)
        window->progress_ms = now_ms;
    add(window, end, bytes);
}

enum status window_receipt(struct window *window, uint64_t size, struct error *err)
{
    /* PROTOCOL 7.4: "A subscriber MUST NOT send more Receipts than it was sent Batches." */
    if (window->receipt_count == window->sent_count ||
        window->pending_count == SESSION_WINDOW_BATCHES)
        return error_set(err, ERR_INVALID, "more receipts than batches");
    /* PROTOCOL 7.4: "The sizes of the Receipts of one connection MUST rise." */
    if (size <= window->received)
        return error_set(err, ERR_INVALID, "receipt for %llu entries after one for %llu",
                         (unsigned long long)size, (unsigned long long)window->received);
    window->receipt_count++;
    window->received = size;
    size_t at = (window->pending_first + window->pending_count) % SESSION_WINDOW_BATCHES;
    window->pending[at] = size;
    window->pending_count++;
    return OK;
}

bool window_expects_answer(const struct window *window)
{
    return window->pending_count > 0;
}

void window_taken(struct window *window, int64_t now_ms)
{
    window->taken = window->pending[window->pending_first];
    window->pending_first = (window->pending_first + 1) % SESSION_WINDOW_BATCHES;
    window->pending_count--;
    while (window->count > 0 && window->batches[window->first].end <= window->taken)
        drop_oldest(window);
    window->progress_ms = now_ms;
}

int64_t window_deadline_ms(const struct window *window)
{
    /* A receipt that waits for our own database is not the peer's delay. */
    bool waiting = window->count > 0 && window->pending_count == 0;
    return waiting ? window->progress_ms + RECEIPT_TIMEOUT_MS : INT64_MAX;
}

enum status window_arrived(struct window *window, uint64_t end, size_t bytes, struct error *err)
{
    if (window->count == SESSION_WINDOW_BATCHES)
        return error_set(err, ERR_LIMIT, "more than %d batches in flight", SESSION_WINDOW_BATCHES);
    if (window->bytes + bytes > SESSION_WINDOW_BYTES)
        return error_set(err, ERR_LIMIT, "%zu bytes in flight > %d", window->bytes + bytes,
                         SESSION_WINDOW_BYTES);
    add(window, end, bytes);
    return OK;
}

bool window_stored(struct window *window)
{
    if (window->count == 0)
        return false;
    drop_oldest(window);
    return true;
}
