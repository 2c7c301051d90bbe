#include "control/control.h"

#include <stdio.h>
#include <string.h>

struct serving {
    const struct control_service *service;
    struct control_call call;
    const struct operation *operation;
    const struct control_handler *handler;
};

static const struct control_handler *find_handler(const struct control_service *service,
                                                  const char *name)
{
    for (size_t i = 0; i < service->handler_count; i++)
        if (strcmp(service->handlers[i].operation, name) == 0)
            return &service->handlers[i];
    return NULL;
}

static enum status find(struct serving *serving, const struct request *request, struct error *err)
{
    const struct operation *operation = operation_find(request->operation);
    const struct control_handler *handler = find_handler(serving->service, request->operation);
    if (operation == NULL || handler == NULL) {
        return error_set(err, ERR_UNSUPPORTED,
                         "this comityd has no operation '%.40s'; next: use the comityctl that came "
                         "with it",
                         request->operation);
    }
    serving->operation = operation;
    serving->handler = handler;
    serving->call.arguments.request = request;
    serving->call.arguments.rules = operation->rules;
    serving->call.arguments.rule_count = operation->rule_count;
    return OK;
}

static enum status check_permit(const struct operation *operation,
                                const struct caller *caller,
                                struct error *err)
{
    if (caller->permit >= operation->least)
        return OK;
    char words[64]; /* "peer accept", as it is typed */
    (void)snprintf(words, sizeof(words), "%s", operation->name);
    for (char *at = words; *at != '\0'; at++)
        *at = (char)(*at == '.' ? ' ' : *at);
    return error_set(err, ERR_DENIED,
                     "%s needs an %s, and user %s is %s%s here; next: ask somebody whom the "
                     "configuration lists under %ss",
                     words, permit_name(operation->least), caller->name,
                     caller->permit == PERMIT_NONE ? "" : "an ", permit_name(caller->permit),
                     permit_name(operation->least));
}

static enum status serve_request(struct serving *serving,
                                 const struct request *request,
                                 struct error *err)
{
    enum status status = find(serving, request, err);
    if (status != OK)
        return status;
    status = check_permit(serving->operation, serving->call.caller, err);
    if (status == OK)
        status = argument_check(&serving->call.arguments, serving->call.reply, err);
    if (status == OK)
        status =
            serving->service->run(serving->service->context, serving->handler, &serving->call, err);
    if (status == OK) /* an answer that grew too large is a failure as well */
        status = reply_status(serving->call.reply, err);
    if (status == OK) /* what somebody on the way tried and did without is not the result */
        *err = (struct error)ERROR_INIT;
    if (serving->service->record != NULL)
        serving->service->record(serving->service->context, serving->call.caller,
                                 serving->operation, request, err);
    return status;
}

enum status control_serve(const struct control_service *service,
                          const struct caller *caller,
                          struct span message,
                          struct control_listener listener,
                          struct buf *append_to,
                          struct error *ret_result)
{
    struct reply_writer reply;
    reply_init(&reply);
    struct serving serving = {
        .service = service,
        .call = { .caller = caller, .reply = &reply, .listener = listener },
    };
    struct error result = ERROR_INIT;
    struct request request = { 0 };
    enum status status = request_decode(message, &request, &result);
    if (status == OK)
        status = serve_request(&serving, &request, &result);
    if (status == OK)
        result = (struct error)ERROR_INIT;
    struct error failure = ERROR_INIT;
    enum status finished = reply_finish(&reply, service->realm, &result, append_to, &failure);
    reply_fini(&reply);
    request_fini(&request);
    if (ret_result != NULL)
        *ret_result = finished == OK ? result : failure;
    return finished;
}

enum status control_refuse(const char *realm,
                           const struct error *why,
                           struct buf *append_to,
                           struct error *err)
{
    struct reply_writer reply;
    reply_init(&reply);
    enum status status = reply_finish(&reply, realm, why, append_to, err);
    reply_fini(&reply);
    return status;
}

void control_say(struct control_call *call, const char *text, uint64_t done, uint64_t total)
{
    if (call->listener.progress == NULL)
        return;
    struct buf frame = BUF_INIT;
    if (reply_progress(text, done, total, &frame, NULL) == OK)
        call->listener.progress(call->listener.self, buf_span(&frame));
    buf_fini(&frame);
}
