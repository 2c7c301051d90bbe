#include "store/bundle.h"

enum status bundle_follow(struct store *store, struct error *err)
{
    (void)store;
    (void)err;
    return OK;
}
