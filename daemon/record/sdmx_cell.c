#include "record/sdmx_cell.h"

#include <string.h>

struct span sdmx_cell_trim(struct span text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = span_slice(text, 1, text.size);
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

bool sdmx_cell_number(struct span text, char separator, struct decimal *ret_value)
{
    uint8_t copy[DECIMAL_TEXT_SIZE];
    if (text.size > sizeof(copy))
        return false;
    for (size_t i = 0; i < text.size; i++)
        copy[i] = separator == ';' && text.data[i] == ',' ? (uint8_t)'.' : text.data[i];
    bool comma = text.size > 0 && memchr(text.data, ',', text.size) != NULL;
    bool point = text.size > 0 && memchr(text.data, '.', text.size) != NULL;
    if (comma && point) /* 1.234,5: one of them is a thousands mark */
        return false;
    const uint8_t *mark = comma ? memchr(text.data, ',', text.size) : NULL;
    if (mark != NULL && text.size - (size_t)(mark - text.data) == 4)
        return false; /* 1,234: nobody can tell which it is */
    return decimal_parse(span_of(copy, text.size), ret_value);
}

static bool starts_with(struct span text, const char *what)
{
    return span_equal(span_slice(text, 0, strlen(what)), span_text(what));
}

/* `<5` and its kin.  Counts are whole, so below 5 means at most 4. */
static bool parse_relation(struct span text, char separator, struct sdmx_value *value)
{
    static const struct {
        const char *sign;
        bool upper, strict, approximate;
    } relations[] = {
        { "<=", true, false, false }, { ">=", false, false, false }, { "≤", true, false, false },
        { "≥", false, false, false }, { "<", true, true, false },    { ">", false, true, false },
        { "~", false, false, true },  { "≈", false, false, true },
    };
    for (size_t i = 0; i < sizeof(relations) / sizeof(relations[0]); i++) {
        if (!starts_with(text, relations[i].sign))
            continue;
        struct span rest = sdmx_cell_trim(span_slice(text, strlen(relations[i].sign), text.size));
        struct decimal number;
        if (!sdmx_cell_number(rest, separator, &number))
            return false;
        if (relations[i].approximate) {
            value->approximate = true;
            value->value = number;
            return true;
        }
        bool no_room = relations[i].upper && number.mantissa == 0;
        if (relations[i].strict && (number.scale > 0 || no_room))
            return false;
        value->missing = true;
        value->has_upper = relations[i].upper;
        value->has_lower = !relations[i].upper;
        if (relations[i].strict)
            number.mantissa = relations[i].upper ? number.mantissa - 1 : number.mantissa + 1;
        *(relations[i].upper ? &value->upper : &value->lower) = number;
        return true;
    }
    return false;
}

/* Digits and what people put between them. */
static bool has_thousands_mark(struct span text)
{
    size_t digits = 0, marks = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c >= '0' && c <= '9')
            digits++;
        else if (c == ',' || c == '.' || c == ' ' || c == '\'' || c == 0xc2 || c == 0xa0 ||
                 c == 0xe2 || c == 0x80 || c == 0xaf || c == 0x89 || c == 0x99)
            marks++; /* no-break blank, narrow and thin blank, apostrophe in UTF-8 */
        else
            return false;
    }
    return digits > 0 && marks > 0;
}

/* Digits with one mark at most, and a digit at either end: a number, but too long a one. */
static bool is_long_number(struct span text, char separator)
{
    size_t marks = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        bool mark = c == '.' || (separator == ';' && c == ',');
        if (!mark && (c < '0' || c > '9'))
            return false;
        marks += mark;
        if (mark && (i == 0 || i + 1 == text.size))
            return false;
    }
    return marks <= 1 && text.size > 7; /* 1.234567 is the shortest that is none */
}

static struct sdmx_fault explain(struct span text, char separator)
{
    static const char *const absent[] = { "-", "–", "—", "n/a", "N/A", "NA", "na", "..", ":", "." };
    static const char number[] = "a value is a number: digits and at most one decimal point";
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
        if (span_equal(text, span_text(absent[i]))) {
            return (struct sdmx_fault){
                "a missing value is written NaN",
                "write NaN where a figure is not known, 0 where nothing happened"
            };
        }
    }
    bool starts_digit = text.data[0] >= '0' && text.data[0] <= '9';
    if (text.data[0] == '-' || text.data[0] == '+')
        return (struct sdmx_fault){ "a count or a duration has no sign", NULL };
    if (is_long_number(text, separator))
        return (struct sdmx_fault){ "a value has at most 15 digits, 6 of them behind the point",
                                    "round it, or count in thousands with UNIT_MULT 3" };
    if (has_thousands_mark(text))
        return (struct sdmx_fault){ number, "write it without thousands marks: 1234 or 1234.5" };
    if (starts_digit)
        return (struct sdmx_fault){ number, "put footnotes and remarks into COMMENT_OBS" };
    return (struct sdmx_fault){ number, NULL };
}

bool sdmx_cell_value(struct span text,
                     char separator,
                     struct sdmx_value *ret_value,
                     struct sdmx_fault *ret_fault)
{
    struct sdmx_value value = { .missing = false };
    text = sdmx_cell_trim(text);
    if (text.size == 0 || span_equal(text, SPAN_LITERAL("NaN")) ||
        span_equal(text, SPAN_LITERAL("#N/A"))) {
        value.missing = true;
        value.empty = text.size == 0;
    } else if (!sdmx_cell_number(text, separator, &value.value) &&
               !parse_relation(text, separator, &value)) {
        *ret_fault = explain(text, separator);
        return false;
    }
    *ret_value = value;
    return true;
}

const char *sdmx_cell_code_hint(const struct component *component, struct span text)
{
    char upper[32];
    bool digits = text.size > 0;
    if (text.size == 0 || text.size >= sizeof(upper))
        return NULL;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        bool lower = c >= 'a' && c <= 'z';
        upper[i] = (char)(lower ? c - 'a' + 'A' : c);
        digits = digits && c >= '0' && c <= '9';
    }
    struct span raised = span_of(upper, text.size);
    if (!span_equal(raised, text) && codelist_has(component->codes, raised))
        return "write it in capitals";
    if (strcmp(component->id, "OFFENCE") == 0 && digits)
        return "put ICCS in front of the number, which also keeps its leading zero";
    if (strcmp(component->id, "TIME_PERIOD") == 0 && text.size == 7)
        return "a year from 1 July 2012 to 30 June 2013 is written 2012-07-01/P1Y";
    return NULL;
}
