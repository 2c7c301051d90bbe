/* Requests of the control socket: what a daemon refuses to read; and that the generated code of
 * proto/control.proto reads and writes the same bytes. */
#include "base/memory.h"
#include "support/check.h"
#include "wire/request.h"

#include <control.pb-c.h>

static struct error err;

static int set_up(void **state)
{
    (void)state;
    err = (struct error)ERROR_INIT;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(mem_live(), 0);
    return 0;
}

static struct span text_span(const char *bytes, size_t size)
{
    return span_of(bytes, size);
}

#define REFUSES(bytes, status, said)                 \
    {                                                \
        (bytes), sizeof(bytes) - 1, (status), (said) \
    }

static void malformed_requests_are_refused_with_their_reason(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        enum status status;
        const char *said;
    } cases[] = {
        REFUSES("", ERR_UNSUPPORTED, "version 0"),
        REFUSES("\x08\x02\x12\x01s", ERR_UNSUPPORTED, "version 2"),
        REFUSES("\x08\x01", ERR_INVALID, "no operation"),
        REFUSES("\x08\x01\x12\x00", ERR_INVALID, "no operation"),
        REFUSES("\x08\x01\x12\x01", ERR_INVALID, "malformed"),
        REFUSES("\x08\x01\x12\x05s", ERR_INVALID, "malformed"),
        REFUSES("\x08\x81\x00\x12\x01s", ERR_INVALID, "malformed"),
        REFUSES("\x08\x01\x0b\x12\x01s", ERR_INVALID, "malformed"),
        REFUSES("\x00\x01", ERR_INVALID, "malformed"),
        REFUSES("\x08\x01\x10\x01", ERR_INVALID, "operation: wrong type"),
        REFUSES("\x08\x01\x12\x01s\x12\x01s", ERR_INVALID, "operation: given twice"),
        REFUSES("\x08\x01\x12\x01\xff", ERR_INVALID, "not UTF-8"),
        REFUSES("\x08\x01\x12\x02s\x00", ERR_INVALID, "operation"),
        REFUSES("\x08\x01\x12\x01s\x18\x01", ERR_INVALID, "wrong type"),
        REFUSES("\x08\x01\x12\x01s\x1a\x00", ERR_INVALID, "without a name"),
        REFUSES("\x08\x01\x12\x01s\x1a\x02\x0a\x00", ERR_INVALID, "without a name"),
        REFUSES("\x08\x01\x12\x01s\x22\x04\x0a\x00\x12\x00", ERR_INVALID, "without a name"),
        REFUSES("\x08\x01\x12\x01s\x1a\x02\x0a\x09", ERR_INVALID, "malformed"),
        REFUSES("\x08\x01\x12\x01s\x1a\x06\x0a\x01"
                "a\x0a\x01"
                "b",
                ERR_INVALID, "given twice"),
        REFUSES("\x08\x01\x12\x01s\x22\x05\x0a\x01"
                "a\x18\x01",
                ERR_INVALID, "a file's bytes"),
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct request request;
        CHECK_STATUS(request_decode(text_span(cases[i].bytes, cases[i].size), &request, &err),
                     cases[i].status, &err);
        CHECK_CONTAINS(err.text, cases[i].said);
    }
}

/* `count` copies of a field behind a good request. */
static enum status decode_with_many(const char *field, size_t size, size_t count)
{
    struct buf bytes = BUF_INIT;
    struct request request = { 0 };
    CHECK_OK(buf_append(&bytes, SPAN_LITERAL("\x08\x01\x12\x01s"), &err), &err);
    for (size_t i = 0; i < count; i++)
        CHECK_OK(buf_append(&bytes, text_span(field, size), &err), &err);
    enum status status = request_decode(buf_span(&bytes), &request, &err);
    request_fini(&request);
    buf_fini(&bytes);
    return status;
}

static void floods_of_parts_are_refused(void **state)
{
    (void)state;
    CHECK_OK(decode_with_many("\x48\x01", 2, MESSAGE_UNKNOWN_MAX), &err);
    CHECK_STATUS(decode_with_many("\x48\x01", 2, MESSAGE_UNKNOWN_MAX + 1), ERR_LIMIT, &err);
    CHECK_OK(decode_with_many("\x1a\x03\x0a\x01n", 5, MESSAGE_FIELDS_MAX), &err);
    CHECK_STATUS(decode_with_many("\x1a\x03\x0a\x01n", 5, MESSAGE_FIELDS_MAX + 1), ERR_LIMIT, &err);
    CHECK_OK(decode_with_many("\x22\x03\x0a\x01n", 5, REQUEST_FILES_MAX), &err);
    CHECK_STATUS(decode_with_many("\x22\x03\x0a\x01n", 5, REQUEST_FILES_MAX + 1), ERR_LIMIT, &err);
}

