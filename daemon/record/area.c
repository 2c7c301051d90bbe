#include "record/area.h"

#include "record/catalogue_table.h"

#include <string.h>

static const char *const region_codes[REGION_COUNT] = {
    "", "AFRICA", "ASIA_PACIFIC", "EASTERN_EUROPE", "GRULAC", "WEOG",
};

const char *area_region_code(enum region region)
{
    return (unsigned)region < REGION_COUNT ? region_codes[region] : "";
}

const char *area_region_name(enum region region)
{
    static const char *const names[REGION_COUNT] = {
        [REGION_NONE] = "",
        [REGION_AFRICA] = "African States",
        [REGION_ASIA_PACIFIC] = "Asia-Pacific States",
        [REGION_EASTERN_EUROPE] = "Eastern European States",
        [REGION_GRULAC] = "Latin American and Caribbean States",
        [REGION_WEOG] = "Western European and other States",
    };
    return (unsigned)region < REGION_COUNT ? names[region] : "";
}

bool area_region_parse(struct span code, enum region *ret_region)
{
    for (unsigned i = 1; i < REGION_COUNT; i++) {
        if (span_equal(code, span_text(region_codes[i]))) {
            *ret_region = (enum region)i;
            return true;
        }
    }
    return false;
}

const struct area *area_all(size_t *ret_count)
{
    *ret_count = AREA_TABLE_COUNT;
    return AREA_TABLE;
}

const struct area *area_by_alpha2(struct span code)
{
    size_t low = 0, high = AREA_TABLE_COUNT;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = span_compare(code, span_of(AREA_TABLE[middle].alpha2, 2));
        if (order == 0)
            return &AREA_TABLE[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static const struct {
    const char *code, *name;
} others[] = {
    { "EU", "European Union" },
    { "_T", "All areas" },
    { "_U", "Unknown" },
    { "_W", "Withheld" },
    { "G_EU", "States members of the European Union, summed" },
};

const char *area_name(struct span code)
{
    const struct area *area = area_by_alpha2(code);
    if (area != NULL)
        return area->name;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (span_equal(code, span_text(others[i].code)))
            return others[i].name;
    return NULL;
}

/* `G_` and up to 22 of A-Z 0-9 _, beginning with a letter or digit. */
static bool is_group(struct span code)
{
    if (code.size < 3 || code.size > AREA_CODE_SIZE - 1 || memcmp(code.data, "G_", 2) != 0 ||
        code.data[2] == '_')
        return false;
    for (size_t i = 2; i < code.size; i++) {
        uint8_t c = code.data[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

bool area_is_canonical(struct span code)
{
    return is_group(code) || area_name(code) != NULL;
}

static const struct area *by_alpha3(struct span code)
{
    for (size_t i = 0; i < AREA_TABLE_COUNT; i++)
        if (span_equal(code, span_of(AREA_TABLE[i].alpha3, 3)))
            return &AREA_TABLE[i];
    return NULL;
}

static const struct area *by_m49(struct span code)
{
    unsigned number = 0;
    for (size_t i = 0; i < code.size; i++) {
        if (code.data[i] < '0' || code.data[i] > '9')
            return NULL;
        number = number * 10 + (unsigned)(code.data[i] - '0');
    }
    for (size_t i = 0; i < AREA_TABLE_COUNT; i++)
        if (number > 0 && AREA_TABLE[i].m49 == number)
            return &AREA_TABLE[i];
    return NULL;
}

bool area_canonical(struct span code, char ret_code[static AREA_CODE_SIZE])
{
    struct span found = SPAN_EMPTY;
    if (area_is_canonical(code)) {
        found = code;
    } else if (span_equal(code, SPAN_LITERAL("EL"))) { /* Eurostat's Greece and United Kingdom */
        found = SPAN_LITERAL("GR");
    } else if (span_equal(code, SPAN_LITERAL("UK"))) {
        found = SPAN_LITERAL("GB");
    } else if (code.size == 3) {
        const struct area *area = by_alpha3(code);
        area = area != NULL ? area : by_m49(code);
        if (area != NULL)
            found = span_of(area->alpha2, 2);
    }
    if (found.size == 0)
        return false;
    memcpy(ret_code, found.data, found.size);
    ret_code[found.size] = '\0';
    return true;
}

bool area_belongs_to(struct span ref_area, const struct code *publisher)
{
    if (span_equal(ref_area, span_text(publisher->text)))
        return true;
    const struct area *area = area_by_alpha2(ref_area);
    return area != NULL && area->parent[0] != '\0' && strcmp(area->parent, publisher->text) == 0;
}
