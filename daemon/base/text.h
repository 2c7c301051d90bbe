/* Is this text?  UTF-8 as RFC 3629 defines it, and what a line for people may contain. */
#ifndef COMITY_BASE_TEXT_H
#define COMITY_BASE_TEXT_H

#include "base/span.h"

enum text_rule {
    TEXT_ANY,   /* UTF-8 without NUL */
    TEXT_LINE,  /* also no control characters and none that change the direction of writing */
    TEXT_LINES, /* the same, but line feed and tab are allowed */
};

/* ERR_INVALID names `what`, the byte offset and the rule that it breaks. */
MUST_CHECK enum status text_check(struct span text,
                                  enum text_rule rule,
                                  const char *what,
                                  struct error *err);

/* The code point at the start of `text` and its length in bytes; 0 when it is not UTF-8 (too long,
 * cut, a surrogate, beyond U+10FFFF) or `text` is empty. */
size_t text_decode(struct span text, uint32_t *ret_point);
/* Bytes of the leading run of printable ASCII (0x20 to 0x7e), which no rule of this file or of
 * record/text.h has anything against: texts are mostly made of it, and it is found eight bytes at a
 * time.  The run may end up to seven bytes early. */
size_t text_plain_size(struct span text);
/* Controls (C0, DEL, C1), line and paragraph separators, and the marks and embeddings of
 * UAX #9 that reorder what is printed after them. */
bool text_is_control(uint32_t point);

#endif
