#include "record/excerpt.h"

#include "base/clock.h"
#include "base/cursor.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "record/nfc.h"

#include <string.h>

enum { EXCERPT_VERSION = 1 };

static bool is_kind(struct span text)
{
    enum excerpt_kind kind;
    return catalogue_kind_parse(text, &kind);
}

static bool is_instrument(struct span text)
{
    enum instrument instrument;
    return catalogue_instrument_parse(text, &instrument);
}

static bool is_protocol(struct span text)
{
    enum instrument instrument;
    return catalogue_instrument_parse(text, &instrument) && instrument != INSTRUMENT_UNTOC;
}

/* 1 to 999 without leading zeros; 0 when it is no such number. */
static unsigned article_number(struct span text)
{
    unsigned number = 0;
    if (text.size == 0 || text.size > 3 || text.data[0] == '0')
        return 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return 0;
        number = number * 10 + (unsigned)(text.data[i] - '0');
    }
    return number;
}

static bool is_article(struct span text)
{
    return article_number(text) != 0;
}

/* `3`, `3(a)`, `3(a)(ii)`, `18 bis`. */
static bool is_paragraph(struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        bool fits = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || strchr("(). -,", c) != NULL;
        if (!fits || c == '\0')
            return false;
    }
    return text.size > 0 && text.data[0] != ' ' && text.data[text.size - 1] != ' ';
}

static unsigned cluster_number(struct span text)
{
    static const char *const names[] = { "", "I", "II", "III", "IV" };
    for (unsigned i = 1; i <= 4; i++)
        if (span_equal(text, span_text(names[i])))
            return i;
    return 0;
}

static bool is_cluster(struct span text)
{
    return cluster_number(text) != 0;
}

static bool is_date(struct span text)
{
    char copy[DATE_TEXT_SIZE] = { 0 };
    int64_t ignored;
    if (text.size != DATE_TEXT_SIZE - 1 || memchr(text.data, 0, text.size) != NULL)
        return false;
    memcpy(copy, text.data, text.size);
    return time_parse(copy, &ignored, NULL) == OK;
}

static bool is_class(struct span text)
{
    enum confidentiality class;
    return catalogue_confidentiality_parse(text, &class);
}

struct field_rule {
    const char *name;
    bool required;
    bool lines; /* may have line breaks */
    size_t max; /* bytes */
    bool (*accepts)(struct span text);
    const char *rule;
};

static const struct field_rule rules[EXCERPT_FIELD_COUNT] = {
    [EXCERPT_KIND] = { "kind", true, false, NAME_MAX_BYTES, is_kind,
                       "a kind is answer, legislation, measure, good-practice, lesson-learned, "
                       "challenge, assistance-need, case-example, observation or "
                       "reason-for-non-use" },
    [EXCERPT_INSTRUMENT] = { "instrument", true, false, NAME_MAX_BYTES, is_instrument,
                             "an instrument is UNTOC, TIP, SOM or FA" },
    [EXCERPT_ARTICLE] = { "article", true, false, NAME_MAX_BYTES, is_article,
                          "an article is a number, without the word and without paragraphs" },
    [EXCERPT_PARAGRAPH] = { "paragraph", false, false, 32, is_paragraph,
                            "a paragraph is written 3 or 3(a)" },
    [EXCERPT_APPLIED_UNDER] = { "applied_under", false, false, NAME_MAX_BYTES, is_protocol,
                                "a Protocol under which the Convention is applied is TIP, SOM or "
                                "FA" },
    [EXCERPT_QUESTION] = { "question", false, false, NAME_MAX_BYTES, NULL, NULL },
    [EXCERPT_CLUSTER] = { "cluster", false, false, NAME_MAX_BYTES, is_cluster,
                          "a cluster is I, II, III or IV" },
    [EXCERPT_CYCLE] = { "cycle", false, false, NAME_MAX_BYTES, NULL, NULL },
    [EXCERPT_LANGUAGE] = { "language", true, false, NAME_MAX_BYTES, catalogue_language_check,
                           "a language is a BCP 47 tag such as en, fr, zh-Hans or pt-BR" },
    [EXCERPT_TITLE] = { "title", true, false, TITLE_MAX, NULL, NULL },
    [EXCERPT_TEXT] = { "text", true, true, TEXT_MAX, NULL, NULL },
    [EXCERPT_SOURCE] = { "source", false, false, TITLE_MAX, NULL, NULL },
    [EXCERPT_ORIGINATOR] = { "originator", true, false, NAME_MAX_BYTES, NULL, NULL },
    [EXCERPT_DATE] = { "date", true, false, NAME_MAX_BYTES, is_date,
                       "a date is a day of the calendar, written 2026-03-01" },
    [EXCERPT_CONFIDENTIALITY] = { "confidentiality", true, false, NAME_MAX_BYTES, is_class,
                                  "a confidentiality class is public, internal, restricted or "
                                  "confidential" },
    [EXCERPT_NATIONAL_TERM] = { "national_term", false, false, NAME_MAX_BYTES, NULL, NULL },
    [EXCERPT_ITEM] = { "item", false, false, NAME_MAX_BYTES, NULL, NULL },
};

