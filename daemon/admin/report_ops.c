/* Reports over what this node holds of others. */
#include "admin/ops.h"
#include "admin/peer_known.h"
#include "base/counted.h"
#include "feed/listing.h"
#include "log/header.h"
#include "report/cooperation.h"

#include <string.h>

struct gathering {
    struct cooperation *cooperation;
    const struct arguments *arguments;
    size_t used;
    size_t unnamed; /* held, but the State may not be named with it */
    size_t other_purpose;
};

static bool is_asked_for(const struct arguments *arguments, const struct code *code)
{
    if (!argument_given(arguments, "from"))
        return true;
    const char *wanted = NULL;
    for (size_t i = 0; (wanted = argument_text_at(arguments, "from", i)) != NULL; i++)
        if (strcmp(wanted, code->text) == 0)
            return true;
    return false;
}

/* Every other purpose was consented to for something else than laying figures side by side. */
static bool purpose_allows(enum terms_purpose purpose)
{
    return purpose == PURPOSE_COOPERATION || purpose == PURPOSE_AGGREGATE ||
           purpose == PURPOSE_PUBLICATION;
}

static enum status gather(void *context, const struct listing_received *received, struct error *err)
{
    struct gathering *gathering = context;
    bool usable = received->row.kind == KIND_RELEASE && received->row.state == HOLDING_ACTIVE &&
                  received->has_text && received->has_terms;
    if (!usable || !is_asked_for(gathering->arguments, &received->publisher))
        return OK;
    if (!purpose_allows(received->terms.purpose)) {
        gathering->other_purpose++;
        return OK;
    }
    if (received->terms.attribution != ATTRIBUTION_NAMED) {
        gathering->unnamed++;
        return OK;
    }
    struct release release;
    enum status status = release_decode(NULL, received->view.canonical, &release, err);
    if (status != OK)
        return status;
    status = cooperation_add(gathering->cooperation, &received->publisher, &release, err);
    release_fini(&release);
    gathering->used++;
    return status;
}

static void put_line(struct reply_writer *w,
                     const struct cooperation *c,
                     size_t line,
                     const unsigned *dimensions,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *code = cooperation_dimension(c, line, dimensions[i]);
        bool own = dimensions[i] == INTCOOP_REF_AREA && code[0] == '\0';
        reply_cell(w, "%s", own ? "the State" : code);
    }
    for (size_t i = 0; i < cooperation_states(c); i++) {
        const char *value = cooperation_value(c, line, i);
        reply_cell(w, "%s", value[0] == '\0' ? "-" : value);
    }
}

static void put_table(struct reply_writer *w, const struct cooperation *c)
{
    unsigned dimensions[DIMENSIONS_MAX];
    size_t count = cooperation_varying(c, dimensions);
    struct reply_column columns[DIMENSIONS_MAX + COOPERATION_STATES_MAX];
    for (size_t i = 0; i < count; i++) {
        columns[i] =
            (struct reply_column){ STRUCTURE_INTCOOP.dimensions[dimensions[i]].id,
                                   STRUCTURE_INTCOOP.dimensions[dimensions[i]].name, false };
    }
    for (size_t i = 0; i < cooperation_states(c); i++)
        columns[count + i] = (struct reply_column){ cooperation_state_code(c, i),
                                                    cooperation_state_name(c, i), true };
    /* codes stay in the cells, so that the table fits; what they mean stands behind it */
    reply_table(w, "figures", "Figures of consenting States, side by side", columns,
                count + cooperation_states(c));
    for (size_t line = 0; line < cooperation_lines(c); line++)
        put_line(w, c, line, dimensions, count);
    struct ops_legend legend = { .w = w };
    for (size_t i = 0; i < count; i++) {
        for (size_t line = 0; line < cooperation_lines(c); line++)
            ops_legend_add(&legend, &STRUCTURE_INTCOOP.dimensions[dimensions[i]],
                           span_text(cooperation_dimension(c, line, dimensions[i])));
    }
}

