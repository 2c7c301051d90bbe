#include "record/structure.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "record/area.h"
#include "record/catalogue_table.h"
#include "record/period.h"
#include "record/release.h"

#include <string.h>

/* International Classification of Crime for Statistical Purposes, with a prefix, because
 * spreadsheets eat leading zeros: ICCS05, ICCS0501, ICCS05012, ICCS050121. */
static bool is_offence(struct span code)
{
    if (code.size < 6 || code.size > 10 || memcmp(code.data, "ICCS", 4) != 0)
        return false;
    for (size_t i = 4; i < code.size; i++)
        if (code.data[i] < '0' || code.data[i] > '9')
            return false;
    return code.size != 7; /* the classification has levels of 2, 4, 5 and 6 digits */
}

static bool is_decimal(struct span text)
{
    struct decimal value;
    return decimal_parse(text, &value);
}

/* Text without blanks around it: a file could not carry them. */
static bool is_trimmed(struct span text)
{
    return text.size == 0 ||
           (strchr(" \t", text.data[0]) == NULL && strchr(" \t", text.data[text.size - 1]) == NULL);
}

static bool is_note(struct span text)
{
    return text.size <= CONDITION_MAX && is_trimmed(text) &&
           text_find_flaw(text, TEXT_LINES).kind == TEXT_PLAIN;
}

static bool is_line(struct span text)
{
    return text.size <= TITLE_MAX && is_trimmed(text) &&
           text_find_flaw(text, TEXT_LINE).kind == TEXT_PLAIN;
}

static bool is_time(struct span text)
{
    char copy[TIME_TEXT_SIZE];
    int64_t ignored;
    if (text.size == 0 || text.size >= sizeof(copy) || memchr(text.data, 0, text.size) != NULL)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return time_parse(copy, &ignored, NULL) == OK;
}

/* SDMX: the day on which the reporting year begins, --07-01. */
static bool is_year_start(struct span text)
{
    char full[11] = "2000-00-00";
    if (text.size != 7 || memcmp(text.data, "--", 2) != 0)
        return false;
    memcpy(full + 5, text.data + 2, 5);
    return is_time(span_text(full));
}

/* Ids of dimensions, separated by single blanks. */
static bool is_dimension_list(struct span text)
{
    while (text.size > 0) {
        const uint8_t *blank = memchr(text.data, ' ', text.size);
        size_t size = blank == NULL ? text.size : (size_t)(blank - text.data);
        if (structure_dimension(&STRUCTURE_INTCOOP, span_slice(text, 0, size)) < 0)
            return false;
        if (blank != NULL && size + 1 == text.size)
            return false;
        text = span_slice(text, size + 1, text.size);
    }
    return true;
}

static const struct codelist freq = { "CL_FREQ", &CL_FREQ, NULL, "a frequency is A, S, Q or M" };
static const struct codelist area = {
    "CL_AREA",
    NULL,
    area_is_canonical,
    "an area is an ISO 3166 code (KE, KEN or 404), EU, a group G_..., _T, _U or _W",
};
static const struct codelist direction = { "CL_DIRECTION", &CL_DIRECTION, NULL,
                                           "a direction is OUT, IN, SENT, ADMIN, _T or _Z" };
static const struct codelist coop_type = { "CL_COOP_TYPE", &CL_COOP_TYPE, NULL,
                                           "a type of cooperation is EXTR, SURR, PARR, TSP, MLA, "
                                           "TWT, SPON, CONF, JIT, SIT, TCP, LEC, OTH or _T" };
static const struct codelist assist_type = {
    "CL_ASSIST_TYPE",
    &CL_ASSIST_TYPE,
    NULL,
    "a kind of assistance is A18_3_A to A18_3_I, _T or _Z",
};
static const struct codelist legal_basis = {
    "CL_LEGAL_BASIS",
    &CL_LEGAL_BASIS,
    NULL,
    "a legal basis is UNTOC, TIP, SOM, FA, UNCAC, DRUGS88, REG, BIL, RECIP, DOM, _U or _T",
};
static const struct codelist offence = {
    "CL_OFFENCE",
    &CL_OFFENCE,
    is_offence,
    "an offence is an ICCS code with its prefix (ICCS0501), _T or _Z",
};
static const struct codelist indicator = {
    "CL_INDICATOR",
    &CL_INDICATOR,
    NULL,
    "an indicator is OPEN, NEW, ADMIT, DECIDED, GRANT, GRANT_P, REFUSE, WITHDR, OTHFIN, POSTP, "
    "CLOSE, SURREND, MED_DAYS or MEAN_DAYS",
};
static const struct codelist reason = {
    "CL_REASON",
    &CL_REASON,
    NULL,
    "a reason is a code of CL_REASON (A18_21_A, DUALCRIM, NATIONAL, NEBIS, OTH ...), _T or _Z",
};
static const struct codelist procedure = { "CL_PROCEDURE", &CL_PROCEDURE, NULL,
                                           "a procedure is EXEC, COURT, SIMPL, ORD or _T" };
