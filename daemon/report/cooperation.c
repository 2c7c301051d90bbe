#include "report/cooperation.h"

#include "base/arena.h"
#include "base/memory.h"
#include "record/area.h"

#include <stdlib.h>
#include <string.h>

const char cooperation_disclaimer[] =
    "States count different things at different stages, so these figures cannot be added up or "
    "ranked. A difference between two figures is a difference between two records, and no error "
    "of either. The designations do not imply any opinion on the legal status of any country, "
    "territory or area.";

enum { HEAP_MAX = 32 * 1024 * 1024 };

struct figure {
    const char *dimensions[INTCOOP_DIMENSION_COUNT]; /* REF_AREA is "" for the State itself */
    unsigned state;
    const char *value;
};

struct state {
    struct code code;
    const char *name;
};

struct cooperation {
    struct cooperation_filter filter;
    struct arena arena;
    struct figure *figures;
    size_t figure_count;
    size_t *lines; /* first figure of each line */
    size_t line_count;
    struct state states[COOPERATION_STATES_MAX];
    size_t order[COOPERATION_STATES_MAX]; /* states by name */
    size_t state_count;
};

enum status cooperation_new(const struct cooperation_filter *filter,
                            struct cooperation **ret_cooperation,
                            struct error *err)
{
    struct cooperation *cooperation = mem_calloc(1, sizeof(*cooperation));
    if (cooperation == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a report");
    cooperation->filter = *filter;
    arena_init(&cooperation->arena, HEAP_MAX);
    cooperation->figures = mem_calloc(COOPERATION_FIGURES_MAX, sizeof(*cooperation->figures));
    cooperation->lines = mem_calloc(COOPERATION_FIGURES_MAX, sizeof(*cooperation->lines));
    if (cooperation->figures == NULL || cooperation->lines == NULL) {
        cooperation_free(cooperation);
        return error_set(err, ERR_MEMORY, "no memory for a report");
    }
    *ret_cooperation = cooperation;
    return OK;
}

void cooperation_free(struct cooperation *cooperation)
{
    if (cooperation == NULL)
        return;
    arena_fini(&cooperation->arena);
    mem_free(cooperation->figures);
    mem_free(cooperation->lines);
    mem_free(cooperation);
}

/* -- taking figures ---------------------------------------------------------------------------- */

static bool equals(const char *wanted, struct span code)
{
    return wanted == NULL || span_equal(span_text(wanted), code);
}

static bool begins(const char *wanted, struct span text)
{
    struct span start = span_text(wanted);
    return wanted == NULL || span_equal(start, span_slice(text, 0, start.size));
}

static bool is_wanted(const struct cooperation_filter *filter,
                      const struct release *release,
                      size_t row)
{
    return equals(filter->indicator, release_dimension(release, row, INTCOOP_INDICATOR)) &&
           equals(filter->type, release_dimension(release, row, INTCOOP_COOP_TYPE)) &&
           equals(filter->direction, release_dimension(release, row, INTCOOP_DIRECTION)) &&
           begins(filter->period, release_dimension(release, row, INTCOOP_TIME_PERIOD));
}

static enum status find_state(struct cooperation *cooperation,
                              const struct code *code,
                              unsigned *ret_state,
                              struct error *err)
{
    for (size_t i = 0; i < cooperation->state_count; i++) {
        if (code_equal(&cooperation->states[i].code, code)) {
            *ret_state = (unsigned)i;
            return OK;
        }
    }
    if (cooperation->state_count == COOPERATION_STATES_MAX) {
        return error_set(err, ERR_LIMIT,
                         "figures of more than %d States do not fit beside each other; next: name "
                         "some with --from",
                         COOPERATION_STATES_MAX);
    }
    struct state *state = &cooperation->states[cooperation->state_count];
    const char *name = area_name(span_text(code->text));
    state->code = *code;
    state->name = name == NULL ? state->code.text : name;
    *ret_state = (unsigned)cooperation->state_count++;
    return OK;
}

static void take_figure(struct cooperation *cooperation,
                        const struct code *publisher,
                        unsigned state,
                        const struct release *release,
                        size_t row)
{
    struct figure *figure = &cooperation->figures[cooperation->figure_count++];
    figure->state = state;
    for (unsigned i = 0; i < INTCOOP_DIMENSION_COUNT; i++) {
        struct span code = release_dimension(release, row, i);
        bool own = i == INTCOOP_REF_AREA && span_equal(code, span_text(publisher->text));
        figure->dimensions[i] = arena_text(&cooperation->arena, own ? SPAN_EMPTY : code);
    }
    struct decimal value;
    char text[DECIMAL_TEXT_SIZE] = "not available";
    if (release_value(release, row, &value))
        decimal_format(value, text);
    figure->value = arena_text(&cooperation->arena, span_text(text));
}

enum status cooperation_add(struct cooperation *cooperation,
                            const struct code *publisher,
                            const struct release *release,
                            struct error *err)
{
    unsigned state = 0;
    if (release->structure != &STRUCTURE_INTCOOP)
        return OK;
    enum status status = OK;
    for (size_t row = 0; status == OK && row < release->observation_count; row++) {
        if (!is_wanted(&cooperation->filter, release, row))
            continue;
        if (cooperation->figure_count == COOPERATION_FIGURES_MAX) {
            return error_set(err, ERR_LIMIT,
                             "more than %d figures; next: narrow the report with --indicator, "
                             "--type, --direction or --period",
                             COOPERATION_FIGURES_MAX);
        }
        status = find_state(cooperation, publisher, &state, err);
        if (status != OK)
            break;
        take_figure(cooperation, publisher, state, release, row);
        status = arena_done(&cooperation->arena, "report", err);
    }
    return status;
}

/* -- lines ------------------------------------------------------------------------------------- */

static int compare_keys(const struct figure *a, const struct figure *b)
{
    for (unsigned i = 0; i < INTCOOP_DIMENSION_COUNT; i++) {
        int order = strcmp(a->dimensions[i], b->dimensions[i]);
        if (order != 0)
            return order;
    }
    return 0;
}

static int compare_figures(const void *a, const void *b)
{
    const struct figure *left = a;
    const struct figure *right = b;
    int order = compare_keys(left, right);
    return order != 0 ? order : (left->state > right->state) - (left->state < right->state);
}

static void sort_states(struct cooperation *cooperation)
{
    for (size_t i = 0; i < cooperation->state_count; i++) {
        size_t at = i;
        const char *name = cooperation->states[i].name;
        for (; at > 0 && strcmp(cooperation->states[cooperation->order[at - 1]].name, name) > 0;
             at--)
            cooperation->order[at] = cooperation->order[at - 1];
        cooperation->order[at] = i;
    }
}

/* A line ends where the key changes, or where the same State has a second figure for it (from
 * another source): nobody says which one would be right, so both are shown. */
void cooperation_finish(struct cooperation *cooperation)
{
    sort_states(cooperation);
    qsort(cooperation->figures, cooperation->figure_count, sizeof(*cooperation->figures),
          compare_figures);
    cooperation->line_count = 0;
    for (size_t i = 0; i < cooperation->figure_count; i++) {
        const struct figure *figure = &cooperation->figures[i];
        bool same =
            i > 0 && compare_keys(figure - 1, figure) == 0 && (figure - 1)->state != figure->state;
        if (!same)
            cooperation->lines[cooperation->line_count++] = i;
    }
}

size_t cooperation_states(const struct cooperation *cooperation)
{
    return cooperation->state_count;
}

const char *cooperation_state_name(const struct cooperation *cooperation, size_t state)
{
    return cooperation->states[cooperation->order[state]].name;
}

const char *cooperation_state_code(const struct cooperation *cooperation, size_t state)
{
    return cooperation->states[cooperation->order[state]].code.text;
}

size_t cooperation_lines(const struct cooperation *cooperation)
{
    return cooperation->line_count;
}

size_t cooperation_varying(const struct cooperation *cooperation,
                           unsigned ret_dimensions[static DIMENSIONS_MAX])
{
    size_t count = 0;
    for (unsigned i = 0; i < INTCOOP_DIMENSION_COUNT; i++) {
        bool varies = i == INTCOOP_TIME_PERIOD; /* a figure without its period says nothing */
        for (size_t j = 1; !varies && j < cooperation->figure_count; j++)
            varies = strcmp(cooperation->figures[0].dimensions[i],
                            cooperation->figures[j].dimensions[i]) != 0;
        if (varies)
            ret_dimensions[count++] = i;
    }
    return count;
}

const char *cooperation_dimension(const struct cooperation *cooperation,
                                  size_t line,
                                  unsigned dimension)
{
    return cooperation->figures[cooperation->lines[line]].dimensions[dimension];
}

const char *cooperation_value(const struct cooperation *cooperation, size_t line, size_t state)
{
    size_t end = line + 1 < cooperation->line_count ? cooperation->lines[line + 1]
                                                    : cooperation->figure_count;
    for (size_t i = cooperation->lines[line]; i < end; i++)
        if (cooperation->figures[i].state == cooperation->order[state])
            return cooperation->figures[i].value;
    return "";
}
