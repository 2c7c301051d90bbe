/* Releases and excerpts from a peer.  The first byte chooses: 0 an excerpt, 1 a release as it
 * travels, 2 the plain form of one, which the harness packs, so that the fuzzer need not know
 * zstd. */
#include "fuzz.h"

#include "base/cursor.h"
#include "base/memory.h"
#include "record/excerpt.h"
#include "record/release_codec.h"
#include "record/sdmx.h"

static void try_excerpt(struct span bytes)
{
    struct excerpt excerpt;
    struct buf again = BUF_INIT;
    if (excerpt_decode(bytes, &excerpt, NULL) != OK)
        return;
    FUZZ_REQUIRE(excerpt_encode(&excerpt, &again, NULL) == OK);
    FUZZ_REQUIRE(span_equal(buf_span(&again), bytes));
    excerpt_fini(&excerpt);
    buf_fini(&again);
}

/* What is taken can be read row by row and exported. */
static void try_release(struct release_codec *codec, struct span bytes)
{
    struct release release;
    struct buf text = BUF_INIT;
    size_t count = 0;
    enum status status = release_decode(codec, bytes, &release, NULL);
    FUZZ_REQUIRE(release_check(codec, bytes, NULL, &count, NULL) == status);
    if (status != OK)
        return;
    FUZZ_REQUIRE(count == release.observation_count);
    FUZZ_REQUIRE(release_identity(&release, &text, NULL) == OK);
    FUZZ_REQUIRE(sdmx_export(&release, &text, NULL) == OK);
    release_fini(&release);
    buf_fini(&text);
}

static void try_plain(struct release_codec *codec, struct span plain)
{
    struct buf bytes = BUF_INIT;
    struct writer w = writer_init(&bytes);
    writer_u8(&w, RELEASE_VERSION);
    writer_varint(&w, plain.size);
    FUZZ_REQUIRE(writer_done(&w, "release", NULL) == OK);
    FUZZ_REQUIRE(release_codec_pack(codec, plain, &bytes, NULL) == OK);
    try_release(codec, buf_span(&bytes));
    buf_fini(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    int64_t live = mem_live();
    struct span bytes = span_of(data + 1, size - 1);
    struct release_codec *codec = NULL;
    FUZZ_REQUIRE(release_codec_new(&codec, NULL) == OK);
    if (data[0] == 0)
        try_excerpt(bytes);
    else if (data[0] == 1)
        try_release(codec, bytes);
    else
        try_plain(codec, bytes);
    release_codec_free(codec);
    FUZZ_REQUIRE(mem_live() == live);
    return 0;
}
