/* Reading records: what they are (describe), which ones (selector), list, show, export. */
#include "base/counted.h"
#include "base/memory.h"
#include "crypto/digest.h"
#include "feed/records.h"

#include <stdio.h>
#include <string.h>

enum { PAGE = 64 };

/* -- describe ---------------------------------------------------------------------------------- */

/* Cuts at a whole character, never inside one. */
static void put_text(char *to, size_t to_size, struct span text)
{
    size_t size = text.size;
    if (size >= to_size) {
        size = to_size - 1;
        while (size > 0 && (text.data[size] & 0xc0) == 0x80)
            size--;
    }
    if (size > 0)
        memcpy(to, text.data, size);
    to[size] = '\0';
}

static enum status describe_excerpt(struct span canonical,
                                    struct records_view *view,
                                    struct error *err)
{
    struct excerpt excerpt;
    excerpt_init(&excerpt);
    enum status status = excerpt_decode(canonical, &excerpt, err);
    if (status == OK) {
        view->excerpt_kind = excerpt_kind(&excerpt);
        view->instrument = excerpt_instrument(&excerpt);
        view->article = excerpt_article(&excerpt);
        view->cluster = excerpt_cluster(&excerpt);
        put_text(view->kind, sizeof(view->kind),
                 span_text(catalogue_kind_code(view->excerpt_kind)));
        put_text(view->title, sizeof(view->title), excerpt_get(&excerpt, EXCERPT_TITLE));
        put_text(view->language, sizeof(view->language), excerpt_get(&excerpt, EXCERPT_LANGUAGE));
    }
    excerpt_fini(&excerpt);
    return status;
}

static struct span release_text(const struct release *release, const char *name)
{
    int at = structure_release_attribute(release->structure, span_text(name));
    return at < 0 ? SPAN_EMPTY : release->release_attributes[at];
}

/* Releases of one series share their title: the period tells them apart. */
static void put_title(struct records_view *view, struct span title)
{
    put_text(view->title, sizeof(view->title), title);
    size_t used = strlen(view->title);
    if (strstr(view->title, view->period) == NULL &&
        used + strlen(view->period) + 3 <= sizeof(view->title))
        (void)snprintf(view->title + used, sizeof(view->title) - used, ", %s", view->period);
}

static enum status describe_release(struct span canonical,
                                    struct records_view *view,
                                    struct error *err)
{
    struct release release;
    enum status status = release_decode(NULL, canonical, &release, err);
    if (status != OK)
        return status;
    const struct structure *structure = release.structure;
    struct span title = release_text(&release, "TITLE");
    view->observations = release.observation_count;
    put_text(view->kind, sizeof(view->kind), SPAN_LITERAL("release"));
    put_text(view->dataset, sizeof(view->dataset), span_text(structure->dataflow));
    put_text(view->period, sizeof(view->period),
             release_dimension(&release, 0, structure->dimension_count - 1));
    put_text(view->source, sizeof(view->source), release_text(&release, "SOURCE_AUTH"));
    if (title.size > 0)
        put_title(view, title);
    else
        (void)snprintf(view->title, sizeof(view->title), "%s, %s%s%s", structure->name,
                       view->period, view->source[0] != '\0' ? ", " : "", view->source);
    release_fini(&release);
    return OK;
}

enum status records_describe(int kind,
                             struct span canonical,
                             struct records_view *ret_view,
                             struct error *err)
{
    struct records_view view;
    memset(&view, 0, sizeof(view));
    view.row.kind = (enum record_row_kind)kind;
    view.size = canonical.size;
    view.canonical = canonical;
    enum status status = sha256_of(&canonical, 1, &view.digest, err);
    if (status == OK && kind == RECORD_EXCERPT)
        status = describe_excerpt(canonical, &view, err);
    else if (status == OK && kind == RECORD_RELEASE)
        status = describe_release(canonical, &view, err);
    else if (status == OK)
        status = error_set(err, ERR_UNSUPPORTED, "a record of kind %d is not known", kind);
    if (status == OK)
        *ret_view = view;
    return status;
}

/* -- select ------------------------------------------------------------------------------------ */

