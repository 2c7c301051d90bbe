/* UTF-8 (RFC 3629): checked strictly, and made harmless for a screen. */
#ifndef COMITY_BASE_UTF8_H
#define COMITY_BASE_UTF8_H

#include "base/span.h"

/* Reads one character at text[at].  Returns its size in bytes and the code point; 0 at malformed
 * bytes (overlong forms, surrogates, beyond U+10FFFF, cut short). */
size_t utf8_next(struct span text, size_t at, uint32_t *ret_point);
/* Well formed, and without NUL.  *ret_bad_at (may be NULL) is the offset of the first bad byte. */
bool utf8_check(struct span text, size_t *ret_bad_at);
/* What must not reach a terminal from outside: C0 and C1 controls, characters that change the
 * direction of writing or join lines (bidirectional marks, embeddings, isolates, line and paragraph
 * separators), byte order marks, tags and noncharacters. */
bool utf8_is_unsafe(uint32_t point);
/* Appends `text` with each unsafe character as \u{202E} and each malformed byte as \x{FF}; a
 * backslash stays.  With `keep_lines`, line feeds and tabs stay as they are. */
MUST_CHECK enum status utf8_escape(struct span text,
                                   bool keep_lines,
                                   struct buf *append_to,
                                   struct error *err);

#endif
