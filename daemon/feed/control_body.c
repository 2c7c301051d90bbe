#include "feed/control_body.h"

#include "base/cursor.h"

enum status control_restored_encode(const struct control_restored *restored,
                                    struct buf *append_to,
                                    struct error *err)
{
    struct writer w = writer_init(append_to);
    writer_u64(&w, restored->size);
    writer_bytes(&w, SPAN_ARRAY(restored->root.bytes));
    writer_bytes(&w, restored->origin);
    return writer_done(&w, "RESTORED", err);
}

enum status control_restored_decode(struct span bytes,
                                    struct control_restored *ret_restored,
                                    struct error *err)
{
    struct control_restored restored;
    struct reader r = reader_init(bytes);
    restored.size = reader_u64(&r);
    reader_copy(&r, restored.root.bytes, DIGEST_SIZE);
    restored.origin = reader_bytes(&r, r.rest.size);
    enum status status = reader_done(&r, "RESTORED", err);
    if (status == OK)
        *ret_restored = restored;
    return status;
}
