/* Text from outside: UTF-8 as RFC 3629 defines it, what may stand in a text for people, and a
 * spelling that is safe on a screen.  Whatever looks at text looks here, so that all layers agree
 * (PROTOCOL 1).
 */
#ifndef COMITY_BASE_TEXT_H
#define COMITY_BASE_TEXT_H

#include "base/span.h"

enum text_kind {
    TEXT_PLAIN = 0,
    TEXT_BREAK,     /* line feed and tab: in texts of several lines */
    TEXT_MARK,      /* U+061C 200E 200F: languages need them, and they change nothing beyond their
                     * neighbours; allowed everywhere, shown escaped */
    TEXT_CONTROL,   /* the other C0, DEL, C1, line and paragraph separators */
    TEXT_DIRECTION, /* embeds, overrides or isolates direction (UAX #9): U+202A-202E 2066-2069 */
    TEXT_INVISIBLE, /* U+200B 2060-2064 FEFF, annotation and tag characters, noncharacters */
    TEXT_NOT_UTF8,  /* a byte that begins no character: overlong, a surrogate, cut, too large */
};
enum text_kind text_kind_of(uint32_t point); /* never TEXT_NOT_UTF8 */

enum text_rule {
    TEXT_ANY,   /* UTF-8 without NUL */
    TEXT_LINE,  /* plain characters and marks */
    TEXT_LINES, /* the same, and line feed and tab */
};

struct text_flaw {
    enum text_kind
        kind;       /* of the first character that the rule forbids; TEXT_PLAIN: there is none */
    size_t at;      /* its byte offset; text.size without one */
    uint32_t point; /* 0 when TEXT_NOT_UTF8 */
};
struct text_flaw text_find_flaw(struct span text, enum text_rule rule);
const char *text_kind_name(enum text_kind kind); /* "a control character", "not UTF-8", ... */

/* ERR_INVALID names `what`, the byte (the first is 1) and what stands there. */
MUST_CHECK enum status text_check(struct span text,
                                  enum text_rule rule,
                                  const char *what,
                                  struct error *err);

/* The code point at the start of `text` and its length in bytes; 0 when it is TEXT_NOT_UTF8 or
 * `text` is empty. */
size_t text_decode(struct span text, uint32_t *ret_point);
/* Bytes of the leading run of printable ASCII (0x20 to 0x7e), which no rule has anything against:
 * texts are mostly made of it, and it is found eight bytes at a time.  The run may end up to seven
 * bytes early. */
size_t text_plain_size(struct span text);
/* Bytes before the first that is TEXT_NOT_UTF8; text.size when all is UTF-8. */
size_t text_valid_size(struct span text);

/* Appends text so that it is safe to show on a terminal: what is not plain as \u{202e}, invalid
 * bytes as \x{ff}, a backslash as \\.  Line feeds and tabs are kept when keep_lines is set, and
 * shown as \n and \t otherwise. */
MUST_CHECK enum status text_escape(struct span text,
                                   bool keep_lines,
                                   struct buf *append_to,
                                   struct error *err);
/* The same on one line, cut to fit `size` bytes with the NUL ("..." marks the cut); size >= 8. */
void text_escape_cut(struct span text, char *ret_text, size_t size);

#endif
