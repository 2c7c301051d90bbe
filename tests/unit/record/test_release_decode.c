/* What release_decode() refuses: one wrong thing, and what is no release at all. */
#include "support/check.h"

#include "base/cursor.h"
#include "base/memory.h"
#include "record/record.h"
#include "record/release_codec.h"

/* A plain form by hand: two observations, GB and UG, with room for one wrong thing. */
struct recipe {
    const char *dataflow;
    uint8_t release_attributes; /* how many are said to follow */
    int attribute_position;     /* of the one that follows, -1: none */
    const char *attribute;
    uint64_t rows;
    const char *partners[3];
    uint64_t partner_count;
    uint8_t codes[2];
    const char *frequency, *period;
    const char *period2; /* a second one */
    uint64_t values[2];
    uint8_t scale_flag, scales[2];
    uint8_t column_count; /* attribute columns said to follow */
    int column;           /* position of the one that follows, -1: none */
    const char *column_values[2];
    uint64_t column_value_count;
    uint8_t column_codes[2];
    const char *trailer;
};

static const struct recipe good = {
    .dataflow = "COMITY:DF_INTCOOP(1.0.0)",
    .release_attributes = 1,
    .attribute_position = INTCOOP_TITLE,
    .attribute = "Title",
    .rows = 2,
    .partners = { "GB", "UG" },
    .partner_count = 2,
    .codes = { 0, 1 },
    .frequency = "A",
    .period = "2013",
    .values = { 8, 301 },
    .scale_flag = 0,
    .column_count = 1,
    .column = INTCOOP_OBS_STATUS,
    .column_values = { "", "A" },
    .column_value_count = 2,
    .column_codes = { 1, 0 },
    .trailer = "",
};

static void put_text(struct writer *w, const char *text)
{
    writer_varint(w, strlen(text));
    writer_bytes(w, span_text(text));
}

static void put_constant(struct writer *w, const char *text)
{
    writer_varint(w, 1);
    put_text(w, text);
}

static struct buf cook(const struct recipe *r)
{
    static const char *const key[INTCOOP_DIMENSION_COUNT] = { "",   "KE",   "",    "IN",  "EXTR",
                                                              "_Z", "_T",   "_T",  "NEW", "_Z",
                                                              "_T", "FLOW", "REQ", "" };
    struct buf plain = BUF_INIT;
    struct writer w = writer_init(&plain);
    put_text(&w, r->dataflow);
    writer_u8(&w, r->release_attributes);
    if (r->attribute_position >= 0) {
        writer_u8(&w, (uint8_t)r->attribute_position);
        put_text(&w, r->attribute);
    }
    writer_varint(&w, r->rows);
    for (unsigned i = 0; i < INTCOOP_DIMENSION_COUNT; i++) {
        if (i == INTCOOP_COUNTERPART_AREA) {
            writer_varint(&w, r->partner_count);
            for (unsigned k = 0; k < 3 && r->partners[k] != NULL; k++)
                put_text(&w, r->partners[k]);
            if (r->partner_count > 1)
                writer_bytes(&w, SPAN_ARRAY(r->codes));
        } else if (i == INTCOOP_TIME_PERIOD && r->period2 != NULL) {
            writer_varint(&w, 2);
            put_text(&w, r->period);
            put_text(&w, r->period2);
            writer_bytes(&w, SPAN_LITERAL("\0\1"));
        } else {
            put_constant(&w, i == INTCOOP_FREQ          ? r->frequency
                             : i == INTCOOP_TIME_PERIOD ? r->period
                                                        : key[i]);
        }
    }
    writer_varint(&w, r->values[0]);
    writer_varint(&w, r->values[1]);
    writer_u8(&w, r->scale_flag);
    if (r->scale_flag == 1)
        writer_bytes(&w, SPAN_ARRAY(r->scales));
    writer_u8(&w, r->column_count);
    if (r->column >= 0) {
        writer_u8(&w, (uint8_t)r->column);
        writer_varint(&w, r->column_value_count);
        for (unsigned k = 0; k < 2 && r->column_values[k] != NULL; k++)
            put_text(&w, r->column_values[k]);
        if (r->column_value_count > 1)
            writer_bytes(&w, SPAN_ARRAY(r->column_codes));
    }
    writer_bytes(&w, span_text(r->trailer));
    struct error err = ERROR_INIT;
    CHECK_OK(writer_done(&w, "recipe", &err), &err);
    return plain;
}

