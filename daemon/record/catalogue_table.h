/* The generated tables (tools/generate_catalogue.py); only catalogue, area and structure use them.
 */
#ifndef COMITY_RECORD_CATALOGUE_TABLE_H
#define COMITY_RECORD_CATALOGUE_TABLE_H

#include "record/area.h"
#include "record/catalogue.h"
#include "record/structure.h"

struct article_entry {
    unsigned cluster; /* 0: none */
    const char *title;
};
struct article_list {
    const struct article_entry *entries;
    size_t count;
};
extern const struct article_list ARTICLE_LISTS[INSTRUMENT_COUNT];

extern const struct area AREA_TABLE[]; /* ascending by alpha2 */
extern const size_t AREA_TABLE_COUNT;

extern const struct code_table CL_FREQ, CL_OBS_STATUS, CL_CONF_STATUS, CL_UNIT_MULT, CL_DECIMALS,
    CL_DIRECTION, CL_COOP_TYPE, CL_ASSIST_TYPE, CL_LEGAL_BASIS, CL_OFFENCE, CL_INDICATOR, CL_REASON,
    CL_PROCEDURE, CL_COHORT, CL_UNIT_MEASURE, CL_APPROX;

#endif
