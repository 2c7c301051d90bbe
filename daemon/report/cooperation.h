/* Figures of several States side by side: one line for one thing that is counted, one column for
 * each State, in the order of English short names.
 *
 * Nothing is summed, subtracted, averaged or ranked, and no line compares what is counted in
 * different units, by different cohorts or for different periods: those are lines of their own.
 */
#ifndef COMITY_REPORT_COOPERATION_H
#define COMITY_REPORT_COOPERATION_H

#include "base/id.h"
#include "record/release.h"

enum {
    COOPERATION_FIGURES_MAX = 20 * 1000, /* what somebody could still look at, and 8 MiB */
    COOPERATION_STATES_MAX = 16          /* columns that still fit beside each other */
};

/* What is wanted; NULL: any.  `period` is a beginning: "2019" takes 2019, 2019-Q1 and
 * 2019-07-01/P1Y. */
struct cooperation_filter {
    const char *indicator;
    const char *type;
    const char *direction;
    const char *period;
};

struct cooperation;

MUST_CHECK enum status cooperation_new(const struct cooperation_filter *filter,
                                       struct cooperation **ret_cooperation,
                                       struct error *err);
void cooperation_free(struct cooperation *cooperation);
/* Takes the figures of one release of `publisher`; copies.  ERR_LIMIT with the advice to narrow.
 * Releases of other structures than COMITY:DSD_INTCOOP are left out. */
MUST_CHECK enum status cooperation_add(struct cooperation *cooperation,
                                       const struct code *publisher,
                                       const struct release *release,
                                       struct error *err);

/* After the last one: sorts.  Then the lines can be read. */
void cooperation_finish(struct cooperation *cooperation);

size_t cooperation_states(const struct cooperation *cooperation);
const char *cooperation_state_name(const struct cooperation *cooperation, size_t state);
const char *cooperation_state_code(const struct cooperation *cooperation, size_t state);
size_t cooperation_lines(const struct cooperation *cooperation);
/* Dimensions that differ between lines, as positions in STRUCTURE_INTCOOP; the others are the same
 * everywhere.  Gives how many. */
size_t cooperation_varying(const struct cooperation *cooperation,
                           unsigned ret_dimensions[static DIMENSIONS_MAX]);
const char *cooperation_dimension(const struct cooperation *cooperation,
                                  size_t line,
                                  unsigned dimension);
/* "" when this State gave no such figure, "not available" when it says so. */
const char *cooperation_value(const struct cooperation *cooperation, size_t line, size_t state);

/* The sentence that stands under every such table. */
extern const char cooperation_disclaimer[];

#endif