static const struct codelist cohort = { "CL_COHORT", &CL_COHORT, NULL,
                                        "a cohort is FLOW, REQ or STOCK" };
static const struct codelist unit_measure = { "CL_UNIT_MEASURE", &CL_UNIT_MEASURE, NULL,
                                              "a unit is REQ, PERS, WARR, CASE or APPL" };
static const struct codelist time_period = {
    "TIME_PERIOD",
    NULL,
    period_is_canonical,
    "a period is written 2013, 2013-S1, 2013-Q1, 2013-01, or for a fiscal year 2012-07-01/P1Y",
};
static const struct codelist obs_status = {
    "CL_OBS_STATUS",
    &CL_OBS_STATUS,
    NULL,
    "a status is a code of the SDMX list CL_OBS_STATUS (A, B, D, E, M, O, P, Q ...)",
};
static const struct codelist conf_status = { "CL_CONF_STATUS", &CL_CONF_STATUS, NULL,
                                             "a confidentiality status is a code of the SDMX list "
                                             "CL_CONF_STATUS (F, N, C, D, S, A, O, T, G, M, E)" };
static const struct codelist unit_mult = { "CL_UNIT_MULT", &CL_UNIT_MULT, NULL,
                                           "a multiplier is a power of ten from -15 to 15" };
static const struct codelist decimals = { "CL_DECIMALS", &CL_DECIMALS, NULL,
                                          "a number of decimals is 0 to 15" };
static const struct codelist approx = { "CL_APPROX", &CL_APPROX, NULL, "APPROX is Y or empty" };
static const struct codelist number = {
    "NUMBER",
    NULL,
    is_decimal,
    "a bound is a number: digits and at most one decimal point",
};
static const struct codelist note = {
    "NOTE",
    NULL,
    is_note,
    "a note is text of at most 4096 bytes without control characters",
};
static const struct codelist line = {
    "LINE",
    NULL,
    is_line,
    "this is one line of at most 500 bytes without control characters",
};
static const struct codelist point_in_time = {
    "TIME",
    NULL,
    is_time,
    "a time is written 2026-03-01 or 2026-03-01T09:30:00Z",
};
static const struct codelist year_start = {
    "MONTH_DAY",
    NULL,
    is_year_start,
    "the first day of the reporting year is written --07-01",
};
static const struct codelist dimension_list = {
    "DIMENSIONS",
    NULL,
    is_dimension_list,
    "this is a list of dimensions with single blanks between them",
};

static const struct component intcoop_dimensions[INTCOOP_DIMENSION_COUNT] = {
    [INTCOOP_FREQ] = { "FREQ", "Frequency", &freq },
    [INTCOOP_REF_AREA] = { "REF_AREA", "Reporter", &area },
    [INTCOOP_COUNTERPART_AREA] = { "COUNTERPART_AREA", "Counterpart", &area },
    [INTCOOP_DIRECTION] = { "DIRECTION", "Direction", &direction },
    [INTCOOP_COOP_TYPE] = { "COOP_TYPE", "Type of cooperation", &coop_type },
    [INTCOOP_ASSIST_TYPE] = { "ASSIST_TYPE", "Kind of assistance", &assist_type },
    [INTCOOP_LEGAL_BASIS] = { "LEGAL_BASIS", "Legal basis", &legal_basis },
    [INTCOOP_OFFENCE] = { "OFFENCE", "Offence", &offence },
    [INTCOOP_INDICATOR] = { "INDICATOR", "Indicator", &indicator },
    [INTCOOP_REASON] = { "REASON", "Reason", &reason },
    [INTCOOP_PROCEDURE] = { "PROCEDURE", "Procedure", &procedure },
    [INTCOOP_COHORT] = { "COHORT", "Cohort", &cohort },
    [INTCOOP_UNIT_MEASURE] = { "UNIT_MEASURE", "Unit", &unit_measure },
    [INTCOOP_TIME_PERIOD] = { "TIME_PERIOD", "Period", &time_period },
};