const char *excerpt_field_name(enum excerpt_field field)
{
    return (unsigned)field < EXCERPT_FIELD_COUNT ? rules[field].name : "?";
}

bool excerpt_field_parse(struct span name, enum excerpt_field *ret_field)
{
    for (unsigned i = 0; i < EXCERPT_FIELD_COUNT; i++) {
        if (span_equal(name, span_text(rules[i].name))) {
            *ret_field = (enum excerpt_field)i;
            return true;
        }
    }
    return false;
}

bool excerpt_field_required(enum excerpt_field field)
{
    return (unsigned)field < EXCERPT_FIELD_COUNT && rules[field].required;
}

void excerpt_init(struct excerpt *excerpt)
{
    for (unsigned i = 0; i < EXCERPT_FIELD_COUNT; i++)
        excerpt->fields[i] = (struct buf)BUF_INIT_SECRET;
    excerpt->line = 0;
}

void excerpt_fini(struct excerpt *excerpt)
{
    for (unsigned i = 0; excerpt != NULL && i < EXCERPT_FIELD_COUNT; i++)
        buf_fini(&excerpt->fields[i]);
}

struct excerpt excerpt_move(struct excerpt *from)
{
    struct excerpt moved;
    for (unsigned i = 0; i < EXCERPT_FIELD_COUNT; i++)
        moved.fields[i] = buf_move(&from->fields[i]);
    moved.line = from->line;
    return moved;
}

/* CRLF and lone CR become LF, in place. */
static void unify_line_ends(struct buf *text)
{
    const uint8_t *first = text->size == 0 ? NULL : memchr(text->data, '\r', text->size);
    if (first == NULL)
        return;
    size_t to = (size_t)(first - text->data);
    for (size_t at = to; at < text->size; at++) {
        bool carriage_return = text->data[at] == '\r';
        if (carriage_return && at + 1 < text->size && text->data[at + 1] == '\n')
            continue;
        text->data[to++] = carriage_return ? '\n' : text->data[at];
    }
    text->size = to;
}

enum status excerpt_set(struct excerpt *excerpt,
                        enum excerpt_field field,
                        struct span text,
                        struct error *err)
{
    if ((unsigned)field >= EXCERPT_FIELD_COUNT)
        return error_set(err, ERR_INVALID, "excerpt: no field number %d", field);
    const struct field_rule *rule = &rules[field];
    if (text.size > CSV_FIELD_MAX) { /* the field's own bound is a matter of the check */
        return error_set(err, ERR_LIMIT,
                         "%s has %zu bytes, and at most %d fit; next: shorten it, or make two "
                         "excerpts of it",
                         rule->name, text.size, CSV_FIELD_MAX);
    }
    struct buf normal = BUF_INIT_SECRET;
    enum status status = nfc_append(text, &normal, err);
    if (status != OK) {
        buf_fini(&normal);
        error_prefix(err, "%s", rule->name);
        return status;
    }
    unify_line_ends(&normal);
    buf_fini(&excerpt->fields[field]);
    excerpt->fields[field] = buf_move(&normal);
    return OK;
}

struct span excerpt_get(const struct excerpt *excerpt, enum excerpt_field field)
{
    return (unsigned)field < EXCERPT_FIELD_COUNT ? buf_span(&excerpt->fields[field]) : SPAN_EMPTY;
}

static bool is_blank(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (strchr(" \t\n", text.data[i]) == NULL || text.data[i] == '\0')
            return false;
    return true;
}

static bool has_outer_blank(struct span text)
{
    return text.size > 0 && (text.data[0] == ' ' || text.data[text.size - 1] == ' ');
}

