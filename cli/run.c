#include "cli/run.h"

#include "base/counted.h"
#include "base/text.h"
#include "cli/client.h"
#include "cli/file.h"
#include "cli/help.h"
#include "cli/local.h"
#include "cli/parse.h"
#include "cli/render.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int run_exit_code(const char *status, bool problems)
{
    enum status value = STATUS_COUNT;
    for (unsigned i = 0; i < STATUS_COUNT; i++)
        if (strcmp(status_name((enum status)i), status) == 0)
            value = (enum status)i;
    if (value == OK)
        return EXIT_OK;
    if (problems || value == ERR_INVALID || value == ERR_LIMIT)
        return EXIT_PROBLEMS;
    if (value == ERR_DENIED)
        return EXIT_DENIED;
    if (value == ERR_CONFLICT || value == ERR_BUSY)
        return EXIT_AGAIN;
    if (value == ERR_SIGNATURE || value == ERR_MISMATCH || value == ERR_CORRUPT)
        return EXIT_UNTRUE;
    return EXIT_FAILED;
}

/* -- showing ----------------------------------------------------------------------------------- */

static size_t terminal_width(FILE *out)
{
    struct winsize size = { 0 };
    int fd = fileno(out);
    if (fd < 0 || !isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col < 40 ? 80 : size.ws_col;
}

static struct render choose_render(const struct options *options, const struct streams *streams)
{
    return (struct render){
        .out = streams->out,
        .messages = streams->messages,
        .mode = options->json    ? RENDER_JSON
                : options->plain ? RENDER_PLAIN
                                 : RENDER_TABLE,
        .width = terminal_width(streams->out),
    };
}

static int show_error(const struct streams *streams, const struct error *err, int code)
{
    struct error again = ERROR_INIT;
    if (render_error(streams->messages, err->text, &again) != OK)
        (void)fputs("comityctl: no memory\n", streams->messages);
    return code;
}

/* What went wrong on this side, in the form that was asked for. */
static int show_failure(const struct options *options,
                        const struct streams *streams,
                        const struct error *err,
                        int code)
{
    if (!options->json)
        return show_error(streams, err, code);
    char text[sizeof(err->text)];
    (void)snprintf(text, sizeof(text), "%s", err->text);
    const struct reply reply = { .realm = "", .status = status_name(err->status), .error = text };
    const struct render render = choose_render(options, streams);
    struct error again = ERROR_INIT;
    if (render_reply(&render, &reply, &again) != OK)
        return show_error(streams, &again, EXIT_FAILED);
    return code;
}

/* A file of the answer: to --out, or to standard output as it is. */
static enum status give_file(const struct options *options,
                             const struct streams *streams,
                             const struct reply_section *section,
                             struct error *err)
{
    if (options->out != NULL) {
        enum status status = file_write_new(options->out, section->content, 0644, err);
        if (status == OK)
            (void)fprintf(streams->messages, "wrote %s, %s\n", options->out,
                          counted(section->content.size, "byte").text);
        return status;
    }
    if (options->json)
        return OK;
    struct buf shown = BUF_INIT;
    enum status status = OK;
    if (terminal_width(streams->out) > 0) { /* a file may hold what a terminal obeys */
        status = text_escape(section->content, true, &shown, err);
        (void)fwrite(shown.data, 1, status == OK ? shown.size : 0, streams->out);
    } else {
        (void)fwrite(section->content.data, 1, section->content.size, streams->out);
    }
    buf_fini(&shown);
    if (status == OK && fflush(streams->out) != 0)
        status = error_set(err, ERR_IO, "the answer could not be written");
    return status;
}

static int show_reply(const struct options *options,
                      const struct streams *streams,
                      const struct reply *reply)
{
    struct render render = choose_render(options, streams);
    struct error err = ERROR_INIT;
    enum status status = OK;
    for (size_t i = 0; status == OK && i < reply->section_count; i++)
        if (reply->sections[i].kind == SECTION_BLOB)
            status = give_file(options, streams, &reply->sections[i], &err);
    if (status != OK)
        return show_failure(options, streams, &err, EXIT_FAILED);
    if (render_reply(&render, reply, &err) != OK)
        return show_error(streams, &err, EXIT_FAILED);
    bool problems = false;
    for (size_t i = 0; i < reply->problem_count; i++)
        problems = problems || !reply->problems[i].warning;
    return run_exit_code(reply->status, problems);
}

/* What was written here is read back and shown as if it had come from the daemon. */
static int show_writer(const struct options *options,
                       const struct streams *streams,
                       struct reply_writer *writer,
                       const char *realm,
                       const struct error *result)
{
    struct buf frame = BUF_INIT;
    struct error err = ERROR_INIT;
    struct reply reply = { 0 };
    enum status status = reply_finish(writer, realm, result, &frame, &err);
    if (status == OK)
        status =
            reply_decode(span_slice(buf_span(&frame), FRAME_HEAD_SIZE, frame.size), &reply, &err);
    int code = status == OK ? show_reply(options, streams, &reply)
                            : show_error(streams, &err, EXIT_FAILED);
    reply_release(&reply);
    buf_fini(&frame);
    return code;
}

static size_t progress_size; /* of the line that stands there, in bytes */

/* What follows begins on an empty line. */
static void clear_progress(void)
{
    if (progress_size > 0)
        (void)fprintf(stderr, "\r%*s\r", (int)progress_size, "");
    progress_size = 0;
}

static void show_progress(const struct reply *reply)
{
    if (!isatty(STDERR_FILENO))
        return;
    clear_progress();
    struct buf line = BUF_INIT;
    struct error ignored;
    const char *text = render_escaped(&line, reply->progress_text, false, &ignored);
    int size = 0;
    if (text != NULL && reply->progress_total > 0) {
        size = fprintf(stderr, "%s: %llu of %llu", text, (unsigned long long)reply->progress_done,
                       (unsigned long long)reply->progress_total);
    } else if (text != NULL && reply->progress_done > 0) {
        size = fprintf(stderr, "%s: %llu", text, (unsigned long long)reply->progress_done);
    } else if (text != NULL) {
        size = fprintf(stderr, "%s ...", text);
    }
    progress_size = size > 0 ? (size_t)size : 0;
    buf_fini(&line);
}

/* -- doing ------------------------------------------------------------------------------------- */

/* Reads the files that were named; every one that cannot be read is a problem. */
static enum status attach(struct request *request, struct reply_writer *problems, struct error *err)
{
    size_t left = CONTROL_REQUEST_MAX;
    for (size_t i = 0; i < request->file_count; i++) {
        struct request_file *file = &request->files[i];
        struct buf bytes = BUF_INIT;
        struct error why = ERROR_INIT;
        if (file_read(file->path, left, &bytes, &why) == OK) {
            left -= bytes.size;
            file->bytes = buf_span(&bytes); /* freed by parse_fini */
            continue;
        }
        buf_fini(&bytes);
        reply_problem(problems, &(struct reply_problem){
                                    .file = "", .field = "", .value = "", .rule = why.text });
    }
    size_t count = reply_problem_count(problems);
    if (count == 0)
        return OK;
    if (request->file_count == 1) {
        return error_set(err, ERR_INVALID,
                         "the file cannot be used; nothing was done; next: check "
                         "its name, and whether you may read it");
    }
    return error_set(err, ERR_INVALID,
                     "%zu of %zu files cannot be used; nothing was done; next: check their names, "
                     "and whether you may read them",
                     count, request->file_count);
}

/* The value of a field of the answer; NULL when it is not there. */
static const char *find_field(const struct reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->section_count; i++) {
        for (size_t j = 0; j < reply->sections[i].column_count; j++) {
            if (reply->sections[i].kind == SECTION_FIELDS &&
                strcmp(reply->sections[i].columns[j].name, name) == 0)
                return reply->sections[i].cells[j];
        }
    }
    return NULL;
}

