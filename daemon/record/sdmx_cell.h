/* One cell of a file of figures: what it says, or what is wrong with it (internal to sdmx). */
#ifndef COMITY_RECORD_SDMX_CELL_H
#define COMITY_RECORD_SDMX_CELL_H

#include "record/release.h"

struct span sdmx_cell_trim(struct span text); /* without blanks and tabs around it */

/* What may stand in OBS_VALUE: 12 · 1.5 · 1,5 (in a file with `;`) · NaN · #N/A · nothing · <5 · ≤5
 * · >200 · ≥200 · ~1100.  A bound that is meant this way goes into lower or upper. */
struct sdmx_value {
    bool missing;
    bool empty; /* nothing stands there */
    bool approximate;
    bool has_lower, has_upper;
    struct decimal value, lower, upper;
};
struct sdmx_fault { /* both static, or NULL */
    const char *rule, *hint;
};
/* False, with the fault, when it is none of these. */
bool sdmx_cell_value(struct span text,
                     char separator,
                     struct sdmx_value *ret_value,
                     struct sdmx_fault *ret_fault);
/* A plain number, with the decimal comma of such files. */
bool sdmx_cell_number(struct span text, char separator, struct decimal *ret_value);
/* Why a code was not accepted, where a guess helps: NULL otherwise. */
const char *sdmx_cell_code_hint(const struct component *component, struct span text);

#endif
