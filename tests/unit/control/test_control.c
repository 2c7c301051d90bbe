/* One request, one answer: in which order a request is judged, and who hears of it. */
#include "base/memory.h"
#include "control/control.h"
#include "support/check.h"
#include "wire/frame.h"

static struct error err;
static char heard[256]; /* what happened, in order */
static enum status handler_gives;

static int set_up(void **state)
{
    (void)state;
    err = (struct error)ERROR_INIT;
    heard[0] = '\0';
    handler_gives = OK;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(mem_live(), 0);
    return 0;
}

static void hear(const char *what)
{
    size_t used = strlen(heard);
    (void)snprintf(heard + used, sizeof(heard) - used, "%s ", what);
}

static enum status handle(void *context, struct control_call *call, struct error *why)
{
    (void)context;
    hear("handled");
    control_say(call, "half", 1, 2);
    reply_note(call->reply, "done");
    error_set(why, ERR_NOT_FOUND, "tried on the way and done without");
    if (handler_gives != OK)
        return error_set(why, handler_gives, "no; next: ask");
    return OK;
}

static enum status run(void *context,
                       const struct control_handler *handler,
                       struct control_call *call,
                       struct error *why)
{
    hear("run");
    return handler->run(context, call, why);
}

static void record(void *context,
                   const struct caller *caller,
                   const struct operation *operation,
                   const struct request *request,
                   const struct error *result)
{
    (void)context;
    (void)caller;
    (void)request;
    hear(operation->name);
    hear(status_name(result->status));
}

static void take_progress(void *self, struct span frame)
{
    struct reply reply;
    (void)self;
    CHECK_OK(reply_decode(span_slice(frame, FRAME_HEAD_SIZE, frame.size), &reply, &err), &err);
    assert_true(reply.is_progress);
    hear(reply.progress_text);
    reply_release(&reply);
}

static const struct control_handler handlers[] = {
    { "peer.show", handle },
    { "hold", handle },
};
static const struct control_service service = { .realm = "training",
                                                .handlers = handlers,
                                                .handler_count = COUNT(handlers),
                                                .run = run,
                                                .record = record };

/* Gives the status of the answer. */
static const char *serve(struct span message, enum permit permit)
{
    static char status[32];
    struct caller caller = { .uid = 7, .permit = permit, .name = "anne" };
    struct control_listener listener = { NULL, take_progress };
    struct buf frame = BUF_INIT;
    struct reply reply;
    CHECK_OK(control_serve(&service, &caller, message, listener, &frame, &err), &err);
    CHECK_OK(reply_decode(span_slice(buf_span(&frame), FRAME_HEAD_SIZE, frame.size), &reply, NULL),
             NULL);
    assert_string_equal(reply.realm, "training");
    (void)snprintf(status, sizeof(status), "%s", reply.status);
    assert_string_equal(status, status_name(err.status));
    reply_release(&reply);
    buf_fini(&frame);
    return status;
}

static const char *ask(const char *operation, const char *peer, enum permit permit)
{
    struct request_argument argument = { "peer", peer };
    struct request request = { .operation = operation,
                               .arguments = &argument,
                               .argument_count = peer != NULL };
    struct buf frame = BUF_INIT;
    struct error why = ERROR_INIT;
    CHECK_OK(request_encode(&request, &frame, &why), &why);
    const char *status = serve(span_slice(buf_span(&frame), FRAME_HEAD_SIZE, frame.size), permit);
    buf_fini(&frame);
    return status;
}

static void what_is_no_request_reaches_nobody(void **state)
{
    (void)state;
    assert_string_equal(serve(SPAN_LITERAL("\xff"), PERMIT_APPROVE), "invalid");
    assert_string_equal(ask("peer.dance", "KE", PERMIT_APPROVE), "unsupported");
    assert_string_equal(ask("peer.add", "KE", PERMIT_APPROVE), "unsupported"); /* no handler */
    assert_string_equal(heard, "");
}

static void the_permit_is_judged_before_the_arguments(void **state)
{
    (void)state;
    assert_string_equal(ask("hold", "nonsense", PERMIT_READ), "denied");
    CHECK_CONTAINS(err.text, "hold needs an operator, and user anne is an auditor here; next: ");
    assert_string_equal(ask("peer.show", "KE", PERMIT_NONE), "denied");
    assert_string_equal(heard, "hold denied peer.show denied ");
}

static void bad_arguments_are_recorded_and_not_run(void **state)
{
    (void)state;
    assert_string_equal(ask("peer.show", "nonsense", PERMIT_READ), "invalid");
    assert_string_equal(ask("peer.show", NULL, PERMIT_READ), "invalid");
    assert_string_equal(heard, "peer.show invalid peer.show invalid ");
}

static void a_good_request_is_run_tells_its_progress_and_is_recorded_as_it_ended(void **state)
{
    (void)state;
    assert_string_equal(ask("peer.show", "KE", PERMIT_READ), "ok");
    assert_string_equal(heard, "run handled half peer.show ok ");
    handler_gives = ERR_CONFLICT;
    heard[0] = '\0';
    assert_string_equal(ask("hold", "KE", PERMIT_APPROVE), "conflict");
    assert_string_equal(heard, "run handled half hold conflict ");
}

static void a_refusal_can_be_written_without_a_request(void **state)
{
    (void)state;
    struct error why = { ERR_BUSY, "the queue is full; next: try again" };
    struct buf frame = BUF_INIT;
    struct reply reply;
    CHECK_OK(control_refuse("training", &why, &frame, &err), &err);
    CHECK_OK(reply_decode(span_slice(buf_span(&frame), FRAME_HEAD_SIZE, frame.size), &reply, &err),
             &err);
    assert_string_equal(reply.status, "busy");
    assert_string_equal(reply.error, why.text);
    reply_release(&reply);
    buf_fini(&frame);
}

static void digests_may_be_typed_in_groups(void **state)
{
    (void)state;
    struct request_argument argument = {
        "digest",
        "01234567 89abcdef-01234567:89abcdef 0123456789abcdef 0123456789ABCDEF",
    };
    struct request request = { .arguments = &argument, .argument_count = 1 };
    const struct argument_rule rule = { .name = "digest", .kind = ARGUMENT_DIGEST };
    struct arguments arguments = { &request, &rule, 1 };
    struct digest digest;
    assert_true(argument_digest(&arguments, "digest", &digest));
    assert_int_equal(digest.bytes[31], 0xef);
    argument.value = "01234567 89abcdef 01234567 89abcdef 01234567 89abcdef 01234567 89abcdef 0";
    assert_false(argument_digest(&arguments, "digest", &digest));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_request_reaches_nobody),
        TEST(the_permit_is_judged_before_the_arguments),
        TEST(bad_arguments_are_recorded_and_not_run),
        TEST(a_good_request_is_run_tells_its_progress_and_is_recorded_as_it_ended),
        TEST(a_refusal_can_be_written_without_a_request),
        TEST(digests_may_be_typed_in_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
