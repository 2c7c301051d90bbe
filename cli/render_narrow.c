/* A table that is wider than the terminal. */
#include "cli/render_narrow.h"

#include "base/id.h"
#include "base/memory.h"
#include "base/text.h"

#include <string.h>
#include <wchar.h>

enum {
    BROKEN_LEAST = 20, /* a column of texts gets no narrower */
    ID_SHOWN = 16,     /* digits in which ids of one import differ already (feed/records.c) */
    INDENT = 4         /* of what stands below a row */
};

struct plan {
    size_t natural; /* places that the longest cell takes */
    size_t least;
    size_t width; /* that it gets */
    bool ids;
};

struct narrow {
    const struct render *render;
    const struct reply_section *section;
    struct buf text; /* all cells, escaped */
    size_t *at;      /* where each begins; one more for the end */
    struct plan *plans;
    size_t kept; /* columns that stand beside each other */
};

/* -- cells ------------------------------------------------------------------------------------- */

/* Bytes of the first character, and the places that it takes. */
static size_t step(struct span text, size_t *ret_places)
{
    uint32_t point = 0;
    size_t size = text_decode(text, &point);
    int places = size == 0 ? 1 : wcwidth((wchar_t)point);
    *ret_places = places < 0 ? 1 : (size_t)places;
    return size == 0 ? 1 : size;
}

static size_t places_of(struct span text)
{
    size_t sum = 0, places = 0;
    for (size_t at = 0; at < text.size; sum += places)
        at += step(span_slice(text, at, text.size - at), &places);
    return sum;
}

static bool is_id(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (strchr("0123456789abcdef", text.data[i]) == NULL || text.data[i] == '\0')
            return false;
    return text.size == (size_t)2 * ID_SIZE;
}

static bool is_nothing(struct span text)
{
    return text.size == 0 || (text.size == 1 && text.data[0] == '-');
}

/* A command is copied from the screen: it stays on one line. */
static bool is_command(struct span text)
{
    static const char start[] = "comityctl ";
    return text.size >= sizeof(start) - 1 && memcmp(text.data, start, sizeof(start) - 1) == 0;
}

static struct span cell(const struct narrow *n, size_t row, size_t column)
{
    size_t i = row * n->section->column_count + column;
    struct span whole = span_of(n->text.data + n->at[i], n->at[i + 1] - n->at[i]);
    bool shorter = n->plans[column].ids && is_id(whole);
    return shorter ? span_slice(whole, 0, ID_SHOWN) : whole;
}

static enum status escape_cells(struct narrow *n, struct error *err)
{
    size_t count = n->section->row_count * n->section->column_count;
    n->at = mem_calloc(count + 1, sizeof(*n->at));
    n->plans = mem_calloc(n->section->column_count, sizeof(*n->plans));
    if (n->at == NULL || n->plans == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a table");
    enum status status = buf_append_zeros(&n->text, 1, err); /* data is no NULL then */
    for (size_t i = 0; status == OK && i < count; i++) {
        n->at[i] = n->text.size;
        status = text_escape(span_text(n->section->cells[i]), false, &n->text, err);
    }
    n->at[count] = n->text.size;
    return status;
}

/* -- who gets how much ------------------------------------------------------------------------- */

static bool has_ids(const struct narrow *n, size_t column)
{
    bool any = false;
    for (size_t row = 0; row < n->section->row_count; row++) {
        struct span text = cell(n, row, column);
        if (!is_id(text) && !is_nothing(text))
            return false;
        any = any || is_id(text);
    }
    return any;
}

static size_t longest_word(struct span text)
{
    size_t most = 0;
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, ' ', text.size);
        size_t size = end == NULL ? text.size : (size_t)(end - text.data);
        size_t places = places_of(span_slice(text, 0, size));
        most = places > most ? places : most;
        text = span_slice(text, size + 1, text.size);
    }
    return most;
}

static void measure(struct narrow *n, size_t column)
{
    struct plan *plan = &n->plans[column];
    struct span title = span_text(n->section->columns[column].title);
    size_t firm = 0; /* what may not be broken */
    plan->natural = 0;
    for (size_t row = 0; row < n->section->row_count; row++) {
        struct span text = cell(n, row, column);
        size_t places = places_of(text);
        plan->natural = places > plan->natural ? places : plan->natural;
        firm = is_command(text) && places > firm ? places : firm;
    }
    size_t word = longest_word(title);
    plan->least = plan->natural < BROKEN_LEAST ? plan->natural : BROKEN_LEAST;
    plan->least = firm > plan->least ? firm : plan->least;
    plan->least = word > plan->least ? word : plan->least;
    size_t places = places_of(title);
    plan->natural = places > plan->natural ? places : plan->natural;
    plan->width = plan->least;
}

static struct plan *who_lacks_least(struct narrow *n)
{
    struct plan *found = NULL;
    for (size_t i = 0; i < n->kept; i++) {
        struct plan *plan = &n->plans[i];
        bool less = found == NULL || plan->natural - plan->width < found->natural - found->width;
        if (plan->natural > plan->width && less)
            found = plan;
    }
    return found;
}

static void share(struct narrow *n)
{
    size_t used = n->plans[0].least;
    n->kept = 1;
    while (n->kept < n->section->column_count &&
           used + 1 + n->plans[n->kept].least <= n->render->width)
        used += 1 + n->plans[n->kept++].least;
    size_t left = n->render->width - (used < n->render->width ? used : n->render->width);
    /* those that lack least become whole, the longest text takes what is left */
    for (struct plan *next = NULL; left > 0 && (next = who_lacks_least(n)) != NULL;) {
        size_t lacks = next->natural - next->width;
        size_t more = lacks < left ? lacks : left;
        next->width += more;
        left -= more;
    }
}

