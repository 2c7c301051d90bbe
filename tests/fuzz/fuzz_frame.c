/* The input says how it is cut (first byte) and what may arrive (second byte); the rest is a
 * stream.  However it is cut, the same frames come out. */
#include "fuzz.h"

#include "base/memory.h"
#include "wire/frame.h"

#include <string.h>

struct seen {
    size_t frames;
    size_t bytes;
    uint32_t mix; /* order-dependent sum over the frames' bytes */
    enum status status;
};

static struct seen run(struct span stream, uint32_t max, size_t piece)
{
    struct frame_reader reader;
    frame_reader_init(&reader);
    struct seen seen = { .status = OK };
    while (stream.size > 0 && seen.status == OK) {
        struct span part = span_slice(stream, 0, piece);
        stream = span_slice(stream, part.size, stream.size);
        while (part.size > 0 && seen.status == OK) {
            struct span frame = SPAN_EMPTY;
            struct error err = ERROR_INIT;
            seen.status = frame_reader_take(&reader, max, &part, &frame, &err);
            if (seen.status != OK || frame.data == NULL)
                continue;
            FUZZ_REQUIRE(frame.size > 0 && frame.size <= max);
            seen.frames++;
            seen.bytes += frame.size;
            for (size_t i = 0; i < frame.size; i++)
                seen.mix = seen.mix * 31 + frame.data[i];
        }
    }
    frame_reader_fini(&reader);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t piece = (size_t)data[0] + 1;
    uint32_t max = ((uint32_t)data[1] + 1) * 64;
    struct span stream = span_of(data + 2, size - 2);
    int64_t live = mem_live();
    struct seen whole = run(stream, max, stream.size + 1);
    struct seen cut = run(stream, max, piece);
    FUZZ_REQUIRE(whole.frames == cut.frames && whole.bytes == cut.bytes);
    FUZZ_REQUIRE(whole.mix == cut.mix && whole.status == cut.status);
    FUZZ_REQUIRE(mem_live() == live);
    return 0;
}
