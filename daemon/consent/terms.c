#include "consent/terms.h"

#include "base/clock.h"
#include "base/counted.h"
#include "base/cursor.h"
#include "base/text.h"
#include "consent/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

/* -- words ------------------------------------------------------------------------------------- */

const struct terms_word TERMS_PURPOSES[PURPOSE_COUNT] = {
    [PURPOSE_PEER_REVIEW] = { "peer-review", "peer review" },
    [PURPOSE_AGGREGATE] = { "aggregate", "aggregated figures only" },
    [PURPOSE_TECHNICAL_ASSISTANCE] = { "technical-assistance", "technical assistance" },
    [PURPOSE_COOPERATION] = { "cooperation", "international cooperation" },
    [PURPOSE_PUBLICATION] = { "publication", "publication" },
};

const struct terms_word TERMS_FORMS[TERMS_FORM_COUNT] = {
    [TERMS_EXACT] = { "exact", "exactly as it stands" },
    [TERMS_SUPPRESSED] = { "suppressed", "small counts suppressed" },
    [TERMS_ROUNDED] = { "rounded", "figures rounded" },
    [TERMS_AGGREGATE_ONLY] = { "aggregate-only", "in aggregates only" },
};

const struct terms_word TERMS_ATTRIBUTIONS[ATTRIBUTION_COUNT] = {
    [ATTRIBUTION_UNNAMED] = { "unnamed", "the State is not named when it is used" },
    [ATTRIBUTION_NAMED] = { "named", "the State may be named when it is used" },
};

const struct terms_word TERMS_ONWARDS[ONWARD_COUNT] = {
    [ONWARD_NONE] = { "none", "to nobody else" },
    [ONWARD_PUBLIC] = { "public", "to the public" },
};

static const char *word_name(const struct terms_word *words, size_t count, size_t at)
{
    return at < count && words[at].name != NULL ? words[at].name : "?";
}

static const char *word_says(const struct terms_word *words, size_t count, size_t at)
{
    return at < count && words[at].says != NULL ? words[at].says : "not said";
}

const char *terms_purpose_name(enum terms_purpose purpose)
{
    return word_name(TERMS_PURPOSES, PURPOSE_COUNT, (size_t)purpose);
}

const char *terms_form_name(enum terms_form form)
{
    return word_name(TERMS_FORMS, TERMS_FORM_COUNT, (size_t)form);
}

const char *terms_attribution_name(enum terms_attribution attribution)
{
    return word_name(TERMS_ATTRIBUTIONS, ATTRIBUTION_COUNT, (size_t)attribution);
}

const char *terms_onward_name(enum terms_onward onward)
{
    return word_name(TERMS_ONWARDS, ONWARD_COUNT, (size_t)onward);
}

/* -- check ------------------------------------------------------------------------------------- */

struct problems {
    struct buf *lines; /* may be NULL */
    size_t count;
    size_t form_count; /* of them: forms that this version does not release */
    char first[ERROR_TEXT_MAX];
    enum status status; /* of appending */
};