/* One field by itself. */
static void check_field(enum excerpt_field field,
                        struct span text,
                        uint32_t line,
                        struct problems *problems)
{
    const struct field_rule *rule = &rules[field];
    struct problem_place place = { line, 0, rule->name };
    struct text_flaw flaw = text_find_flaw(text, TEXT_LINES);
    if (text.size == 0) {
        if (rule->required)
            problems_add(problems, place, SPAN_EMPTY, NULL, "%s is missing", rule->name);
    } else if (text.size > rule->max) {
        problems_add(problems, place, text, "shorten it, or make two excerpts of it",
                     "%zu bytes are more than %zu", text.size, rule->max);
    } else if (flaw.kind != TEXT_PLAIN) {
        problems_add(problems, place, span_slice(text, flaw.at < 20 ? 0 : flaw.at - 20, 60),
                     "take it out", "byte %zu is %s", flaw.at + 1, text_kind_name(flaw.kind));
    } else if (!rule->lines && text_find_flaw(text, TEXT_LINE).kind == TEXT_BREAK) {
        problems_add(problems, place, text, "write it on one line",
                     "a line break or a tab stands in it");
    } else if (is_blank(text)) {
        problems_add(problems, place, text, NULL, "%s has only blanks", rule->name);
    } else if (!rule->lines && has_outer_blank(text)) {
        problems_add(problems, place, text, "take the blank out", "it begins or ends with a blank");
    } else if (rule->accepts != NULL && !rule->accepts(text)) {
        problems_add(problems, place, text, NULL, "%s", rule->rule);
    }
}

/* The fields where they stand: in an excerpt, or in its canonical bytes. */
struct view {
    struct span fields[EXCERPT_FIELD_COUNT];
};

static struct view view_of(const struct excerpt *excerpt)
{
    struct view view;
    for (unsigned i = 0; i < EXCERPT_FIELD_COUNT; i++)
        view.fields[i] = buf_span(&excerpt->fields[i]);
    return view;
}

static enum instrument instrument_of(struct span text)
{
    enum instrument instrument = INSTRUMENT_NONE;
    (void)catalogue_instrument_parse(text, &instrument);
    return instrument;
}

/* What only several fields together show. */
static void check_together(const struct view *view, uint32_t line, struct problems *problems)
{
    enum instrument instrument = instrument_of(view->fields[EXCERPT_INSTRUMENT]);
    unsigned article = article_number(view->fields[EXCERPT_ARTICLE]);
    if (instrument == INSTRUMENT_NONE || article == 0)
        return; /* said already */
    unsigned count = catalogue_article_count(instrument);
    if (article > count) {
        problems_add(problems, (struct problem_place){ line, 0, "article" },
                     view->fields[EXCERPT_ARTICLE], NULL, "%s has articles 1 to %u",
                     catalogue_instrument_code(instrument), count);
    }
    struct span under = view->fields[EXCERPT_APPLIED_UNDER];
    if (under.size > 0 && instrument != INSTRUMENT_UNTOC) {
        problems_add(problems, (struct problem_place){ line, 0, "applied_under" }, under,
                     "leave it empty, or name the Convention's article",
                     "only an article of the Convention (UNTOC) is applied under a Protocol");
    }
}

static void check_view(const struct view *view, uint32_t line, struct problems *problems)
{
    for (unsigned i = 0; i < EXCERPT_FIELD_COUNT; i++)
        check_field((enum excerpt_field)i, view->fields[i], line, problems);
    check_together(view, line, problems);
}

void excerpt_check(const struct excerpt *excerpt, uint32_t line, struct problems *problems)
{
    struct view view = view_of(excerpt);
    check_view(&view, line, problems);
}

enum excerpt_kind excerpt_kind(const struct excerpt *excerpt)
{
    enum excerpt_kind kind = KIND_NONE;
    (void)catalogue_kind_parse(excerpt_get(excerpt, EXCERPT_KIND), &kind);
    return kind;
}

enum instrument excerpt_instrument(const struct excerpt *excerpt)
{
    return instrument_of(excerpt_get(excerpt, EXCERPT_INSTRUMENT));
}

unsigned excerpt_article(const struct excerpt *excerpt)
{
    return article_number(excerpt_get(excerpt, EXCERPT_ARTICLE));
}

unsigned excerpt_cluster(const struct excerpt *excerpt)
{
    unsigned given = cluster_number(excerpt_get(excerpt, EXCERPT_CLUSTER));
    if (given != 0)
        return given;
    return catalogue_cluster(excerpt_instrument(excerpt), excerpt_article(excerpt));
}

/* Without `quote`, what is said of an excerpt that came from outside: it may be answered in the
 * clear, and so does not repeat what stands in the excerpt. */