void records_selector_init(struct records_selector *selector)
{
    memset(selector, 0, sizeof(*selector));
}

static enum status select_kind(struct records_selector *selector,
                               const char *value,
                               struct error *err)
{
    enum record_kind kind = RECORD_EXCERPT;
    if (record_kind_parse(value, &kind)) {
        selector->kind = (int)kind;
        return OK;
    }
    if (catalogue_kind_parse(span_text(value), &selector->excerpt_kind)) {
        selector->kind = RECORD_EXCERPT;
        return OK;
    }
    return error_set(err, ERR_INVALID,
                     "kind: '%.60s' is neither excerpt nor release nor a kind of excerpt (answer, "
                     "legislation, good-practice ...)",
                     value);
}

static enum status select_instrument(struct records_selector *selector,
                                     struct span value,
                                     struct error *err)
{
    if (catalogue_instrument_parse(value, &selector->instrument))
        return OK;
    return error_set(err, ERR_INVALID, "instrument: '%.*s' is not one of UNTOC, TIP, SOM, FA",
                     (int)(value.size < 60 ? value.size : 60), (const char *)value.data);
}

/* "16", or "UNTOC:16" */
static enum status select_article(struct records_selector *selector,
                                  const char *value,
                                  struct error *err)
{
    struct records_selector changed = *selector;
    const char *colon = strchr(value, ':');
    const char *digits = colon == NULL ? value : colon + 1;
    size_t size = strlen(digits);
    unsigned article = 0;
    if (colon != NULL) {
        struct span code = span_of(value, (size_t)(colon - value));
        enum status status = select_instrument(&changed, code, err);
        if (status != OK)
            return status;
    }
    bool good = size >= 1 && size <= 3;
    for (size_t i = 0; good && i < size; i++) {
        good = digits[i] >= '0' && digits[i] <= '9';
        article = article * 10 + (unsigned)(digits[i] - '0');
    }
    if (!good || article == 0)
        return error_set(err, ERR_INVALID, "article: '%.60s' is not a number (16, UNTOC:16)",
                         value);
    if (changed.instrument != INSTRUMENT_NONE &&
        article > catalogue_article_count(changed.instrument)) {
        return error_set(err, ERR_INVALID, "article: %s has %u articles, no article %u",
                         catalogue_instrument_code(changed.instrument),
                         catalogue_article_count(changed.instrument), article);
    }
    changed.article = article;
    *selector = changed;
    return OK;
}

static enum status select_word(char *to, const char *name, const char *value, struct error *err)
{
    if (strlen(value) > RECORDS_WORD_MAX)
        return error_set(err, ERR_LIMIT, "%s: longer than %d bytes", name, RECORDS_WORD_MAX);
    (void)snprintf(to, RECORDS_WORD_MAX + 1, "%s", value);
    return OK;
}

enum status records_selector_set(struct records_selector *selector,
                                 const char *name,
                                 const char *value,
                                 struct error *err)
{
    if (value[0] == '\0')
        return error_set(err, ERR_INVALID, "%s: is empty", name);
    if (strcmp(name, "kind") == 0)
        return select_kind(selector, value, err);
    if (strcmp(name, "instrument") == 0)
        return select_instrument(selector, span_text(value), err);
    if (strcmp(name, "article") == 0)
        return select_article(selector, value, err);
    if (strcmp(name, "dataset") == 0)
        return select_word(selector->dataset, name, value, err);
    if (strcmp(name, "period") == 0)
        return select_word(selector->period, name, value, err);
    if (strcmp(name, "source") == 0)
        return select_word(selector->source, name, value, err);
    return error_set(err, ERR_NOT_FOUND, "'%.60s' is not a way to select records", name);
}

/* "COMITY:DF_INTCOOP(1.0.0)" by its whole name or as DF_INTCOOP. */
static bool dataset_matches(const char *dataset, const char *wanted)
{
    if (strcmp(dataset, wanted) == 0)
        return true;
    const char *colon = strchr(dataset, ':');
    const char *open = colon == NULL ? NULL : strchr(colon, '(');
    size_t size = strlen(wanted);
    return open != NULL && (size_t)(open - colon - 1) == size &&
           strncmp(colon + 1, wanted, size) == 0;
}

