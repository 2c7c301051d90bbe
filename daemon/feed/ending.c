#include "feed/ending.h"

#include "base/cursor.h"
#include "consent/terms.h"

void ending_encode(const struct ending *ending, uint8_t ret_bytes[static ENDING_SIZE])
{
    ret_bytes[0] = (uint8_t)ending->why;
    ret_bytes[1] = (uint8_t)(ending->erase_days >> 8);
    ret_bytes[2] = (uint8_t)ending->erase_days;
}

enum status ending_decode(struct span bytes, struct ending *ret_ending, struct error *err)
{
    struct reader r = reader_init(bytes);
    struct ending ending = { .why = (enum consent_state)reader_u8(&r) };
    ending.erase_days = reader_u16(&r);
    enum status status = reader_done(&r, "ending", err);
    if (status != OK)
        return status;
    if (!lifecycle_has_ended(ending.why))
        return error_set(err, ERR_UNSUPPORTED, "ending: %d is no way in which a consent ends",
                         (int)ending.why);
    if (ending.erase_days > TERMS_ERASE_DAYS_MAX)
        return error_set(err, ERR_INVALID, "ending: %u days for erasing > %d",
                         (unsigned)ending.erase_days, TERMS_ERASE_DAYS_MAX);
    *ret_ending = ending;
    return OK;
}

bool ending_is_for_now(struct span bytes)
{
    return bytes.size == ENDING_SIZE && bytes.data[0] == CONSENT_ACTIVE;
}