static const struct component intcoop_attributes[INTCOOP_ATTRIBUTE_COUNT] = {
    [INTCOOP_OBS_STATUS] = { "OBS_STATUS", "Status of the observation", &obs_status },
    [INTCOOP_CONF_STATUS] = { "CONF_STATUS", "Confidentiality status", &conf_status },
    [INTCOOP_COMMENT_OBS] = { "COMMENT_OBS", "Comment", &note },
    [INTCOOP_CONF_REDIST] = { "CONF_REDIST", "Secondary recipients", &line },
    [INTCOOP_EMBARGO_TIME] = { "EMBARGO_TIME", "Embargo until", &point_in_time },
    [INTCOOP_LOWER_BOUND] = { "LOWER_BOUND", "Not less than", &number },
    [INTCOOP_UPPER_BOUND] = { "UPPER_BOUND", "Not more than", &number },
    [INTCOOP_APPROX] = { "APPROX", "Approximate", &approx },
    [INTCOOP_NATIONAL_TERM] = { "NATIONAL_TERM", "Term of national law", &line },
    [INTCOOP_UNIT_MULT] = { "UNIT_MULT", "Power of ten", &unit_mult },
    [INTCOOP_DECIMALS] = { "DECIMALS", "Decimals", &decimals },
    [INTCOOP_COVERAGE] = { "COVERAGE", "What is covered", &line },
    [INTCOOP_NON_ADDITIVE] = { "NON_ADDITIVE", "Dimensions not to be summed", &dimension_list },
};

static const struct component intcoop_release_attributes[INTCOOP_RELEASE_ATTRIBUTE_COUNT] = {
    [INTCOOP_SOURCE_AUTH] = { "SOURCE_AUTH", "Authority that is the source", &line },
    [INTCOOP_REPYEARSTART] = { "REPYEARSTART", "Start of the reporting year", &year_start },
    [INTCOOP_VINTAGE] = { "VINTAGE", "Vintage", &line },
    [INTCOOP_LAST_UPDATE] = { "LAST_UPDATE", "Last update", &point_in_time },
    [INTCOOP_CONTACT] = { "CONTACT", "Contact", &line },
    [INTCOOP_TITLE] = { "TITLE", "Title", &line },
};

const struct structure STRUCTURE_INTCOOP = {
    .id = "COMITY:DSD_INTCOOP(1.0.0)",
    .dataflow = "COMITY:DF_INTCOOP(1.0.0)",
    .name = "International cooperation in criminal matters",
    .dimensions = intcoop_dimensions,
    .dimension_count = INTCOOP_DIMENSION_COUNT,
    .attributes = intcoop_attributes,
    .attribute_count = INTCOOP_ATTRIBUTE_COUNT,
    .release_attributes = intcoop_release_attributes,
    .release_attribute_count = INTCOOP_RELEASE_ATTRIBUTE_COUNT,
};

bool codelist_has(const struct codelist *list, struct span code)
{
    return codelist_name(list, code) != NULL || (list->accepts != NULL && list->accepts(code));
}

const char *codelist_name(const struct codelist *list, struct span code)
{
    for (size_t i = 0; list->codes != NULL && i < list->codes->count; i++)
        if (span_equal(code, span_text(list->codes->entries[i].code)))
            return list->codes->entries[i].name;
    return list == &area ? area_name(code) : NULL;
}

const struct structure *structure_all(size_t *ret_count)
{
    *ret_count = 1;
    return &STRUCTURE_INTCOOP;
}

const struct structure *structure_by_dataflow(struct span dataflow)
{
    size_t count = 0;
    const struct structure *all = structure_all(&count);
    for (size_t i = 0; i < count; i++)
        if (span_equal(dataflow, span_text(all[i].dataflow)))
            return &all[i];
    return NULL;
}

static int component_position(const struct component *components, unsigned count, struct span id)
{
    for (unsigned i = 0; i < count; i++)
        if (span_equal(id, span_text(components[i].id)))
            return (int)i;
    return -1;
}

int structure_dimension(const struct structure *structure, struct span id)
{
    return component_position(structure->dimensions, structure->dimension_count, id);
}

int structure_attribute(const struct structure *structure, struct span id)
{
    return component_position(structure->attributes, structure->attribute_count, id);
}

int structure_release_attribute(const struct structure *structure, struct span id)
{
    return component_position(structure->release_attributes, structure->release_attribute_count,
                              id);
}
