#include "admin/card_file.h"

#include "base/counted.h"
#include "record/looks.h"

enum status card_file_read(struct admin *admin,
                           struct control_call *call,
                           const struct card_source *source,
                           struct card *ret_card,
                           struct error *err)
{
    if (looks_check_card(source->text, err) != OK)
        return error_prefix(err, "%s", source->name);
    struct card_rule rule = { .realm = admin->feed->realm,
                              .self = admin->feed->self,
                              .known_anchor = source->known_anchor,
                              .now_ms = admin->feed->clock->wall_ms(admin->feed->clock) };
    struct card_problems problems = { .count = 0 };
    enum status status = card_read(source->text, &rule, ret_card, &problems, err);
    for (size_t i = 0; status != OK && i < problems.count; i++) {
        reply_problem(call->reply, &(struct reply_problem){ .file = source->name,
                                                            .field = "",
                                                            .value = "",
                                                            .rule = problems.items[i].text });
    }
    if (status != OK && problems.count > 0)
        return error_set(err, status, "%s in the card; nothing was changed",
                         counted(problems.count, "problem").text);
    return status;
}
