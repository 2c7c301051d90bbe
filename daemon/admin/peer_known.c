#include "admin/peer_known.h"

enum { PAGE = 16 };

enum status peer_known_find(struct admin *admin,
                            const struct control_call *call,
                            struct peer_row *ret_row,
                            struct error *err)
{
    struct code code;
    if (!argument_code(&call->arguments, "peer", &code))
        return error_set(err, ERR_INTERNAL, "an operation without its peer");
    struct error why = ERROR_INIT;
    enum status status = peer_rows_get(admin->feed->store, &code, ret_row, &why);
    if (status == ERR_NOT_FOUND) {
        return error_set(
            err, ERR_NOT_FOUND,
            "there is no peer %s here; next: comityctl peer list, or comityctl peer add "
            "FILE with its card",
            code.text);
    }
    if (status != OK && err != NULL)
        *err = why;
    return status;
}

enum status peer_known_filter(struct admin *admin,
                              const struct control_call *call,
                              const char *option,
                              struct error *err)
{
    const char *text = NULL;
    for (size_t i = 0; (text = argument_text_at(&call->arguments, option, i)) != NULL; i++) {
        struct code code;
        struct peer_row row;
        enum status status = code_parse(text, &code, err);
        if (status == OK && code_equal(&code, &admin->feed->self)) {
            return error_set(err, ERR_NOT_FOUND,
                             "%s is this node itself; next: comityctl excerpt list, or comityctl "
                             "stats list",
                             text);
        }
        if (status == OK)
            status = peer_rows_get(admin->feed->store, &code, &row, err);
        if (status != OK)
            return status;
    }
    return OK;
}

enum status peer_known_each(struct admin *admin,
                            peer_known_visit *visit,
                            void *context,
                            struct error *err)
{
    struct peer_row rows[PAGE];
    struct code after;
    enum status status = OK;
    for (size_t count = PAGE, first = 1; status == OK && count == PAGE; first = 0) {
        status = peer_rows_list(admin->feed->store, first ? NULL : &after, rows, PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].code;
            status = visit(context, &rows[i], err);
        }
    }
    return status;
}

enum status peer_known_update(struct admin *admin, const struct peer_row *row, struct error *err)
{
    enum status status = peer_rows_update(admin->feed->store, row, err);
    if (status == OK)
        admin->changed.peers = true;
    return status;
}
