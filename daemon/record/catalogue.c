#include "record/catalogue.h"

#include "record/catalogue_table.h"

#include <string.h>

/* Position of `code` among `count` names, beginning at 1 (0 stands for none); 0 when unknown. */
static unsigned position(const char *const *names, unsigned count, struct span code)
{
    for (unsigned i = 1; i < count; i++)
        if (span_equal(code, span_text(names[i])))
            return i;
    return 0;
}

static const char *const instrument_codes[INSTRUMENT_COUNT] = { "", "UNTOC", "TIP", "SOM", "FA" };

const char *catalogue_instrument_code(enum instrument instrument)
{
    return (unsigned)instrument < INSTRUMENT_COUNT ? instrument_codes[instrument] : "";
}

const char *catalogue_instrument_name(enum instrument instrument)
{
    static const char *const names[INSTRUMENT_COUNT] = {
        [INSTRUMENT_NONE] = "",
        [INSTRUMENT_UNTOC] = "United Nations Convention against Transnational Organized Crime",
        [INSTRUMENT_TIP] = "Protocol to Prevent, Suppress and Punish Trafficking in Persons, "
                           "Especially Women and Children",
        [INSTRUMENT_SOM] = "Protocol against the Smuggling of Migrants by Land, Sea and Air",
        [INSTRUMENT_FA] = "Protocol against the Illicit Manufacturing of and Trafficking in "
                          "Firearms, Their Parts and Components and Ammunition",
    };
    return (unsigned)instrument < INSTRUMENT_COUNT ? names[instrument] : "";
}

bool catalogue_instrument_parse(struct span code, enum instrument *ret_instrument)
{
    unsigned found = position(instrument_codes, INSTRUMENT_COUNT, code);
    if (found == 0)
        return false;
    *ret_instrument = (enum instrument)found;
    return true;
}

unsigned catalogue_article_count(enum instrument instrument)
{
    return (unsigned)instrument < INSTRUMENT_COUNT ? (unsigned)ARTICLE_LISTS[instrument].count : 0;
}

static const struct article_entry *article_entry(enum instrument instrument, unsigned article)
{
    if (article == 0 || article > catalogue_article_count(instrument))
        return NULL;
    return &ARTICLE_LISTS[instrument].entries[article - 1];
}

const char *catalogue_article_title(enum instrument instrument, unsigned article)
{
    const struct article_entry *entry = article_entry(instrument, article);
    return entry == NULL ? NULL : entry->title;
}

unsigned catalogue_cluster(enum instrument instrument, unsigned article)
{
    const struct article_entry *entry = article_entry(instrument, article);
    return entry == NULL ? 0 : entry->cluster;
}

const char *catalogue_cluster_name(unsigned cluster)
{
    static const char *const names[] = {
        NULL,
        "I: criminalization and jurisdiction",
        "II: prevention, technical assistance and protection",
        "III: law enforcement and the judicial system",
        "IV: international cooperation, mutual legal assistance and confiscation",
    };
    return cluster < sizeof(names) / sizeof(names[0]) ? names[cluster] : NULL;
}

static const char *const kind_codes[KIND_COUNT] = {
    [KIND_NONE] = "",
    [KIND_ANSWER] = "answer",
    [KIND_LEGISLATION] = "legislation",
    [KIND_MEASURE] = "measure",
    [KIND_GOOD_PRACTICE] = "good-practice",
    [KIND_LESSON_LEARNED] = "lesson-learned",
    [KIND_CHALLENGE] = "challenge",
    [KIND_ASSISTANCE_NEED] = "assistance-need",
    [KIND_CASE_EXAMPLE] = "case-example",
    [KIND_OBSERVATION] = "observation",
    [KIND_REASON_FOR_NON_USE] = "reason-for-non-use",
};

const char *catalogue_kind_code(enum excerpt_kind kind)
{
    return (unsigned)kind < KIND_COUNT ? kind_codes[kind] : "";
}

