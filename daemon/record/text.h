/* Text from outside: strict UTF-8, one normal form (NFC), and an escaped spelling for screens.
 */
#ifndef COMITY_RECORD_TEXT_H
#define COMITY_RECORD_TEXT_H

#include "base/span.h"

enum text_flaw {
    TEXT_CLEAN = 0,
    TEXT_NOT_UTF8,  /* a byte sequence that is not strict UTF-8 (overlong, surrogate, cut, NUL) */
    TEXT_CONTROL,   /* C0 but tab and line feed, DEL, C1, line and paragraph separators */
    TEXT_DIRECTION, /* changes the direction of what is shown: U+061C 200E 200F 202A-202E 2066-2069
                     */
    TEXT_INVISIBLE  /* U+200B 2060 FEFF, tag characters, unassigned and private code points */
};
const char *text_flaw_name(enum text_flaw flaw); /* "not UTF-8", "a control character", ... */

struct text_scan {
    enum text_flaw flaw; /* the first that was found */
    size_t at;           /* its byte offset */
    uint32_t code_point; /* 0 when TEXT_NOT_UTF8 */
};
/* Pure.  One flaw is enough to refuse a text; joiners (U+200C 200D) are text in many languages. */
struct text_scan text_scan(struct span text);
bool text_is_utf8(struct span text);

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