static enum status decode_plain(struct span plain, struct error *err)
{
    struct release_codec *codec = NULL;
    struct buf bytes = BUF_INIT;
    CHECK_OK(release_codec_new(&codec, err), err);
    struct writer w = writer_init(&bytes);
    writer_u8(&w, RELEASE_VERSION);
    writer_varint(&w, plain.size);
    CHECK_OK(writer_done(&w, "release", err), err);
    CHECK_OK(release_codec_pack(codec, plain, &bytes, err), err);
    size_t count = 0;
    enum status status = release_check(codec, buf_span(&bytes), NULL, &count, err);
    struct release release; /* both ways give the same */
    assert_int_equal(release_decode(codec, buf_span(&bytes), &release, NULL), status);
    if (status == OK) {
        assert_int_equal(count, release.observation_count);
        release_fini(&release);
    }
    buf_fini(&bytes);
    release_codec_free(codec);
    return status;
}

static void decode_refuses_every_broken_rule(void **state)
{
    (void)state;
    struct {
        const char *says;
        struct recipe recipe;
    } cases[40];
    size_t n = 0;
#define WRONG(text, change)                  \
    do {                                     \
        assert_true(n < COUNT(cases));       \
        cases[n].says = (text);              \
        cases[n].recipe = good;              \
        struct recipe *r = &cases[n].recipe; \
        change;                              \
        n++;                                 \
    } while (0)
    WRONG("dataflow is not known", r->dataflow = "COMITY:DF_OTHER(1.0.0)");
    WRONG("attributes of the release: cut short", r->attribute_position = 17);
    WRONG("TITLE: this is one line", r->attribute = "two\nlines");
    WRONG("TITLE", r->attribute = "");
    WRONG("attributes of the release", r->release_attributes = 2);
    WRONG("number of observations", r->rows = 0);
    WRONG("number of observations", r->rows = RELEASE_OBSERVATIONS_MAX + 1);
    WRONG("number of observations", r->rows = UINT64_MAX);
    WRONG("number of observations", r->rows = 100000);
    WRONG("COUNTERPART_AREA: an area is", r->partners[1] = "XX");
    WRONG("COUNTERPART_AREA: an area is", r->partners[0] = "");
    WRONG("values are not ascending", (r->partners[0] = "UG", r->partners[1] = "GB"));
    WRONG("values are not ascending", r->partners[1] = "GB");
    WRONG("COUNTERPART_AREA: cut short", r->partner_count = 0);
    WRONG("COUNTERPART_AREA: cut short", r->partner_count = 3);
    WRONG("COUNTERPART_AREA: cut short", r->partner_count = UINT64_MAX);
    WRONG("COUNTERPART_AREA: a value that nobody has", r->codes[1] = 2);
    WRONG("a value that nobody has", r->codes[1] = 0);
    WRONG("keys are not ascending", (r->codes[0] = 1, r->codes[1] = 0));
    WRONG("a key stands twice", (r->partners[1] = NULL, r->partner_count = 1));
    WRONG("FREQ: another frequency", r->frequency = "M");
    WRONG("FREQ: a frequency is", r->frequency = "W");
    WRONG("TIME_PERIOD: a period is written", r->period = "2013-13");
    WRONG("more than one period", r->period2 = "2014");
    WRONG("more than 15 digits", r->values[1] = RELEASE_MANTISSA_MAX + 2);
    WRONG("OBS_VALUE: cut short", r->values[1] = UINT64_MAX);
    WRONG("OBS_VALUE: cut short", r->scale_flag = 2);
    WRONG("shortest form", r->scale_flag = 1);
    WRONG("shortest form", (r->scale_flag = 1, r->scales[0] = 7));
    WRONG("shortest form", (r->scale_flag = 1, r->scales[0] = 1, r->values[0] = 11));
    WRONG("shortest form", (r->scale_flag = 1, r->scales[0] = 1, r->values[0] = 0));
    WRONG("attributes: cut short", r->column = 99);
    WRONG("attributes: cut short", r->column_count = 2);
    WRONG("OBS_STATUS: a status is", r->column_values[1] = "Z");
    WRONG("a column without any value", (r->column_values[1] = NULL, r->column_value_count = 1));
    WRONG("OBS_STATUS: a value that nobody has", r->column_codes[0] = 0);
    WRONG("bytes too many", r->trailer = "x");
    WRONG("bytes too many", r->column_count = 0);
    for (size_t i = 0; i < n; i++) {
        struct buf plain = cook(&cases[i].recipe);
        struct error err = ERROR_INIT;
        int64_t live = mem_live();
        enum status status = decode_plain(buf_span(&plain), &err);
        if (status != ERR_INVALID && status != ERR_UNSUPPORTED)
            fail_msg("%s: %s: %s", cases[i].says, status_name(status), err.text);
        CHECK_CONTAINS(err.text, cases[i].says);
        assert_int_equal(mem_live(), live);
        buf_fini(&plain);
    }
    struct buf plain = cook(&good);
    struct error err = ERROR_INIT;
    CHECK_OK(decode_plain(buf_span(&plain), &err), &err);
    buf_fini(&plain);
}