static void put_common(struct reply_writer *w, const struct cooperation *c)
{
    unsigned varying[DIMENSIONS_MAX];
    size_t count = cooperation_varying(c, varying);
    size_t at = 0;
    reply_fields(w, "common", "The same in all lines");
    for (unsigned i = 0; cooperation_lines(c) > 0 && i < STRUCTURE_INTCOOP.dimension_count; i++) {
        if (at < count && varying[at] == i) {
            at++;
            continue;
        }
        const struct component *dimension = &STRUCTURE_INTCOOP.dimensions[i];
        const char *code = cooperation_dimension(c, 0, i);
        const char *name = codelist_name(dimension->codes, span_text(code));
        if (code[0] == '\0')
            reply_field(w, dimension->id, dimension->name, "the State itself");
        else if (name == NULL)
            reply_field(w, dimension->id, dimension->name, "%s", code);
        else
            reply_field(w, dimension->id, dimension->name, "%s (%s)", code, name);
    }
}

static void put_notes(struct reply_writer *w, const struct gathering *gathering)
{
    reply_note(w, "%s", cooperation_disclaimer);
    if (gathering->unnamed > 0) {
        reply_note(
            w, "Left out: %s, since the consents do not allow naming the State beside its figures.",
            counted(gathering->unnamed, "release").text);
    }
    if (gathering->other_purpose > 0)
        reply_note(w, "Left out: %s, since given for another purpose.",
                   counted(gathering->other_purpose, "release").text);
}

/* A code that no list has would find nothing, as if no State had such figures. */
static void check_code(struct control_call *call, const char *option, unsigned dimension)
{
    const char *value = argument_text(&call->arguments, option);
    const struct codelist *codes = STRUCTURE_INTCOOP.dimensions[dimension].codes;
    if (value == NULL || codelist_has(codes, span_text(value)))
        return;
    char field[NAME_MAX_BYTES];
    struct argument_rule rule = { .name = option };
    argument_shown(&rule, field, sizeof(field));
    reply_problem(
        call->reply,
        &(struct reply_problem){ .file = "", .field = field, .value = value, .rule = codes->rule });
}

static void check_period(struct control_call *call)
{
    const char *value = argument_text(&call->arguments, "period");
    size_t digits = value == NULL ? 0 : strspn(value, "0123456789");
    if (value == NULL || digits == strlen(value) || digits == 4)
        return;
    reply_problem(call->reply,
                  &(struct reply_problem){ .file = "",
                                           .field = "--period",
                                           .value = value,
                                           .rule = "a period begins with its year, as 2019, "
                                                   "2019-Q1 or 2012-07-01/P1Y" });
}

static enum status check_filter(struct control_call *call, struct error *err)
{
    check_period(call);
    check_code(call, "indicator", INTCOOP_INDICATOR);
    check_code(call, "type", INTCOOP_COOP_TYPE);
    check_code(call, "direction", INTCOOP_DIRECTION);
    size_t count = reply_problem_count(call->reply);
    if (count == 0)
        return OK;
    return error_set(err, ERR_INVALID, "%s in what was asked for", counted(count, "problem").text);
}

enum status report_ops_cooperation(void *context, struct control_call *call, struct error *err)
{
    struct admin *admin = context;
    const struct arguments *arguments = &call->arguments;
    struct cooperation_filter filter = {
        .indicator = argument_text(arguments, "indicator"),
        .type = argument_text(arguments, "type"),
        .direction = argument_text(arguments, "direction"),
        .period = argument_text(arguments, "period"),
    };
    struct gathering gathering = { .arguments = arguments };
    struct listing_received_filter held = { .kind = RECORD_RELEASE, .active_only = true };
    enum status status = check_filter(call, err);
    if (status == OK)
        status = peer_known_filter(admin, call, "from", err);
    if (status != OK)
        return status;
    status = cooperation_new(&filter, &gathering.cooperation, err);
    if (status == OK)
        status = listing_received(admin->feed, &held, gather, &gathering, err);
    if (status == OK) {
        cooperation_finish(gathering.cooperation);
        put_common(call->reply, gathering.cooperation);
        put_table(call->reply, gathering.cooperation);
        put_notes(call->reply, &gathering);
    }
    cooperation_free(gathering.cooperation);
    return status;
}
