/* Text from outside: strict UTF-8, one normal form (NFC), and an escaped spelling for screens.
 */
#ifndef COMITY_RECORD_TEXT_H
#define COMITY_RECORD_TEXT_H

#include "base/span.h"

enum text_flaw {
    TEXT_CLEAN = 0,
    TEXT_NOT_UTF8,  /* a byte sequence that is not strict UTF-8 (overlong, surrogate, cut) */
    TEXT_CONTROL,   /* C0 but tab and line feed, DEL, C1, line and paragraph separators */
    TEXT_DIRECTION, /* embeds, overrides or isolates direction: U+202A-202E 2066-2069 */
    TEXT_INVISIBLE  /* U+200B 2060-2064 FEFF, annotation and tag characters, noncharacters */
};
const char *text_flaw_name(enum text_flaw flaw); /* "not UTF-8", "a control character", ... */

struct text_scan {
    enum text_flaw flaw; /* the first that was found */
    size_t at;           /* its byte offset */
    uint32_t code_point; /* 0 when TEXT_NOT_UTF8 */
};
/* The first flaw.  Joiners (U+200C 200D) and the marks U+200E 200F 061C are no flaw: languages need
 * them, and they change nothing beyond their neighbours.  The marks are shown escaped all the same.
 */
struct text_scan text_scan(struct span text);
/* Bytes before the first that is not strict UTF-8; text.size when all is. */
size_t text_valid_size(struct span text);

/* Appends NFC(text).  ERR_INVALID when it is not UTF-8. */
MUST_CHECK enum status text_normalise(struct span text, struct buf *append_to, struct error *err);

/* Appends text so that it is safe to show on a terminal: control, direction and invisible
 * characters as \u{202e}, invalid bytes as \x{ff}, a backslash as \\.  Line feeds and tabs are
 * kept when keep_lines is set, and shown as \n and \t otherwise. */
MUST_CHECK enum status text_escape(struct span text,
                                   bool keep_lines,
                                   struct buf *append_to,
                                   struct error *err);
/* The same on one line, cut to fit `size` bytes with the NUL ("..." marks the cut); size >= 8. */
void text_escape_cut(struct span text, char *ret_text, size_t size);

#endif
