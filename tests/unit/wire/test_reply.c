/* Answers of the control socket: written piece by piece, read whole. */
#include "base/memory.h"
#include "support/check.h"
#include "wire/reply.h"

#include <control.pb-c.h>

static struct error err;
static struct reply_writer w;

static int set_up(void **state)
{
    (void)state;
    err = (struct error)ERROR_INIT;
    reply_init(&w);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    reply_fini(&w);
    assert_int_equal(mem_live(), 0);
    return 0;
}

static const struct reply_column columns[] = {
    { "code", "Code", false },
    { "size", "Size", true },
};

static void write_all(void)
{
    reply_fields(&w, "node", "This node");
    reply_field(&w, "code", "Code", "%s", "KE");
    reply_number(&w, "bytes", "Bytes", 4096);
    reply_table(&w, "peers", "Peers", columns, 2);
    reply_cell(&w, "%s", "AU");
    reply_cell_number(&w, 7);
    reply_cell(&w, "%s", "GB");
    reply_cell_time(&w, 0);
    reply_text(&w, "terms", "Terms", SPAN_LITERAL("one\ntwo\n"));
    reply_blob(&w, "card", "ke.card", SPAN_LITERAL("a\0b"));
    reply_note(&w, "first %d", 1);
    reply_note(&w, "second");
    reply_problem(&w, &(struct reply_problem){ .file = "a.csv",
                                               .line = 3,
                                               .column = 18,
                                               .field = "OBS_VALUE",
                                               .value = "n/a",
                                               .rule = "is no number" });
    reply_problem(&w, &(struct reply_problem){ .field = "--x", .rule = "odd", .warning = true });
}

static struct buf finish(const struct error *result)
{
    struct buf frame = BUF_INIT;
    CHECK_OK(reply_finish(&w, "training", result, &frame, &err), &err);
    return frame;
}

static struct span message_of(const struct buf *frame)
{
    return span_slice(buf_span(frame), FRAME_HEAD_SIZE, frame->size);
}

static void an_answer_comes_back_as_it_was_written(void **state)
{
    (void)state;
    struct error why = { ERR_DENIED, "no; next: ask" };
    struct reply reply;
    write_all();
    assert_int_equal(reply_problem_count(&w), 1);
    struct buf frame = finish(&why);
    CHECK_OK(reply_decode(message_of(&frame), &reply, &err), &err);
    buf_clear(&frame);
    assert_string_equal(reply.realm, "training");
    assert_string_equal(reply.status, "denied");
    assert_string_equal(reply.error, "no; next: ask");
    assert_false(reply.is_progress);
    assert_int_equal(reply.section_count, 5);
    assert_int_equal(reply.sections[0].kind, SECTION_FIELDS);
    assert_int_equal(reply.sections[0].row_count, 1);
    assert_string_equal(reply.sections[0].cells[1], "4096");
    assert_true(reply.sections[0].columns[1].number);
    assert_int_equal(reply.sections[1].row_count, 2);
    assert_string_equal(reply.sections[1].cells[2], "GB");
    assert_string_equal(reply.sections[1].cells[3], "-");
    assert_string_equal((const char *)reply.sections[2].content.data, "one\ntwo\n");
    assert_int_equal(reply.sections[3].content.size, 3);
    assert_string_equal(reply.sections[3].file_name, "ke.card");
    assert_string_equal((const char *)reply.sections[4].content.data, "first 1\nsecond\n");
    assert_int_equal(reply.problem_count, 2);
    assert_int_equal(reply.problems[0].line, 3);
    assert_int_equal(reply.problems[0].column, 18);
    assert_string_equal(reply.problems[1].file, "");
    assert_true(reply.problems[1].warning);
    reply_release(&reply);
    buf_fini(&frame);
}

static void generated_code_reads_what_is_written(void **state)
{
    (void)state;
    write_all();
    struct buf frame = finish(NULL);
    Comity__Control__Reply *read = comity__control__reply__unpack(
        NULL, frame.size - FRAME_HEAD_SIZE, frame.data + FRAME_HEAD_SIZE);
    assert_non_null(read);
    assert_memory_equal(read->status.data, "ok", read->status.len);
    assert_int_equal(read->n_sections, 5);
    assert_int_equal(read->sections[1]->kind, COMITY__CONTROL__SECTION_KIND__SECTION_TABLE);
    assert_int_equal(read->sections[1]->n_rows, 2);
    assert_int_equal(read->sections[1]->rows[0]->n_cells, 2);
    assert_memory_equal(read->sections[1]->rows[0]->cells[0].data, "AU", 2);
    assert_int_equal(read->n_problems, 2);
    comity__control__reply__free_unpacked(read, NULL);
    buf_fini(&frame);
}

