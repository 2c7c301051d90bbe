/* One spelling for one text: Unicode normal form C. */
#ifndef COMITY_RECORD_NFC_H
#define COMITY_RECORD_NFC_H

#include "base/span.h"

bool nfc_is_ascii(struct span text); /* and so its own NFC */
/* Appends NFC(text).  ERR_INVALID when it is not UTF-8. */
MUST_CHECK enum status nfc_append(struct span text, struct buf *append_to, struct error *err);

#endif