const char *catalogue_kind_name(enum excerpt_kind kind)
{
    static const char *const names[KIND_COUNT] = {
        [KIND_NONE] = "",
        [KIND_ANSWER] = "answer",
        [KIND_LEGISLATION] = "legislation",
        [KIND_MEASURE] = "measure",
        [KIND_GOOD_PRACTICE] = "good practice",
        [KIND_LESSON_LEARNED] = "lesson learned",
        [KIND_CHALLENGE] = "challenge",
        [KIND_ASSISTANCE_NEED] = "assistance need",
        [KIND_CASE_EXAMPLE] = "case example",
        [KIND_OBSERVATION] = "observation",
        [KIND_REASON_FOR_NON_USE] = "reason for non-use",
    };
    return (unsigned)kind < KIND_COUNT ? names[kind] : "";
}

bool catalogue_kind_parse(struct span code, enum excerpt_kind *ret_kind)
{
    unsigned found = position(kind_codes, KIND_COUNT, code);
    if (found == 0)
        return false;
    *ret_kind = (enum excerpt_kind)found;
    return true;
}

static const char *const class_codes[CONFIDENTIALITY_COUNT] = { "", "public", "internal",
                                                                "restricted", "confidential" };

const char *catalogue_confidentiality_code(enum confidentiality class)
{
    return (unsigned)class < CONFIDENTIALITY_COUNT ? class_codes[class] : "";
}

bool catalogue_confidentiality_parse(struct span code, enum confidentiality *ret_class)
{
    unsigned found = position(class_codes, CONFIDENTIALITY_COUNT, code);
    if (found == 0)
        return false;
    *ret_class = (enum confidentiality)found;
    return true;
}

enum letters { LETTERS_NONE, LETTERS_LOWER, LETTERS_UPPER, LETTERS_TITLE, LETTERS_DIGITS };

/* Whether all of `part` has the form. */
static bool has_form(struct span part, enum letters form)
{
    for (size_t i = 0; i < part.size; i++) {
        uint8_t c = part.data[i];
        bool lower = c >= 'a' && c <= 'z', upper = c >= 'A' && c <= 'Z',
             digit = c >= '0' && c <= '9';
        bool fits = (form == LETTERS_LOWER && lower) || (form == LETTERS_UPPER && upper) ||
                    (form == LETTERS_TITLE && (i == 0 ? upper : lower)) ||
                    (form == LETTERS_DIGITS && digit) || (form == LETTERS_NONE && (lower || digit));
        if (!fits)
            return false;
    }
    return part.size > 0;
}

/* Takes the subtag up to the next hyphen off the front of *rest. */
static struct span subtag(struct span *rest)
{
    size_t size = 0;
    while (size < rest->size && rest->data[size] != '-')
        size++;
    struct span part = span_slice(*rest, 0, size);
    *rest = span_slice(*rest, size + 1, rest->size);
    return part;
}

/* RFC 5646 section 2.1: language, script, region, variants; usual capitals of its section 2.1.1.
 * Extensions and private use are left out: nothing here needs them. */
bool catalogue_language_check(struct span tag)
{
    enum { TAG_MAX = 35 }; /* RFC 5646 section 4.4.1 */
    if (tag.size == 0 || tag.size > TAG_MAX || tag.data[tag.size - 1] == '-')
        return false;
    struct span rest = tag;
    struct span part = subtag(&rest);
    if (part.size < 2 || part.size > 3 || !has_form(part, LETTERS_LOWER))
        return false;
    part = subtag(&rest);
    if (part.size == 4 && has_form(part, LETTERS_TITLE))
        part = subtag(&rest);
    if ((part.size == 2 && has_form(part, LETTERS_UPPER)) ||
        (part.size == 3 && has_form(part, LETTERS_DIGITS)))
        part = subtag(&rest);
    while (part.size >= 4 && part.size <= 8 && has_form(part, LETTERS_NONE) &&
           (part.size > 4 || (part.data[0] >= '0' && part.data[0] <= '9')))
        part = subtag(&rest);
    return part.size == 0 && rest.size == 0;
}

bool catalogue_language_is_official(struct span tag)
{
    static const char *const official[] = { "", "ar", "en", "es", "fr", "ru", "zh" };
    struct span rest = tag;
    return catalogue_language_check(tag) && position(official, 7, subtag(&rest)) != 0;
}
