#include "control/access.h"

const char *permit_name(enum permit permit)
{
    static const char *const names[] = { "nobody", "auditor", "operator", "approver" };
    return (unsigned)permit < sizeof(names) / sizeof(names[0]) ? names[permit] : "unknown";
}