static enum status check_all(const struct view *view, bool quote, struct error *err)
{
    struct problems problems;
    problems_init(&problems, NULL);
    check_view(view, 0, &problems);
    if (!quote && problems.count > 0)
        problems.items[0].value[0] = '\0';
    enum status status = problems_status(&problems, err);
    problems_fini(&problems);
    return status;
}

enum status excerpt_encode(const struct excerpt *excerpt, struct buf *append_to, struct error *err)
{
    struct view view = view_of(excerpt);
    enum status status = check_all(&view, true, err);
    if (status != OK)
        return status;
    size_t before = append_to->size;
    struct writer w = writer_init(append_to);
    writer_u8(&w, EXCERPT_VERSION);
    for (unsigned i = 0; i < EXCERPT_FIELD_COUNT; i++) {
        struct span text = excerpt_get(excerpt, (enum excerpt_field)i);
        if (text.size == 0)
            continue;
        writer_u8(&w, (uint8_t)i);
        writer_varint(&w, text.size);
        writer_bytes(&w, text);
    }
    status = writer_done(&w, "excerpt", err);
    if (status != OK)
        append_to->size = before;
    return status;
}

/* Whether excerpt_set() would keep the text as it is. */
static enum status check_normal(struct span text, const char *name, struct error *err)
{
    struct buf normal = BUF_INIT_SECRET;
    enum status status = OK;
    bool is_normal = memchr(text.data, '\r', text.size) == NULL;
    if (is_normal && !nfc_is_ascii(text)) {
        status = nfc_append(text, &normal, err);
        is_normal = status != OK || span_equal(text, buf_span(&normal));
    }
    buf_fini(&normal);
    if (status != OK)
        error_prefix(err, "%s", name);
    else if (!is_normal)
        status = error_set(err, ERR_INVALID, "excerpt: %s is not in its normal form", name);
    return status;
}

/* One field of the canonical bytes; *after is the number that it must be above, plus one. */
static enum status decode_field(struct reader *r,
                                unsigned *after,
                                struct view *view,
                                struct error *err)
{
    unsigned number = reader_u8(r);
    uint64_t size = reader_varint(r);
    if (r->failed)
        return reader_done(r, "excerpt", err);
    if (number >= EXCERPT_FIELD_COUNT)
        return error_set(err, ERR_UNSUPPORTED, "excerpt: field %u is not known to this version",
                         number);
    if (number < *after || size == 0)
        return error_set(err, ERR_INVALID, "excerpt: field %u is empty or out of order", number);
    if (size > rules[number].max)
        return error_set(err, ERR_LIMIT, "excerpt: %s: %llu bytes > %zu", rules[number].name,
                         (unsigned long long)size, rules[number].max);
    struct span text = reader_bytes(r, (size_t)size);
    if (r->failed)
        return reader_done(r, "excerpt", err);
    enum status status = check_normal(text, rules[number].name, err);
    if (status != OK)
        return status;
    view->fields[number] = text;
    *after = number + 1;
    return OK;
}

static enum status decode(struct span bytes, struct view *ret_view, struct error *err)
{
    struct reader r = reader_init(bytes);
    struct view view = { 0 };
    unsigned version = reader_u8(&r);
    if (r.failed)
        return reader_done(&r, "excerpt", err);
    if (version != EXCERPT_VERSION)
        return error_set(err, ERR_UNSUPPORTED, "excerpt: format version %u > %u", version,
                         EXCERPT_VERSION);
    enum status status = OK;
    for (unsigned after = 0; status == OK && r.rest.size > 0;)
        status = decode_field(&r, &after, &view, err);
    if (status == OK)
        status = check_all(&view, false, err);
    if (status == OK)
        *ret_view = view;
    return status;
}

enum status excerpt_verify(struct span bytes, struct error *err)
{
    struct view view;
    return decode(bytes, &view, err);
}

enum status excerpt_decode(struct span bytes, struct excerpt *ret_excerpt, struct error *err)
{
    struct view view = { 0 };
    struct excerpt excerpt;
    enum status status = decode(bytes, &view, err);
    if (status != OK)
        return status;
    excerpt_init(&excerpt);
    for (unsigned i = 0; status == OK && i < EXCERPT_FIELD_COUNT; i++)
        if (view.fields[i].size > 0)
            status = buf_append(&excerpt.fields[i], view.fields[i], err);
    if (status == OK)
        *ret_excerpt = excerpt_move(&excerpt);
    excerpt_fini(&excerpt);
    return status;
}