static struct request sample(struct request_argument *arguments, struct request_file *files)
{
    arguments[0] = (struct request_argument){ "peer", "KE" };
    arguments[1] = (struct request_argument){ "reason", "" };
    files[0] = (struct request_file){ "file", "a.csv", SPAN_LITERAL("x\0y") };
    files[1] = (struct request_file){ "file", "b.csv", SPAN_EMPTY };
    return (struct request){ .operation = "peer.block",
                             .arguments = arguments,
                             .argument_count = 2,
                             .files = files,
                             .file_count = 2 };
}

static void a_request_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    struct request_argument arguments[2];
    struct request_file files[2];
    struct request sent = sample(arguments, files);
    struct request got;
    struct buf frame = BUF_INIT;
    CHECK_OK(request_encode(&sent, &frame, &err), &err);
    assert_int_equal(frame.data[3], frame.size - FRAME_HEAD_SIZE);
    CHECK_OK(request_decode(span_slice(buf_span(&frame), FRAME_HEAD_SIZE, frame.size), &got, &err),
             &err);
    buf_clear(&frame); /* nothing borrows */
    assert_string_equal(got.operation, "peer.block");
    assert_int_equal(got.argument_count, 2);
    assert_string_equal(got.arguments[0].name, "peer");
    assert_string_equal(got.arguments[0].value, "KE");
    assert_string_equal(got.arguments[1].value, "");
    assert_int_equal(got.file_count, 2);
    assert_string_equal(got.files[0].path, "a.csv");
    assert_true(span_equal(got.files[0].bytes, SPAN_LITERAL("x\0y")));
    assert_int_equal(got.files[1].bytes.size, 0);
    request_fini(&got);
    buf_fini(&frame);
}

static void generated_code_reads_what_is_written(void **state)
{
    (void)state;
    struct request_argument arguments[2];
    struct request_file files[2];
    struct request sent = sample(arguments, files);
    struct buf frame = BUF_INIT;
    CHECK_OK(request_encode(&sent, &frame, &err), &err);
    Comity__Control__Request *read = comity__control__request__unpack(
        NULL, frame.size - FRAME_HEAD_SIZE, frame.data + FRAME_HEAD_SIZE);
    assert_non_null(read);
    assert_int_equal(read->version, REQUEST_VERSION);
    assert_memory_equal(read->operation.data, "peer.block", read->operation.len);
    assert_int_equal(read->n_arguments, 2);
    assert_memory_equal(read->arguments[0]->value.data, "KE", 2);
    assert_int_equal(read->n_attachments, 2);
    assert_memory_equal(read->attachments[0]->bytes.data, "x\0y", 3);
    comity__control__request__free_unpacked(read, NULL);
    buf_fini(&frame);
}

static void a_request_that_is_too_large_is_not_sent(void **state)
{
    (void)state;
    size_t size = (size_t)CONTROL_REQUEST_MAX;
    uint8_t *bytes = mem_calloc(1, size);
    assert_non_null(bytes);
    struct request_file file = { "file", "large", span_of(bytes, size) };
    struct request request = { .operation = "x", .files = &file, .file_count = 1 };
    struct buf frame = BUF_INIT;
    CHECK_STATUS(request_encode(&request, &frame, &err), ERR_LIMIT, &err);
    CHECK_CONTAINS(err.text, "next: send fewer or smaller files");
    assert_int_equal(frame.size, 0);
    buf_fini(&frame);
    mem_free(bytes);
}

static void any_failing_allocation_fails_the_request_alone(void **state)
{
    (void)state;
    struct request_argument arguments[2];
    struct request_file files[2];
    struct request sent = sample(arguments, files);
    struct buf frame = BUF_INIT;
    CHECK_OK(request_encode(&sent, &frame, &err), &err);
    struct span message = span_slice(buf_span(&frame), FRAME_HEAD_SIZE, frame.size);
    for (uint64_t nth = 1;; nth++) {
        struct request got = { 0 };
        mem_fail_at(nth, false);
        enum status status = request_decode(message, &got, &err);
        bool hit = mem_fail_hit();
        mem_fail_at(0, false);
        request_fini(&got);
        if (!hit)
            break;
        assert_int_equal(status, ERR_MEMORY);
    }
    buf_fini(&frame);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(malformed_requests_are_refused_with_their_reason),
        TEST(floods_of_parts_are_refused),
        TEST(a_request_comes_back_as_it_was_sent),
        TEST(generated_code_reads_what_is_written),
        TEST(a_request_that_is_too_large_is_not_sent),
        TEST(any_failing_allocation_fails_the_request_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
