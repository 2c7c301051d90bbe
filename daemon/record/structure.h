/* Data structures (in the sense of SDMX) as data: dimensions, attributes and their code lists.
 *
 * A structure is static and never changes once it was published; a new version is a new one beside
 * it, under its own id.
 */
#ifndef COMITY_RECORD_STRUCTURE_H
#define COMITY_RECORD_STRUCTURE_H

#include "base/span.h"

enum { DIMENSIONS_MAX = 16, ATTRIBUTES_MAX = 16, RELEASE_ATTRIBUTES_MAX = 8 };

struct codelist_entry {
    const char *code;
    const char *name; /* English */
};
struct code_table {
    const struct codelist_entry *entries;
    size_t count;
};
struct codelist {
    const char *id;                 /* "CL_FREQ" */
    const struct code_table *codes; /* NULL: none */
    /* Values beyond the codes (areas, offences, periods, free text); NULL: those only. */
    bool (*accepts)(struct span code);
    const char *rule; /* what a value must be, for messages */
};
bool codelist_has(const struct codelist *list, struct span code);
const char *codelist_name(const struct codelist *list, struct span code); /* NULL: no name */

/* Where the value of an attribute belongs. */
enum attribute_level { ATTRIBUTE_OBSERVATION, ATTRIBUTE_SERIES, ATTRIBUTE_RELEASE };

struct component { /* a dimension or an attribute */
    const char *id;
    const char *name;
    const struct codelist *codes;
};
struct structure {
    const char *id;       /* "COMITY:DSD_INTCOOP(1.0.0)" */
    const char *dataflow; /* "COMITY:DF_INTCOOP(1.0.0)": what releases and files name */
    const char *name;
    const struct component *dimensions; /* key order; the last one is TIME_PERIOD */
    unsigned dimension_count;
    const struct component *attributes; /* of an observation or a series: one value per row */
    unsigned attribute_count;
    const struct component *release_attributes; /* one value per release */
    unsigned release_attribute_count;
};

const struct structure *structure_all(size_t *ret_count);
const struct structure *structure_by_dataflow(struct span dataflow); /* or NULL */
/* Position of the component with that id; -1 when there is none. */
int structure_dimension(const struct structure *structure, struct span id);
int structure_attribute(const struct structure *structure, struct span id);
int structure_release_attribute(const struct structure *structure, struct span id);

/* COMITY:DSD_INTCOOP(1.0.0), positions in its tables. */
enum intcoop_dimension {
    INTCOOP_FREQ = 0,
    INTCOOP_REF_AREA,
    INTCOOP_COUNTERPART_AREA,
    INTCOOP_DIRECTION,
    INTCOOP_COOP_TYPE,
    INTCOOP_ASSIST_TYPE,
    INTCOOP_LEGAL_BASIS,
    INTCOOP_OFFENCE,
    INTCOOP_INDICATOR,
    INTCOOP_REASON,
    INTCOOP_PROCEDURE,
    INTCOOP_COHORT,
    INTCOOP_UNIT_MEASURE,
    INTCOOP_TIME_PERIOD,
    INTCOOP_DIMENSION_COUNT
};
enum intcoop_attribute {
    INTCOOP_OBS_STATUS = 0,
    INTCOOP_CONF_STATUS,
    INTCOOP_COMMENT_OBS,
    INTCOOP_CONF_REDIST,
    INTCOOP_EMBARGO_TIME,
    INTCOOP_LOWER_BOUND,
    INTCOOP_UPPER_BOUND,
    INTCOOP_APPROX,
    INTCOOP_NATIONAL_TERM,
    INTCOOP_UNIT_MULT,
    INTCOOP_DECIMALS,
    INTCOOP_COVERAGE,
    INTCOOP_NON_ADDITIVE,
    INTCOOP_ATTRIBUTE_COUNT
};
enum intcoop_release_attribute {
    INTCOOP_SOURCE_AUTH = 0, /* part of the identity of a release */
    INTCOOP_REPYEARSTART,
    INTCOOP_VINTAGE,
    INTCOOP_LAST_UPDATE,
    INTCOOP_CONTACT,
    INTCOOP_TITLE,
    INTCOOP_RELEASE_ATTRIBUTE_COUNT
};
extern const struct structure STRUCTURE_INTCOOP;

#endif