/* A backup goes on while somebody asks how far it is: asks until it is done. */
static enum status follow(int fd, struct reply *reply, struct error *err)
{
    const struct request how_far = { .operation = "backup.status" };
    const char *state = NULL;
    while ((state = find_field(reply, "state")) != NULL && strcmp(state, "running") == 0) {
        const char *pages = find_field(reply, "pages");
        const char *total = find_field(reply, "pages_total");
        if (pages != NULL && total != NULL) {
            show_progress(&(struct reply){ .progress_text = "pages copied",
                                           .progress_done = strtoull(pages, NULL, 10),
                                           .progress_total = strtoull(total, NULL, 10) });
        }
        struct reply next = { 0 };
        enum status status = client_ask(fd, &how_far, show_progress, &next, err);
        if (status == ERR_DENIED) { /* no answer; and it is not us whom it does not know */
            return error_set(err, ERR_IO,
                             "comityd closed the connection while it made the backup, which is not "
                             "whole; next: look at comityd's log, start it again if it ended, and "
                             "repeat");
        }
        if (status != OK)
            return status;
        reply_release(reply);
        *reply = next;
    }
    return OK;
}

static int ask(const struct invocation *in, const struct streams *streams)
{
    struct error err = ERROR_INIT;
    struct buf path = BUF_INIT;
    struct reply reply = { 0 };
    int fd = -1;
    int code = EXIT_UNREACHABLE;
    enum status status = client_socket_path(in->options.config, in->options.socket, &path, &err);
    if (status == OK)
        status = client_connect((const char *)path.data, &fd, &err);
    if (status == OK) {
        status = client_ask(fd, &in->request, show_progress, &reply, &err);
        if (status == OK && strcmp(in->request.operation, "backup.create") == 0)
            status = follow(fd, &reply, &err);
        code = run_exit_code(status_name(status), false);
    }
    clear_progress();
    if (status == OK)
        code = show_reply(&in->options, streams, &reply);
    else
        show_failure(&in->options, streams, &err, code);
    if (fd >= 0)
        close(fd);
    reply_release(&reply);
    buf_fini(&path);
    return code;
}

