#include "log/origin.h"

#include <stdio.h>
#include <string.h>

static const char prefix[] = "comity.v1";

enum { PARTS_MAX = 6, PART_SIZE = 24 };

static const char *const kind_names[] = { "feed", "journal", "receipt", "witness" };

void origin_format(const struct origin *origin, char text[static ORIGIN_TEXT_SIZE])
{
    const char *kind = kind_names[origin->kind];
    unsigned long long epoch = (unsigned long long)origin->epoch;
    if (origin->kind == ORIGIN_FEED) {
        (void)snprintf(text, ORIGIN_TEXT_SIZE, "%s/%s/%s/%s/%s/%016llx", prefix, origin->realm.text,
                       kind, origin->code.text, origin->subscriber.text, epoch);
    } else if (origin->kind == ORIGIN_JOURNAL) {
        (void)snprintf(text, ORIGIN_TEXT_SIZE, "%s/%s/%s/%s/%016llx", prefix, origin->realm.text,
                       kind, origin->code.text, epoch);
    } else { /* of a key: its statements are about many logs */
        (void)snprintf(text, ORIGIN_TEXT_SIZE, "%s/%s/%s/%s", prefix, origin->realm.text, kind,
                       origin->code.text);
    }
}

static enum status not_a_name(struct span text, struct error *err)
{
    return error_set(err, ERR_INVALID, "'%.*s' is not the name of a log or cosigner",
                     text.size < ORIGIN_TEXT_SIZE ? (int)text.size : ORIGIN_TEXT_SIZE,
                     (const char *)text.data);
}

/* Splits at '/'; 0 when there are too many parts or one is too long. */
static size_t split(struct span text, char parts[PARTS_MAX][PART_SIZE])
{
    size_t count = 0;
    size_t at = 0;
    for (size_t i = 0; i <= text.size; i++) {
        if (i < text.size && text.data[i] != '/')
            continue;
        if (count == PARTS_MAX || i - at >= PART_SIZE)
            return 0;
        (void)snprintf(parts[count], PART_SIZE, "%.*s", (int)(i - at),
                       (const char *)text.data + at);
        count++;
        at = i + 1;
    }
    return count;
}

static bool find_kind(const char *name, size_t part_count, enum origin_kind *ret_kind)
{
    static const size_t counts[] = { 6, 5, 4, 4 };
    for (unsigned kind = ORIGIN_FEED; kind <= ORIGIN_WITNESS; kind++) {
        if (strcmp(kind_names[kind], name) == 0 && counts[kind] == part_count) {
            *ret_kind = (enum origin_kind)kind;
            return true;
        }
    }
    return false;
}

static bool parse_epoch(const char *text, uint64_t *ret_epoch)
{
    uint8_t bytes[8];
    if (hex_decode(span_text(text), bytes, sizeof(bytes), NULL) != OK)
        return false;
    *ret_epoch = 0;
    for (size_t i = 0; i < sizeof(bytes); i++)
        *ret_epoch = *ret_epoch << 8 | bytes[i];
    return true;
}

enum status origin_parse(struct span text, struct origin *ret_origin, struct error *err)
{
    char parts[PARTS_MAX][PART_SIZE] = { { 0 } };
    struct origin origin = { 0 };
    size_t count = split(text, parts);
    bool good = count >= 4 && strcmp(parts[0], prefix) == 0 &&
                find_kind(parts[2], count, &origin.kind) &&
                realm_parse(parts[1], &origin.realm, NULL) == OK &&
                code_parse(parts[3], &origin.code, NULL) == OK;
    if (good && origin.kind == ORIGIN_FEED)
        good = code_parse(parts[4], &origin.subscriber, NULL) == OK;
    if (good && origin.kind <= ORIGIN_JOURNAL)
        good = parse_epoch(parts[count - 1], &origin.epoch);
    if (!good)
        return not_a_name(text, err);
    /* One spelling only: capitals in the epoch, or a NUL, would be a second name of one log. */
    char again[ORIGIN_TEXT_SIZE];
    origin_format(&origin, again);
    if (!span_equal(span_text(again), text))
        return not_a_name(text, err);
    *ret_origin = origin;
    return OK;
}

void origin_feed(const struct realm *realm,
                 const struct code *publisher,
                 const struct code *subscriber,
                 uint64_t epoch,
                 char text[static ORIGIN_TEXT_SIZE])
{
    struct origin origin = { ORIGIN_FEED, *realm, *publisher, *subscriber, epoch };
    origin_format(&origin, text);
}

void origin_journal(const struct realm *realm,
                    const struct code *code,
                    uint64_t epoch,
                    char text[static ORIGIN_TEXT_SIZE])
{
    struct origin origin = { ORIGIN_JOURNAL, *realm, *code, { { 0 } }, epoch };
    origin_format(&origin, text);
}

void origin_receipt(const struct realm *realm,
                    const struct code *code,
                    char text[static ORIGIN_TEXT_SIZE])
{
    struct origin origin = { ORIGIN_RECEIPT, *realm, *code, { { 0 } }, 0 };
    origin_format(&origin, text);
}

void origin_witness(const struct realm *realm,
                    const struct code *code,
                    char text[static ORIGIN_TEXT_SIZE])
{
    struct origin origin = { ORIGIN_WITNESS, *realm, *code, { { 0 } }, 0 };
    origin_format(&origin, text);
}
