/* zstd contexts and scratch memory that releases are packed and unpacked with (internal). */
#ifndef COMITY_RECORD_RELEASE_CODEC_H
#define COMITY_RECORD_RELEASE_CODEC_H

#include "record/release.h"

enum { RELEASE_VERSION = 1, RELEASE_SCALE_MAX = 6 };
#define RELEASE_MANTISSA_MAX ((uint64_t)1000000000000000 - 1)

struct release_codec {
    void *compressor;    /* ZSTD_CCtx, made when first needed */
    void *decompressor;  /* ZSTD_DCtx, likewise */
    struct release kept; /* its memory is used again by release_check */
    struct buf scratch;  /* marks of rows and codes while checking */
};

/* Appends one zstd frame that states its content size. */
MUST_CHECK enum status release_codec_pack(struct release_codec *codec,
                                          struct span plain,
                                          struct buf *append_to,
                                          struct error *err);
/* Fills *ret_plain (its memory is used again); `frame` must be one frame of exactly `size` bytes.
 */
MUST_CHECK enum status release_codec_unpack(struct release_codec *codec,
                                            struct span frame,
                                            size_t size,
                                            struct buf *ret_plain,
                                            struct error *err);

#endif