static void decode_refuses_bytes_that_are_no_release(void **state)
{
    (void)state;
    struct buf plain = cook(&good), bytes = BUF_INIT;
    struct release_codec *codec = NULL;
    struct error err = ERROR_INIT;
    size_t count;
    CHECK_OK(release_codec_new(&codec, &err), &err);
    CHECK_OK(release_codec_pack(codec, buf_span(&plain), &bytes, &err), &err);
    static const struct {
        uint8_t version;
        int64_t size_change;
        bool two_frames, huge;
        enum status status;
        const char *says;
    } cases[] = {
        { 2, 0, false, false, ERR_UNSUPPORTED, "format version 2" },
        { 1, 1, false, false, ERR_INVALID, "not one zstd frame" },
        { 1, -1, false, false, ERR_INVALID, "not one zstd frame" },
        { 1, 0, true, false, ERR_INVALID, "not one zstd frame" },
        { 1, 0, false, true, ERR_LIMIT, "bytes unpacked" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf whole = BUF_INIT;
        struct writer w = writer_init(&whole);
        writer_u8(&w, cases[i].version);
        writer_varint(&w, cases[i].huge ? (uint64_t)RELEASE_PLAIN_MAX + 1
                                        : (uint64_t)((int64_t)plain.size + cases[i].size_change));
        writer_bytes(&w, buf_span(&bytes));
        if (cases[i].two_frames)
            writer_bytes(&w, buf_span(&bytes));
        CHECK_OK(writer_done(&w, "release", &err), &err);
        CHECK_STATUS(release_check(codec, buf_span(&whole), NULL, &count, &err), cases[i].status,
                     &err);
        CHECK_CONTAINS(err.text, cases[i].says);
        buf_fini(&whole);
    }
    CHECK_STATUS(release_check(codec, SPAN_EMPTY, NULL, &count, &err), ERR_INVALID, &err);
    static const struct code ke = { "KE" };
    CHECK_STATUS(record_check(NULL, RECORD_RELEASE, SPAN_LITERAL("\1\4abcd"), &ke, &err),
                 ERR_INVALID, &err);
    CHECK_STATUS(record_check(NULL, RECORD_EXCERPT, SPAN_LITERAL("\1"), &ke, &err), ERR_INVALID,
                 &err);
    CHECK_STATUS(record_check(NULL, (enum record_kind)9, SPAN_EMPTY, &ke, &err), ERR_UNSUPPORTED,
                 &err);
    release_codec_free(codec);
    release_codec_free(NULL);
    buf_fini(&plain);
    buf_fini(&bytes);
}

static void decode_refuses_every_cut_and_survives_every_flip_of_the_plain_form(void **state)
{
    (void)state;
    struct buf plain = cook(&good);
    struct error err = ERROR_INIT;
    int64_t live = mem_live();
    for (size_t size = 0; size < plain.size; size++)
        assert_int_not_equal(decode_plain(span_of(plain.data, size), &err), OK);
    for (size_t bit = 0; bit < 8 * plain.size; bit++) {
        plain.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        (void)decode_plain(buf_span(&plain), &err);
        plain.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_int_equal(mem_live(), live);
    buf_fini(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode_refuses_every_broken_rule),
        cmocka_unit_test(decode_refuses_bytes_that_are_no_release),
        cmocka_unit_test(decode_refuses_every_cut_and_survives_every_flip_of_the_plain_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
