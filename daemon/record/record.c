#include "record/record.h"

#include "record/excerpt.h"
#include "record/release.h"

#include <string.h>

const char *record_kind_name(enum record_kind kind)
{
    switch (kind) {
    case RECORD_EXCERPT:
        return "excerpt";
    case RECORD_RELEASE:
        return "release";
    }
    return "?";
}

bool record_kind_parse(const char *name, enum record_kind *ret_kind)
{
    bool excerpt = strcmp(name, "excerpt") == 0;
    if (!excerpt && strcmp(name, "release") != 0)
        return false;
    *ret_kind = excerpt ? RECORD_EXCERPT : RECORD_RELEASE;
    return true;
}

enum status record_check(struct release_codec *codec,
                         enum record_kind kind,
                         struct span bytes,
                         const struct code *publisher,
                         struct error *err)
{
    switch (kind) {
    case RECORD_EXCERPT:
        return excerpt_verify(bytes, err);
    case RECORD_RELEASE: {
        size_t observations = 0;
        return release_check(codec, bytes, publisher, &observations, err);
    }
    }
    return error_set(err, ERR_UNSUPPORTED, "record: kind %d is not one of excerpt, release", kind);
}