/* -- lines ------------------------------------------------------------------------------------- */

/* What of *text fits, up to the end of a word, or of a part of a path, where there is one; *text
 * becomes the rest. */
static struct span take_line(struct span *text, size_t width)
{
    size_t at = 0, used = 0, words = 0, parts = 0, places = 0;
    while (at < text->size) {
        size_t size = step(span_slice(*text, at, text->size - at), &places);
        if (at > 0 && used + places > width)
            break;
        at += size;
        used += places;
        if (at == text->size || text->data[at] == ' ')
            words = at;
        if (text->data[at - 1] == '/')
            parts = at;
    }
    struct span line = span_slice(*text, 0, words > 0 ? words : parts > 0 ? parts : at);
    *text = span_slice(*text, line.size, text->size);
    while (text->size > 0 && text->data[0] == ' ')
        *text = span_slice(*text, 1, text->size);
    return line;
}

static void put(FILE *out, struct span text)
{
    if (text.size > 0)
        (void)fwrite(text.data, 1, text.size, out);
}

static void put_blanks(FILE *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)fputc(' ', out);
}

/* One line of cells; whether anything of them is left. */
static bool put_cells(const struct narrow *n, struct span *cells)
{
    size_t blanks = 0; /* owed: a line does not end with any */
    bool more = false;
    for (size_t i = 0; i < n->kept; i++) {
        size_t width = n->plans[i].width;
        struct span line = cells[i];
        if (is_command(line))
            cells[i] = SPAN_EMPTY;
        else
            line = take_line(&cells[i], width);
        size_t places = places_of(line);
        size_t rest = places < width ? width - places : 0;
        size_t before = n->section->columns[i].number ? rest : 0;
        if (line.size > 0) {
            put_blanks(n->render->out, blanks + before);
            put(n->render->out, line);
            blanks = rest - before + 1;
        } else {
            blanks += width + 1;
        }
        more = more || cells[i].size > 0;
    }
    (void)fputc('\n', n->render->out);
    return more;
}

/* Cells beside each other, as many lines as the longest takes.  `cells` is used up. */
static void put_beside(const struct narrow *n, struct span *cells)
{
    while (put_cells(n, cells))
        continue;
}

/* One more item on the lines below a row; *used are the places of the last of them. */
static void put_item(const struct narrow *n, const char *title, struct span text, size_t *used)
{
    FILE *out = n->render->out;
    size_t before = places_of(span_text(title)) + 2;
    size_t room = n->render->width - INDENT;
    bool fits = *used > 0 && *used + 2 + before + places_of(text) <= room;
    if (fits) {
        (void)fputs("  ", out);
        *used += 2;
    } else {
        (void)fputs(*used > 0 ? "\n" : "", out);
        put_blanks(out, INDENT);
        *used = 0;
    }
    (void)fprintf(out, "%s: ", title);
    *used += before;
    while (text.size > 0) {
        bool narrow = *used + BROKEN_LEAST / 2 > room;
        struct span line = text;
        if (is_command(text))
            text = SPAN_EMPTY;
        else
            line = take_line(&text, narrow ? room : room - *used);
        put(out, line);
        *used += places_of(line);
        if (text.size > 0) {
            (void)fputc('\n', out);
            put_blanks(out, (size_t)2 * INDENT);
            *used = INDENT;
        }
    }
}

static void put_below(const struct narrow *n, size_t row)
{
    size_t used = 0;
    for (size_t i = n->kept; i < n->section->column_count; i++) {
        struct span text = cell(n, row, i);
        if (!is_nothing(text))
            put_item(n, n->section->columns[i].title, text, &used);
    }
    if (used > 0)
        (void)fputc('\n', n->render->out);
}

static enum status put_rows(const struct narrow *n, struct error *err)
{
    struct span *cells = mem_calloc(n->kept, sizeof(*cells));
    if (cells == NULL)
        return error_set(err, ERR_MEMORY, "no memory for a table");
    bool headed = false;
    for (size_t i = 0; i < n->kept; i++) {
        cells[i] = span_text(n->section->columns[i].title);
        headed = headed || cells[i].size > 0;
    }
    if (headed)
        put_beside(n, cells);
    for (size_t row = 0; row < n->section->row_count; row++) {
        for (size_t i = 0; i < n->kept; i++)
            cells[i] = cell(n, row, i);
        put_beside(n, cells);
        put_below(n, row);
    }
    mem_free(cells);
    return OK;
}

/* Measures all columns; the places that a row takes. */
static size_t measure_all(struct narrow *n)
{
    size_t places = n->section->column_count - 1;
    for (size_t i = 0; i < n->section->column_count; i++) {
        measure(n, i);
        places += n->plans[i].natural;
    }
    return places;
}

enum status render_narrow(const struct render *render,
                          const struct reply_section *section,
                          bool *ret_done,
                          struct error *err)
{
    struct narrow n = { .render = render, .section = section, .text = BUF_INIT };
    enum status status = escape_cells(&n, err);
    bool wide = status == OK && measure_all(&n) > render->width;
    if (wide) {
        for (size_t i = 0; i < section->column_count; i++)
            n.plans[i].ids = has_ids(&n, i);
        (void)measure_all(&n);
        share(&n);
        status = put_rows(&n, err);
    }
    if (status == OK)
        *ret_done = wide;
    buf_fini(&n.text);
    mem_free(n.at);
    mem_free(n.plans);
    return status;
}