static void progress_is_marked_as_such(void **state)
{
    (void)state;
    struct buf frame = BUF_INIT;
    struct reply reply;
    CHECK_OK(reply_progress("reading", 3, 9, &frame, &err), &err);
    CHECK_OK(reply_decode(message_of(&frame), &reply, &err), &err);
    assert_true(reply.is_progress);
    assert_string_equal(reply.progress_text, "reading");
    assert_int_equal(reply.progress_done, 3);
    assert_int_equal(reply.progress_total, 9);
    reply_release(&reply);
    buf_fini(&frame);
}

static void a_row_that_is_not_complete_is_our_own_bug_and_said_so(void **state)
{
    (void)state;
    struct reply reply;
    reply_table(&w, "peers", "Peers", columns, 2);
    reply_cell(&w, "AU");
    struct buf frame = finish(NULL);
    CHECK_OK(reply_decode(message_of(&frame), &reply, &err), &err);
    assert_string_equal(reply.status, "internal");
    assert_int_equal(reply.section_count, 0);
    reply_release(&reply);
    buf_fini(&frame);
}

static void an_answer_that_grows_too_large_advises_to_narrow_it(void **state)
{
    (void)state;
    struct reply reply;
    size_t size = (size_t)1024 * 1024;
    uint8_t *bytes = mem_calloc(1, size);
    assert_non_null(bytes);
    for (int i = 0; i < CONTROL_REPLY_MAX / (1024 * 1024); i++)
        reply_blob(&w, "part", "part", span_of(bytes, size));
    struct buf frame = finish(NULL);
    CHECK_OK(reply_decode(message_of(&frame), &reply, &err), &err);
    assert_string_equal(reply.status, "limit");
    CHECK_CONTAINS(reply.error, "next: narrow the listing");
    reply_release(&reply);
    buf_fini(&frame);
    mem_free(bytes);
}

static void problems_beyond_the_bound_are_counted(void **state)
{
    (void)state;
    struct reply reply;
    for (int i = 0; i < PROBLEMS_MAX + 5; i++)
        reply_problem(&w, &(struct reply_problem){ .rule = "bad" });
    assert_int_equal(reply_problem_count(&w), PROBLEMS_MAX + 5);
    struct buf frame = finish(NULL);
    CHECK_OK(reply_decode(message_of(&frame), &reply, &err), &err);
    assert_int_equal(reply.problem_count, PROBLEMS_MAX);
    CHECK_CONTAINS((const char *)reply.sections[0].content.data, "5 more problems");
    reply_release(&reply);
    buf_fini(&frame);
}

/* Every byte of an answer changed in turn: an error or an answer, never more. */
static void a_damaged_answer_is_never_followed_blindly(void **state)
{
    (void)state;
    write_all();
    struct buf frame = finish(NULL);
    for (size_t i = FRAME_HEAD_SIZE; i < frame.size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct reply reply = { 0 };
            frame.data[i] ^= (uint8_t)(1U << bit);
            enum status status = reply_decode(message_of(&frame), &reply, &err);
            assert_true(status == OK || status == ERR_INVALID || status == ERR_LIMIT);
            reply_release(&reply);
            frame.data[i] ^= (uint8_t)(1U << bit);
        }
    }
    for (size_t size = FRAME_HEAD_SIZE; size < frame.size; size++) {
        struct reply reply = { 0 };
        enum status status = reply_decode(
            span_slice(buf_span(&frame), FRAME_HEAD_SIZE, size - FRAME_HEAD_SIZE), &reply, &err);
        assert_true(status == OK || status == ERR_INVALID);
        reply_release(&reply);
    }
    buf_fini(&frame);
}

static void any_failing_allocation_is_reported(void **state)
{
    (void)state;
    for (uint64_t nth = 1;; nth++) {
        struct buf frame = BUF_INIT;
        struct reply reply = { 0 };
        reply_reset(&w);
        mem_fail_at(nth, false);
        write_all();
        enum status status = reply_finish(&w, "x", NULL, &frame, &err);
        if (status == OK)
            status = reply_decode(message_of(&frame), &reply, &err);
        bool hit = mem_fail_hit();
        mem_fail_at(0, false);
        if (hit)
            assert_true(status == ERR_MEMORY ||
                        (reply.status != NULL && strcmp(reply.status, "memory") == 0));
        reply_release(&reply);
        buf_fini(&frame);
        if (!hit)
            break;
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_comes_back_as_it_was_written),
        TEST(generated_code_reads_what_is_written),
        TEST(progress_is_marked_as_such),
        TEST(a_row_that_is_not_complete_is_our_own_bug_and_said_so),
        TEST(an_answer_that_grows_too_large_advises_to_narrow_it),
        TEST(problems_beyond_the_bound_are_counted),
        TEST(a_damaged_answer_is_never_followed_blindly),
        TEST(any_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
