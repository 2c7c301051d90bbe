/* States, territories and groups as figures name them.
 *
 * Canonical spelling: ISO 3166-1 alpha-2; `EU` for the party; `G_...` for groups and complements
 * (`G_EU`, `G_W_XIE`: the world without Ireland); `_T` all, `_U` unknown, `_W` withheld.
 */
#ifndef COMITY_RECORD_AREA_H
#define COMITY_RECORD_AREA_H

#include "base/id.h"

enum region { /* regional groups of the United Nations */
              REGION_NONE = 0,
              REGION_AFRICA,
              REGION_ASIA_PACIFIC,
              REGION_EASTERN_EUROPE,
              REGION_GRULAC,
              REGION_WEOG,
              REGION_COUNT
};
const char *area_region_code(enum region region); /* "AFRICA"; "" for NONE */
const char *area_region_name(enum region region);
bool area_region_parse(struct span code, enum region *ret_region);

struct area {
    char alpha2[3];
    char alpha3[4];
    char parent[3]; /* alpha-2 of the State whose territory it is, or "" */
    uint16_t m49;   /* 0: none */
    enum region region;
    const char *name; /* English short name */
};

/* All of them, ordered by alpha-2. */
const struct area *area_all(size_t *ret_count);
const struct area *area_by_alpha2(struct span code); /* NULL when unknown */
const char *area_name(struct span code); /* also for EU, _T, _U, _W and known G_; NULL otherwise */

enum { AREA_CODE_SIZE = 25 }; /* with the NUL */
/* What import accepts (alpha-2, alpha-3, three-digit M49, EL, UK, EU, G_..., _T _U _W), in its
 * canonical spelling.  False when it is none of them. */
bool area_canonical(struct span code, char ret_code[static AREA_CODE_SIZE]);
bool area_is_canonical(struct span code);
/* May `publisher` report figures of `ref_area`?  Its own, or those of its territories (HK of CN,
 * GI of GB). */
bool area_belongs_to(struct span ref_area, const struct code *publisher);

#endif