static bool is_selected(const struct records_selector *selector, const struct records_view *view)
{
    if (selector->excerpt_kind != KIND_NONE && selector->excerpt_kind != view->excerpt_kind)
        return false;
    if (selector->instrument != INSTRUMENT_NONE && selector->instrument != view->instrument)
        return false;
    if (selector->article != 0 && selector->article != view->article)
        return false;
    if (selector->dataset[0] != '\0' && !dataset_matches(view->dataset, selector->dataset))
        return false;
    if (selector->period[0] != '\0' && strcmp(selector->period, view->period) != 0)
        return false;
    return selector->source[0] == '\0' || strcmp(selector->source, view->source) == 0;
}

/* -- list, show, export ------------------------------------------------------------------------ */

struct visitor {
    records_visit visit;
    void *context;
    const struct records_selector *selector; /* NULL: no condition */
};

static enum status open_and_visit(struct feed_context *feed,
                                  const struct record_row *row,
                                  uint32_t version,
                                  const struct visitor *visitor,
                                  struct error *err)
{
    struct buf canonical = BUF_INIT_SECRET;
    struct records_view view;
    enum status status = record_rows_open(feed->store, &row->record_id, version, &canonical, err);
    if (status == OK)
        status = records_describe((int)row->kind, buf_span(&canonical), &view, err);
    if (status != OK) {
        char text[ID_TEXT_SIZE];
        id_format(&row->record_id, text);
        status = error_prefix(err, "record %s, version %u", text, (unsigned)version);
    } else {
        view.row = *row;
        view.version = version;
        if (visitor->selector == NULL || is_selected(visitor->selector, &view))
            status = visitor->visit(visitor->context, &view, err);
        mem_wipe(&view, sizeof(view));
    }
    buf_fini(&canonical);
    return status;
}

enum status records_find(struct feed_context *feed,
                         const char *prefix,
                         struct record_row *ret_row,
                         struct error *err)
{
    return record_rows_find(feed->store, prefix, ret_row, err);
}

enum status records_show(struct feed_context *feed,
                         const struct id *record_id,
                         uint32_t version,
                         records_visit visit,
                         void *context,
                         struct error *err)
{
    struct record_row row;
    struct visitor visitor = { visit, context, NULL };
    enum status status = record_rows_get(feed->store, record_id, &row, err);
    if (status != OK)
        return status;
    if (version > row.version)
        return error_set(err, ERR_NOT_FOUND, "the record has %s, no version %u",
                         counted(row.version, "version").text, (unsigned)version);
    return open_and_visit(feed, &row, version == 0 ? row.version : version, &visitor, err);
}

enum status records_list(struct feed_context *feed,
                         const struct records_selector *selector,
                         records_visit visit,
                         void *context,
                         struct error *err)
{
    struct record_row rows[PAGE];
    struct visitor visitor = { visit, context, selector };
    struct id after = ID_NONE;
    for (size_t count = PAGE; count == PAGE;) {
        enum status status =
            record_rows_list(feed->store, selector->kind, id_is_none(&after) ? NULL : &after, rows,
                             PAGE, &count, err);
        for (size_t i = 0; status == OK && i < count; i++) {
            after = rows[i].record_id;
            if (rows[i].state == RECORD_ROW_CURRENT || selector->with_retired)
                status = open_and_visit(feed, &rows[i], rows[i].version, &visitor, err);
        }
        if (status != OK)
            return status;
    }
    return OK;
}

static enum status export_visit(void *context, const struct records_view *view, struct error *err)
{
    struct release release;
    if (view->row.kind != RECORD_ROW_RELEASE)
        return error_set(err, ERR_INVALID, "it is an excerpt, not a release; next: excerpt show");
    enum status status = release_decode(NULL, view->canonical, &release, err);
    if (status != OK)
        return status;
    status = sdmx_export(&release, context, err);
    release_fini(&release);
    return status;
}

enum status records_export(struct feed_context *feed,
                           const struct id *record_id,
                           uint32_t version,
                           struct buf *append_to,
                           struct error *err)
{
    return records_show(feed, record_id, version, export_visit, append_to, err);
}