static void problem(struct problems *problems, const char *format, ...) PRINTF_LIKE(2, 3);
static void problem(struct problems *problems, const char *format, ...)
{
    char line[ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (problems->count++ == 0)
        memcpy(problems->first, line, sizeof(line));
    if (problems->lines != NULL && problems->status == OK)
        problems->status = buf_printf(problems->lines, NULL, "%s\n", line);
}

static void check_form(const struct terms *terms, struct problems *problems)
{
    if (terms->form == TERMS_EXACT)
        return;
    problem(problems,
            "form: %s: this version releases records exactly as they stand and nothing else; "
            "disclosure control is not part of it yet; next: say exact, or wait for it",
            terms_form_name(terms->form));
    problems->form_count++;
}

static void check_times(const struct terms *terms, int64_t now_ms, struct problems *problems)
{
    if (terms->valid_until_ms == 0) {
        problem(problems, "until: an end is required; next: say until when it is to hold");
        return;
    }
    if (terms->valid_until_ms <= terms->valid_from_ms)
        problem(problems, "until: the end must lie after the beginning");
    else if (terms->valid_until_ms <= now_ms)
        problem(problems, "until: the end lies in the past");
    if (terms->valid_until_ms - now_ms > (int64_t)TERMS_YEARS_MAX * 366 * DAY_MS)
        problem(problems, "until: more than %d years from now", TERMS_YEARS_MAX);
    if (terms->keep_until_ms == 0)
        return;
    if (terms->keep_until_ms > terms->valid_until_ms) {
        problem(problems, "keep-until: later than until: what has ended is erased; next: give "
                          "the later date to until");
    } else if (terms->keep_until_ms <= terms->valid_from_ms || terms->keep_until_ms <= now_ms) {
        problem(problems, "keep-until: must lie after the beginning and in the future");
    }
}

enum status terms_check(const struct terms *terms,
                        int64_t now_ms,
                        struct buf *append_problems,
                        struct error *err)
{
    struct problems problems = { .lines = append_problems, .status = OK };
    if (terms->purpose == PURPOSE_NONE)
        problem(&problems, "purpose: must be said; next: one of peer-review, aggregate, "
                           "technical-assistance, cooperation, publication");
    check_form(terms, &problems);
    check_times(terms, now_ms, &problems);
    if (terms->purpose == PURPOSE_PUBLICATION && terms->onward != ONWARD_PUBLIC)
        problem(&problems, "onward: the purpose publication needs onward public");
    if (terms->authority[0] == '\0')
        problem(&problems, "authority: must be said: who decided");
    if (terms->reference[0] == '\0')
        problem(&problems, "reference: must be said: the file or note in which it was decided");
    if (problems.status != OK)
        return error_set(err, problems.status, "terms: no memory to list their problems");
    if (problems.count == 0)
        return OK;
    enum status status = problems.count == problems.form_count ? ERR_UNSUPPORTED : ERR_INVALID;
    if (problems.count == 1)
        return error_set(err, status, "%s", problems.first);
    return error_set(err, status, "the terms have %zu problems; the first: %.400s", problems.count,
                     problems.first);
}

void terms_settle(struct terms *terms)
{
    if (terms->keep_until_ms == 0)
        terms->keep_until_ms = terms->valid_until_ms;
}

/* -- bytes ------------------------------------------------------------------------------------- */

static void write_text(struct writer *w, const char *text)
{
    struct span bytes = span_text(text);
    writer_u16(w, (uint16_t)bytes.size);
    writer_bytes(w, bytes);
}

enum status terms_encode(const struct terms *terms, struct buf *append_to, struct error *err)
{
    struct writer w = writer_init(append_to);
    writer_u8(&w, TERMS_VERSION);
    writer_u8(&w, (uint8_t)terms->purpose);
    writer_u8(&w, (uint8_t)terms->form);
    writer_u8(&w, (uint8_t)terms->attribution);
    writer_u8(&w, (uint8_t)terms->onward);
    writer_u32(&w, terms->threshold);
    writer_u64(&w, (uint64_t)terms->valid_from_ms);
    writer_u64(&w, (uint64_t)terms->valid_until_ms);
    writer_u64(&w, (uint64_t)terms->keep_until_ms);
    writer_u16(&w, terms->erase_days);
    write_text(&w, terms->authority);
    write_text(&w, terms->reference);
    write_text(&w, terms->conditions);
    return writer_done(&w, "terms", err);
}

static enum status read_text(struct reader *r,
                             enum text_rule rule,
                             const char *what,
                             char *to,
                             size_t to_size,
                             struct error *err)
{
    struct span text = reader_bytes(r, reader_u16(r));
    if (text.size >= to_size)
        return error_set(err, ERR_LIMIT, "terms: %s: %zu bytes > %zu", what, text.size,
                         to_size - 1);
    if (text.size > 0)
        memcpy(to, text.data, text.size);
    return text_check(text, rule, what, err);
}

/* A number below `count`, and not 0 where 0 means "not said". */
static enum status read_choice(struct reader *r,
                               uint8_t least,
                               uint8_t count,
                               const char *what,
                               uint8_t *ret_choice,
                               struct error *err)
{
    uint8_t choice = reader_u8(r);
    if (r->failed)
        return OK; /* reported once, by reader_done() */
    if (choice < least)
        return error_set(err, ERR_INVALID, "terms: %s: 0 says nothing", what);
    if (choice >= count)
        return error_set(err, ERR_UNSUPPORTED, "terms: %s: %u is not known to this version", what,
                         (unsigned)choice);
    *ret_choice = choice;
    return OK;
}

static enum status read_choices(struct reader *r, struct terms *terms, struct error *err)
{
    uint8_t purpose = 0, form = 0, attribution = 0, onward = 0;
    enum status status = read_choice(r, 1, PURPOSE_COUNT, "purpose", &purpose, err);
    if (status == OK)
        status = read_choice(r, 1, TERMS_FORM_COUNT, "form", &form, err);
    if (status == OK)
        status = read_choice(r, 0, ATTRIBUTION_COUNT, "attribution", &attribution, err);
    if (status == OK)
        status = read_choice(r, 0, ONWARD_COUNT, "onward", &onward, err);
    terms->purpose = (enum terms_purpose)purpose;
    terms->form = (enum terms_form)form;
    terms->attribution = (enum terms_attribution)attribution;
    terms->onward = (enum terms_onward)onward;
    return status;
}

/* What terms_check() would not have let pass, as far as it does not depend on the clock. */
static enum status check_decoded(const struct terms *terms, struct error *err)
{
    bool has_threshold = terms->threshold > 0 && terms->threshold <= TERMS_THRESHOLD_MAX;
    if (terms->form == TERMS_SUPPRESSED ? !has_threshold : terms->threshold != 0)
        return error_set(err, ERR_INVALID, "terms: threshold %u does not fit the form %s",
                         (unsigned)terms->threshold, terms_form_name(terms->form));
    if (terms->valid_from_ms < 0 || terms->valid_until_ms <= terms->valid_from_ms)
        return error_set(err, ERR_INVALID, "terms: the end does not lie after the beginning");
    if (terms->keep_until_ms <= terms->valid_from_ms ||
        terms->keep_until_ms > terms->valid_until_ms)
        return error_set(err, ERR_INVALID, "terms: keep until lies outside of the validity");
    if (terms->erase_days > TERMS_ERASE_DAYS_MAX)
        return error_set(err, ERR_INVALID, "terms: %u days for erasing > %d",
                         (unsigned)terms->erase_days, TERMS_ERASE_DAYS_MAX);
    if (terms->authority[0] == '\0' || terms->reference[0] == '\0')
        return error_set(err, ERR_INVALID, "terms: they do not say who decided, and in what file");
    return OK;
}

enum status terms_decode(struct span bytes, struct terms *ret_terms, struct error *err)
{
    struct reader r = reader_init(bytes);
    struct terms terms;
    memset(&terms, 0, sizeof(terms));
    uint8_t version = reader_u8(&r);
    if (!r.failed && version != TERMS_VERSION)
        return error_set(err, ERR_UNSUPPORTED, "terms: version %u, this version knows %d",
                         (unsigned)version, TERMS_VERSION);
    enum status status = read_choices(&r, &terms, err);
    terms.threshold = reader_u32(&r);
    terms.valid_from_ms = (int64_t)reader_u64(&r);
    terms.valid_until_ms = (int64_t)reader_u64(&r);
    terms.keep_until_ms = (int64_t)reader_u64(&r);
    terms.erase_days = reader_u16(&r);
    if (status == OK)
        status =
            read_text(&r, TEXT_LINE, "authority", terms.authority, sizeof(terms.authority), err);
    if (status == OK)
        status =
            read_text(&r, TEXT_LINE, "reference", terms.reference, sizeof(terms.reference), err);
    if (status == OK)
        status = read_text(&r, TEXT_LINES, "conditions", terms.conditions, sizeof(terms.conditions),
                           err);
    if (status == OK)
        status = reader_done(&r, "terms", err);
    if (status == OK)
        status = check_decoded(&terms, err);
    if (status == OK)
        *ret_terms = terms;
    return status;
}

/* -- for people -------------------------------------------------------------------------------- */

enum status terms_render(const struct terms *terms, struct buf *append_to, struct error *err)
{
    char from[TIME_TEXT_SIZE], until[TIME_TEXT_SIZE], keep[TIME_TEXT_SIZE];
    char threshold[32] = "";
    time_format(terms->valid_from_ms, from);
    time_format(terms->valid_until_ms, until);
    time_format(terms->keep_until_ms, keep);
    if (terms->form == TERMS_SUPPRESSED)
        (void)snprintf(threshold, sizeof(threshold), " (below %u)", (unsigned)terms->threshold);
    return buf_printf(append_to, err,
                      "Purpose: %s\n"
                      "Form: %s%s\n"
                      "Attribution: %s\n"
                      "Onward: %s\n"
                      "Valid: from %s until %s\n"
                      "Keep until: %s\n"
                      "Erase within: %s after the end\n"
                      "Decided by: %s\n"
                      "Reference: %s\n"
                      "Conditions: %s\n",
                      word_says(TERMS_PURPOSES, PURPOSE_COUNT, (size_t)terms->purpose),
                      word_says(TERMS_FORMS, TERMS_FORM_COUNT, (size_t)terms->form), threshold,
                      word_says(TERMS_ATTRIBUTIONS, ATTRIBUTION_COUNT, (size_t)terms->attribution),
                      word_says(TERMS_ONWARDS, ONWARD_COUNT, (size_t)terms->onward), from, until,
                      keep, counted(terms->erase_days, "day").text, terms->authority,
                      terms->reference, terms->conditions[0] == '\0' ? "none" : terms->conditions);
}
