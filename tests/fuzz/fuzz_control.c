/* A request of the control socket, or (first byte odd) an answer: decoded and, when it is one,
 * written again and read to the same. */
#include "fuzz.h"

#include "base/memory.h"
#include "control/argument.h"
#include "control/operation.h"
#include "wire/frame.h"

#include <string.h>

static void check_arguments(const struct request *request)
{
    const struct operation *operation = operation_find(request->operation);
    if (operation == NULL)
        return;
    struct arguments arguments = { request, operation->rules, operation->rule_count };
    struct reply_writer w;
    struct error err = ERROR_INIT;
    reply_init(&w);
    enum status status = argument_check(&arguments, &w, &err);
    FUZZ_REQUIRE((status == OK) == (reply_problem_count(&w) == 0));
    struct buf frame = BUF_INIT;
    struct reply reply;
    FUZZ_REQUIRE(reply_finish(&w, "x", &err, &frame, NULL) == OK);
    struct span message = span_slice(buf_span(&frame), FRAME_HEAD_SIZE, frame.size);
    FUZZ_REQUIRE(reply_decode(message, &reply, NULL) == OK);
    reply_release(&reply);
    buf_fini(&frame);
    reply_fini(&w);
}

static void try_request(struct span bytes)
{
    struct request request;
    struct request again;
    struct error err = ERROR_INIT;
    enum status status = request_decode(bytes, &request, &err);
    FUZZ_REQUIRE(status == OK || err.status == status);
    if (status != OK)
        return;
    check_arguments(&request);
    struct buf frame = BUF_INIT;
    FUZZ_REQUIRE(request_encode(&request, &frame, NULL) == OK);
    struct span message = span_slice(buf_span(&frame), FRAME_HEAD_SIZE, frame.size);
    FUZZ_REQUIRE(request_decode(message, &again, NULL) == OK);
    FUZZ_REQUIRE(strcmp(request.operation, again.operation) == 0);
    FUZZ_REQUIRE(request.file_count == again.file_count);
    FUZZ_REQUIRE(request.argument_count == again.argument_count);
    request_fini(&again);
    request_fini(&request);
    buf_fini(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = mem_live();
    struct span rest = size == 0 ? SPAN_EMPTY : span_of(data + 1, size - 1);
    struct reply reply;
    if (size > 0 && (data[0] & 1) == 0)
        try_request(rest);
    else if (reply_decode(rest, &reply, NULL) == OK)
        reply_release(&reply);
    FUZZ_REQUIRE(mem_live() == live);
    return 0;
}