static int do_here(const struct invocation *in, const struct streams *streams)
{
    struct reply_writer reply;
    reply_init(&reply);
    struct local_call call = { .options = &in->options, .reply = &reply };
    call.arguments.request = &in->request;
    call.arguments.rules = command_rules(in->command, &call.arguments.rule_count);
    struct error result = ERROR_INIT;
    if (in->command->run(&call, &result) == OK)
        result = (struct error)ERROR_INIT;
    int code = show_writer(&in->options, streams, &reply, call.realm.text, &result);
    reply_fini(&reply);
    return code;
}

static int show_help(const struct invocation *in, const struct streams *streams)
{
    struct buf text = BUF_INIT;
    struct error err = ERROR_INIT;
    bool asked = in->options.help;
    if (help_text(in->group, in->command, &text, &err) != OK) {
        buf_fini(&text);
        return show_error(streams, &err, EXIT_FAILED);
    }
    (void)fwrite(text.data, 1, text.size, asked ? streams->out : streams->messages);
    buf_fini(&text);
    return asked ? EXIT_OK : EXIT_USAGE;
}

static int run_parsed(struct invocation *in, const struct streams *streams)
{
    if (in->options.version) {
        (void)fputs("comityctl " COMITY_VERSION "\n", streams->out);
        return EXIT_OK;
    }
    if (in->options.help || in->command == NULL)
        return show_help(in, streams);
    struct reply_writer problems;
    reply_init(&problems);
    struct error err = ERROR_INIT;
    int code = EXIT_OK;
    if (attach(&in->request, &problems, &err) != OK)
        code = show_writer(&in->options, streams, &problems, "", &err);
    else
        code = in->command->operation == NULL ? do_here(in, streams) : ask(in, streams);
    reply_fini(&problems);
    return code;
}

int run(int argc, char **argv, const struct streams *streams)
{
    struct invocation in = { 0 };
    struct reply_writer problems;
    struct error err = ERROR_INIT;
    reply_init(&problems);
    int code = EXIT_USAGE;
    if (parse(argc, argv, &in, &problems, &err) == OK)
        code = run_parsed(&in, streams);
    else
        show_writer(&in.options, streams, &problems, "", &err);
    reply_fini(&problems);
    parse_fini(&in);
    return code;
}

enum status help_run(struct local_call *call, struct error *err)
{
    struct buf text = BUF_INIT;
    bool manual = argument_given(&call->arguments, "man");
    enum status status = manual ? help_manual(&text, err) : help_text(NULL, NULL, &text, err);
    if (status == OK && manual)
        reply_blob(call->reply, "manual", "comityctl.1", buf_span(&text));
    else if (status == OK)
        reply_text(call->reply, "help", "", buf_span(&text));
    buf_fini(&text);
    return status;
}
