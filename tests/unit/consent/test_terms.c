#include "consent/terms.h"

#include "base/clock.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1790000000000) /* 2026-09-21 */
#define DAY INT64_C(86400000)

static struct terms good(void)
{
    struct terms terms;
    struct error err = ERROR_INIT;
    terms_init(&terms, NOW);
    static const char *const words[][2] = {
        { "purpose", "peer-review" },
        { "form", "exact" },
        { "attribution", "named" },
        { "onward", "none" },
        { "from", "2026-09-01" },
        { "until", "2027-09-01" },
        { "keep-until", "2027-08-01T12:00:00Z" },
        { "erase-days", "14" },
        { "authority", "Attorney-General" },
        { "reference", "NV 12/2026" },
        { "conditions", "only in\nthe room" },
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        assert_int_equal(terms_set(&terms, words[i][0], words[i][1], &err), OK);
    return terms;
}

static void terms_set_refuses_what_it_does_not_understand_and_changes_nothing(void **state)
{
    (void)state;
    static char long_name[NAME_MAX_BYTES + 2];
    memset(long_name, 'x', sizeof(long_name) - 1);
    const struct {
        const char *name, *value;
        enum status status;
        const char *says;
    } cases[] = {
        { "colour", "blue", ERR_NOT_FOUND, "'colour' is not a term" },
        { "purpose", "gossip", ERR_INVALID, "purpose: 'gossip' is not one of: peer" },
        { "purpose", "", ERR_INVALID, "is not one of" },
        { "form", "vague", ERR_INVALID, "form: 'vague'" },
        { "form", "suppressed", ERR_INVALID, "suppressed:5" },
        { "form", "exact:5", ERR_INVALID, "behind suppressed only" },
        { "form", "suppressed:x", ERR_INVALID, "'x' is not a whole number" },
        { "form", "suppressed:0", ERR_INVALID, "at least 1" },
        { "form", "suppressed:1001", ERR_INVALID, "0 to 1000" },
        { "form", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ERR_INVALID, "not one of" },
        { "attribution", "Named", ERR_INVALID, "unnamed, named" },
        { "onward", "all", ERR_INVALID, "none, public" },
        { "from", "yesterday", ERR_INVALID, "from: " },
        { "until", "2026-13-01", ERR_INVALID, "until: " },
        { "keep-until", "1", ERR_INVALID, "keep-until: " },
        { "erase-days", "366", ERR_INVALID, "0 to 365" },
        { "erase-days", "-1", ERR_INVALID, "whole number" },
        { "erase-days", "", ERR_INVALID, "whole number" },
        { "erase-days", "1234567890", ERR_INVALID, "whole number" },
        { "authority", "a\nb", ERR_INVALID, "authority: " },
        { "authority", long_name, ERR_LIMIT, "longer than 200 bytes" },
        { "reference", "\xff", ERR_INVALID, "not UTF-8" },
        { "conditions", "\x1b[31m", ERR_INVALID, "conditions: " },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct terms terms = good();
        struct terms before = terms;
        struct error err = ERROR_INIT;
        assert_int_equal(terms_set(&terms, cases[i].name, cases[i].value, &err), cases[i].status);
        assert_non_null(strstr(err.text, cases[i].says));
        assert_memory_equal(&terms, &before, sizeof(terms));
    }
}

static void a_draft_without_anything_lists_all_that_is_missing_at_once(void **state)
{
    (void)state;
    struct terms terms;
    struct error err = ERROR_INIT;
    struct buf problems = BUF_INIT;
    terms_init(&terms, NOW);
    assert_int_equal(terms_check(&terms, NOW, &problems, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "4 problems; the first: purpose"));
    assert_int_equal(buf_terminate(&problems, &err), OK);
    static const char *const said[] = { "purpose: must", "until: an end is required",
                                        "authority: must", "reference: must" };
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
        assert_non_null(strstr((const char *)problems.data, said[i]));
    buf_fini(&problems);
    assert_int_equal(terms_check(&terms, NOW, NULL, &err), ERR_INVALID);
}

struct bad_terms {
    const char *name, *value; /* NULL: none */
    const char *says;
    enum status status;
};

static void terms_check_refuses_each_thing_that_cannot_hold(void **state)
{
    (void)state;
    static const struct bad_terms cases[] = {
        { "form", "suppressed:5", "form: suppressed: this version", ERR_UNSUPPORTED },
        { "form", "rounded", "form: rounded", ERR_UNSUPPORTED },
        { "form", "aggregate-only", "form: aggregate-only", ERR_UNSUPPORTED },
        { "until", "2026-08-01", "must lie after the beginning", ERR_INVALID },
        { "until", "2026-09-02", "lies in the past", ERR_INVALID },
        { "until", "2099-01-01", "more than 30 years", ERR_INVALID },
        { "keep-until", "2027-09-02", "keep-until: later than until", ERR_INVALID },
        { "keep-until", "2026-08-31", "keep-until: must lie after", ERR_INVALID },
        { "keep-until", "2026-09-10", "keep-until: must lie after", ERR_INVALID },
        { "purpose", "publication", "onward: the purpose publication", ERR_INVALID },
        { "authority", "", "authority: must be said", ERR_INVALID },
        { "reference", "", "reference: must be said", ERR_INVALID },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct terms terms = good();
        struct error err = ERROR_INIT;
        terms.keep_until_ms = 0;
        assert_int_equal(terms_set(&terms, cases[i].name, cases[i].value, &err), OK);
        assert_int_equal(terms_check(&terms, NOW, NULL, &err), cases[i].status);
        assert_non_null(strstr(err.text, cases[i].says));
    }
    struct terms terms = good();
    struct error err = ERROR_INIT;
    assert_int_equal(terms_check(&terms, NOW, NULL, &err), OK);
    terms.purpose = PURPOSE_PUBLICATION;
    terms.onward = ONWARD_PUBLIC;
    assert_int_equal(terms_check(&terms, NOW, NULL, &err), OK);
}

static void keep_until_follows_the_end_unless_it_is_said(void **state)
{
    (void)state;
    struct terms terms = good();
    int64_t said = terms.keep_until_ms;
    terms_settle(&terms);
    assert_int_equal(terms.keep_until_ms, said);
    terms.keep_until_ms = 0;
    terms_settle(&terms);
    assert_int_equal(terms.keep_until_ms, terms.valid_until_ms);
}

static struct buf encoded(const struct terms *terms)
{
    struct buf bytes = BUF_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(terms_encode(terms, &bytes, &err), OK);
    return bytes;
}

static void terms_decode_refuses_every_cut_and_every_byte_too_many(void **state)
{
    (void)state;
    struct terms terms = good();
    struct terms got;
    struct buf bytes = encoded(&terms);
    struct error err = ERROR_INIT;
    for (size_t size = 0; size < bytes.size; size++)
        assert_int_equal(terms_decode(span_of(bytes.data, size), &got, &err), ERR_INVALID);
    assert_int_equal(buf_append_zeros(&bytes, 1, &err), OK);
    assert_int_equal(terms_decode(buf_span(&bytes), &got, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "too many"));
    buf_fini(&bytes);
}

struct patch {
    size_t at;
    uint8_t to;
    enum status status;
    const char *says;
};

static void terms_decode_refuses_what_terms_encode_would_not_write(void **state)
{
    (void)state;
    static const struct patch patches[] = {
        { 0, 2, ERR_UNSUPPORTED, "version 2" },
        { 1, 0, ERR_INVALID, "purpose: 0 says" },
        { 1, 6, ERR_UNSUPPORTED, "purpose: 6" },
        { 2, 0, ERR_INVALID, "form: 0 says" },
        { 2, 5, ERR_UNSUPPORTED, "form: 5" },
        { 2, 2, ERR_INVALID, "threshold 0" }, /* suppressed without k */
        { 3, 2, ERR_UNSUPPORTED, "attribution: 2" },
        { 4, 2, ERR_UNSUPPORTED, "onward: 2" },
        { 8, 5, ERR_INVALID, "threshold 5" },            /* exact with k */
        { 9, 0x80, ERR_INVALID, "after the beginning" }, /* from < 0 */
        { 9, 0x7f, ERR_INVALID, "after the beginning" },
        { 25, 0x7f, ERR_INVALID, "keep until lies" },
        { 25, 0x80, ERR_INVALID, "keep until lies" },
        { 33, 0xff, ERR_INVALID, "days for erasing" },
        { 35, 1, ERR_LIMIT, "authority: 272 bytes" },
        { 37, 0xff, ERR_INVALID, "authority: not UTF-8" },
        { 38, 0x0a, ERR_INVALID, "authority: U+000A" },
    };
    struct terms terms = good();
    /* long enough for a length of 272 to be read */
    memset(terms.conditions, 'c', 400);
    for (size_t i = 0; i < sizeof(patches) / sizeof(patches[0]); i++) {
        struct buf bytes = encoded(&terms);
        struct terms got;
        struct error err = ERROR_INIT;
        bytes.data[patches[i].at] = patches[i].to;
        assert_int_equal(terms_decode(buf_span(&bytes), &got, &err), patches[i].status);
        assert_non_null(strstr(err.text, patches[i].says));
        buf_fini(&bytes);
    }
    struct error err = ERROR_INIT;
    for (int i = 0; i < 3; i++) {
        struct terms bad = good(), got;
        if (i == 0)
            bad.authority[0] = '\0';
        if (i == 1)
            bad.reference[0] = '\0';
        if (i == 2) {
            bad.form = TERMS_SUPPRESSED;
            bad.threshold = TERMS_THRESHOLD_MAX + 1;
        }
        struct buf bytes = encoded(&bad);
        assert_int_equal(terms_decode(buf_span(&bytes), &got, &err), ERR_INVALID);
        buf_fini(&bytes);
    }
}

static void terms_come_back_as_they_were_written(void **state)
{
    (void)state;
    struct terms terms = good();
    struct terms got;
    struct error err = ERROR_INIT;
    for (int round = 0; round < 2; round++) {
        struct buf bytes = encoded(&terms);
        assert_int_equal(terms_decode(buf_span(&bytes), &got, &err), OK);
        assert_memory_equal(&terms, &got, sizeof(terms));
        struct buf again = encoded(&got);
        assert_true(span_equal(buf_span(&bytes), buf_span(&again)));
        buf_fini(&bytes);
        buf_fini(&again);
        terms.form = TERMS_SUPPRESSED; /* a peer of a later version may send it */
        terms.threshold = 5;
        terms.conditions[0] = '\0';
        memset(terms.conditions, 0, sizeof(terms.conditions));
    }
}

static void the_largest_terms_fit_their_bound(void **state)
{
    (void)state;
    struct terms terms = good();
    memset(terms.authority, 'a', NAME_MAX_BYTES);
    memset(terms.reference, 'r', NAME_MAX_BYTES);
    memset(terms.conditions, 'c', CONDITION_MAX);
    struct buf bytes = encoded(&terms);
    struct terms got;
    struct error err = ERROR_INIT;
    assert_int_equal(bytes.size, TERMS_ENCODED_MAX);
    assert_int_equal(terms_decode(buf_span(&bytes), &got, &err), OK);
    buf_fini(&bytes);
}

static void terms_are_rendered_in_plain_words(void **state)
{
    (void)state;
    struct terms terms = good();
    struct buf text = BUF_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(terms_render(&terms, &text, &err), OK);
    assert_int_equal(buf_terminate(&text, &err), OK);
    assert_string_equal((const char *)text.data,
                        "Purpose: peer review\n"
                        "Form: exactly as it stands\n"
                        "Attribution: the State may be named when it is used\n"
                        "Onward: to nobody else\n"
                        "Valid: from 2026-09-01T00:00:00Z until 2027-09-01T00:00:00Z\n"
                        "Keep until: 2027-08-01T12:00:00Z\n"
                        "Erase within: 14 days after the end\n"
                        "Decided by: Attorney-General\n"
                        "Reference: NV 12/2026\n"
                        "Conditions: only in\nthe room\n");
    buf_clear(&text);
    memset(&terms, 0, sizeof(terms)); /* half a draft renders as well */
    terms.form = TERMS_SUPPRESSED;
    terms.threshold = 5;
    assert_int_equal(terms_render(&terms, &text, &err), OK);
    assert_int_equal(buf_terminate(&text, &err), OK);
    assert_non_null(strstr((const char *)text.data, "Purpose: not said\n"));
    assert_non_null(strstr((const char *)text.data, "suppressed (below 5)\n"));
    assert_non_null(strstr((const char *)text.data, "Conditions: none\n"));
    buf_fini(&text);
}

static void words_outside_of_the_tables_are_question_marks(void **state)
{
    (void)state;
    assert_string_equal(terms_purpose_name(PURPOSE_NONE), "?");
    assert_string_equal(terms_purpose_name(PURPOSE_COUNT), "?");
    assert_string_equal(terms_form_name(TERMS_FORM_COUNT), "?");
    assert_string_equal(terms_attribution_name(ATTRIBUTION_COUNT), "?");
    assert_string_equal(terms_onward_name(ONWARD_NONE), "none");
}

static void a_failed_allocation_is_reported_and_loses_nothing(void **state)
{
    (void)state;
    struct terms terms = good();
    struct terms draft;
    terms_init(&draft, NOW);
    int64_t live = mem_live();
    for (int what = 0; what < 3; what++) {
        struct buf out = BUF_INIT;
        struct error err = ERROR_INIT;
        mem_fail_at(1, true);
        enum status got = what == 0   ? terms_encode(&terms, &out, &err)
                          : what == 1 ? terms_render(&terms, &out, &err)
                                      : terms_check(&draft, NOW, &out, &err);
        mem_fail_at(0, false);
        assert_int_equal(got, ERR_MEMORY);
        buf_fini(&out);
        assert_int_equal(mem_live(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_set_refuses_what_it_does_not_understand_and_changes_nothing),
        cmocka_unit_test(a_draft_without_anything_lists_all_that_is_missing_at_once),
        cmocka_unit_test(terms_check_refuses_each_thing_that_cannot_hold),
        cmocka_unit_test(keep_until_follows_the_end_unless_it_is_said),
        cmocka_unit_test(terms_decode_refuses_every_cut_and_every_byte_too_many),
        cmocka_unit_test(terms_decode_refuses_what_terms_encode_would_not_write),
        cmocka_unit_test(terms_come_back_as_they_were_written),
        cmocka_unit_test(the_largest_terms_fit_their_bound),
        cmocka_unit_test(terms_are_rendered_in_plain_words),
        cmocka_unit_test(words_outside_of_the_tables_are_question_marks),
        cmocka_unit_test(a_failed_allocation_is_reported_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
