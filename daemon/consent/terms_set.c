/* Terms from the words that people type: terms_init() and terms_set(). */
#include "base/clock.h"
#include "base/text.h"
#include "consent/terms.h"
#include "consent/words.h"

#include <stdio.h>
#include <string.h>

void terms_init(struct terms *terms, int64_t now_ms)
{
    memset(terms, 0, sizeof(*terms));
    terms->form = TERMS_EXACT;
    terms->valid_from_ms = now_ms;
    terms->erase_days = TERMS_ERASE_DAYS_DEFAULT;
}

static enum status choose(const struct terms_word *words,
                          size_t count,
                          const char *value,
                          size_t *ret_at,
                          struct error *err)
{
    char known[160] = "";
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (words[i].name == NULL)
            continue;
        if (strcmp(words[i].name, value) == 0) {
            *ret_at = i;
            return OK;
        }
        int added = snprintf(known + used, sizeof(known) - used, "%s%s", used > 0 ? ", " : "",
                             words[i].name);
        used += added > 0 && (size_t)added < sizeof(known) - used ? (size_t)added : 0;
    }
    return error_set(err, ERR_INVALID, "'%.60s' is not one of: %s", value, known);
}

/* Digits only, at most `max`. */
static enum status number(const char *value, uint32_t max, uint32_t *ret_number, struct error *err)
{
    uint32_t parsed = 0;
    size_t size = strlen(value);
    bool good = size >= 1 && size <= 9;
    for (size_t i = 0; good && i < size; i++) {
        good = value[i] >= '0' && value[i] <= '9';
        parsed = parsed * 10 + (uint32_t)(value[i] - '0');
    }
    if (!good || parsed > max)
        return error_set(err, ERR_INVALID, "'%.60s' is not a whole number from 0 to %u", value,
                         (unsigned)max);
    *ret_number = parsed;
    return OK;
}

static enum status copy_text(
    const char *value, enum text_rule rule, char *to, size_t to_size, struct error *err)
{
    size_t size = strnlen(value, to_size);
    if (size == to_size)
        return error_set(err, ERR_LIMIT, "longer than %zu bytes", to_size - 1);
    enum status status = text_check(span_of(value, size), rule, "the text", err);
    if (status == OK) {
        memset(to, 0, to_size);
        memcpy(to, value, size);
    }
    return status;
}

static enum status set_purpose(struct terms *terms, const char *value, struct error *err)
{
    size_t at = 0;
    enum status status = choose(TERMS_PURPOSES, PURPOSE_COUNT, value, &at, err);
    if (status == OK)
        terms->purpose = (enum terms_purpose)at;
    return status;
}

/* "exact", "suppressed:5" */
static enum status set_form(struct terms *terms, const char *value, struct error *err)
{
    char name[32] = "";
    size_t at = 0;
    uint32_t threshold = 0;
    const char *colon = strchr(value, ':');
    size_t size = colon == NULL ? strlen(value) : (size_t)(colon - value);
    (void)snprintf(name, sizeof(name), "%.*s", (int)(size < sizeof(name) ? size : sizeof(name)),
                   value);
    enum status status = choose(TERMS_FORMS, TERMS_FORM_COUNT, name, &at, err);
    if (status != OK)
        return status;
    bool needs_threshold = at == TERMS_SUPPRESSED;
    if (needs_threshold != (colon != NULL)) {
        return error_set(err, ERR_INVALID,
                         "'%.60s': a number k stands behind suppressed only "
                         "(suppressed:5)",
                         value);
    }
    if (colon != NULL)
        status = number(colon + 1, TERMS_THRESHOLD_MAX, &threshold, err);
    if (status == OK && colon != NULL && threshold == 0)
        status = error_set(err, ERR_INVALID, "'%.60s': k is at least 1", value);
    if (status == OK) {
        terms->form = (enum terms_form)at;
        terms->threshold = threshold;
    }
    return status;
}

static enum status set_attribution(struct terms *terms, const char *value, struct error *err)
{
    size_t at = 0;
    enum status status = choose(TERMS_ATTRIBUTIONS, ATTRIBUTION_COUNT, value, &at, err);
    if (status == OK)
        terms->attribution = (enum terms_attribution)at;
    return status;
}

static enum status set_onward(struct terms *terms, const char *value, struct error *err)
{
    size_t at = 0;
    enum status status = choose(TERMS_ONWARDS, ONWARD_COUNT, value, &at, err);
    if (status == OK)
        terms->onward = (enum terms_onward)at;
    return status;
}

static enum status set_from(struct terms *terms, const char *value, struct error *err)
{
    return time_parse(value, &terms->valid_from_ms, err);
}

static enum status set_until(struct terms *terms, const char *value, struct error *err)
{
    return time_parse(value, &terms->valid_until_ms, err);
}

static enum status set_keep_until(struct terms *terms, const char *value, struct error *err)
{
    return time_parse(value, &terms->keep_until_ms, err);
}

static enum status set_erase_days(struct terms *terms, const char *value, struct error *err)
{
    uint32_t days = 0;
    enum status status = number(value, TERMS_ERASE_DAYS_MAX, &days, err);
    if (status == OK)
        terms->erase_days = (uint16_t)days;
    return status;
}

static enum status set_authority(struct terms *terms, const char *value, struct error *err)
{
    return copy_text(value, TEXT_LINE, terms->authority, sizeof(terms->authority), err);
}

static enum status set_reference(struct terms *terms, const char *value, struct error *err)
{
    return copy_text(value, TEXT_LINE, terms->reference, sizeof(terms->reference), err);
}

static enum status set_conditions(struct terms *terms, const char *value, struct error *err)
{
    return copy_text(value, TEXT_LINES, terms->conditions, sizeof(terms->conditions), err);
}

const char *const TERMS_NAMES[] = { "purpose",   "form",      "attribution", "onward",
                                    "from",      "until",     "keep-until",  "erase-days",
                                    "authority", "reference", "conditions",  NULL };

static enum status (*const setters[])(struct terms *, const char *, struct error *) = {
    set_purpose,    set_form,       set_attribution, set_onward,    set_from,       set_until,
    set_keep_until, set_erase_days, set_authority,   set_reference, set_conditions,
};
static_assert(sizeof(setters) / sizeof(setters[0]) + 1 ==
                  sizeof(TERMS_NAMES) / sizeof(TERMS_NAMES[0]),
              "one setter for each name");

enum status terms_set(struct terms *terms, const char *name, const char *value, struct error *err)
{
    for (size_t i = 0; TERMS_NAMES[i] != NULL; i++) {
        if (strcmp(TERMS_NAMES[i], name) != 0)
            continue;
        enum status status = setters[i](terms, value, err);
        return status == OK ? OK : error_prefix(err, "%s", name);
    }
    return error_set(err, ERR_NOT_FOUND, "'%.60s' is not a term of a consent", name);
}
