/* A reply of the control socket (proto/control.proto): written piece by piece by the daemon, read
 * as a whole by comityctl.
 *
 * The writer has a sticky error: write everything, then reply_finish().  It never holds more than
 * CONTROL_REPLY_MAX; a listing that grows beyond gives ERR_LIMIT with the advice to narrow it.
 */
#ifndef COMITY_WIRE_REPLY_H
#define COMITY_WIRE_REPLY_H

#include "base/limits.h"
#include "base/span.h"

enum { REPLY_VERSION = 1 };

enum section_kind {
    SECTION_NONE = 0,
    SECTION_FIELDS = 1, /* one row, shown as one line a column */
    SECTION_TABLE = 2,
    SECTION_TEXT = 3, /* lines to read */
    SECTION_BLOB = 4  /* bytes for a file */
};

struct reply_column {
    const char *name;  /* key in JSON: "valid_until" */
    const char *title; /* "Valid until" */
    bool number;       /* digits only: right-aligned, a number in JSON */
};

/* One thing that is wrong (or, as a warning, worth a look) in what was sent. */
struct reply_problem {
    const char *file; /* path as typed; "" where it is about an option */
    uint32_t line;    /* from 1; 0 unknown */
    uint32_t column;
    const char *field; /* column of a file, or the option as typed */
    const char *value;
    const char *rule;
    bool warning;
};

/* -- writing ----------------------------------------------------------------------------------- */

struct reply_writer {
    struct buf out;     /* finished sections and problems */
    struct buf section; /* the one being written */
    struct buf row;
    struct buf notes; /* become one text section at the end */
    struct buf cell;
    enum section_kind kind;
    size_t column_count;
    size_t cell_count; /* in the row being written */
    size_t problem_count;
    size_t problems_left_out; /* beyond PROBLEMS_MAX */
    size_t warning_count;
    struct error error; /* sticky */
};

void reply_init(struct reply_writer *w);
void reply_fini(struct reply_writer *w);
/* Starts over: what was written is forgotten (an operation failed half-way). */
void reply_reset(struct reply_writer *w);

/* A block of named values.  Then reply_field() for each. */
void reply_fields(struct reply_writer *w, const char *name, const char *title);
void reply_field(struct reply_writer *w,
                 const char *name,
                 const char *title,
                 const char *format,
                 ...) PRINTF_LIKE(4, 5);
void reply_number(struct reply_writer *w, const char *name, const char *title, uint64_t value);

/* A table.  Then reply_cell() row by row; a row is complete when every column has its cell. */
void reply_table(struct reply_writer *w,
                 const char *name,
                 const char *title,
                 const struct reply_column *columns,
                 size_t column_count);
void reply_cell(struct reply_writer *w, const char *format, ...) PRINTF_LIKE(2, 3);
void reply_cell_number(struct reply_writer *w, uint64_t value);
void reply_cell_time(struct reply_writer *w, int64_t wall_ms); /* "-" for 0 */

void reply_text(struct reply_writer *w, const char *name, const char *title, struct span text);
/* One paragraph of a text section called "notes": what it means, and what to do next. */
void reply_note(struct reply_writer *w, const char *format, ...) PRINTF_LIKE(2, 3);
void reply_blob(struct reply_writer *w, const char *name, const char *file_name, struct span bytes);
void reply_problem(struct reply_writer *w, const struct reply_problem *problem);
/* The sticky error, if there is one. */
MUST_CHECK enum status reply_status(const struct reply_writer *w, struct error *err);
size_t reply_problem_count(const struct reply_writer *w); /* those that are not warnings */

/* Appends length and message.  `err` NULL or with status OK: success.  When the writer itself
 * failed, the reply says that instead; the only failure left is memory. */
MUST_CHECK enum status reply_finish(struct reply_writer *w,
                                    const char *realm,
                                    const struct error *err,
                                    struct buf *append_to,
                                    struct error *ret_err);
/* A reply that carries progress only.  `total` 0: not known. */
MUST_CHECK enum status reply_progress(
    const char *text, uint64_t done, uint64_t total, struct buf *append_to, struct error *err);

/* -- reading ----------------------------------------------------------------------------------- */

struct reply_section {
    const char *name;
    const char *title;
    enum section_kind kind;
    struct reply_column *columns;
    size_t column_count;
    const char **cells; /* row_count * column_count */
    size_t row_count;
    struct span content; /* TEXT (NUL behind it) and BLOB */
    const char *file_name;
};

struct reply {
    const char *realm;
    const char *status; /* "ok", "denied", ... */
    const char *error;  /* "" on success */
    struct reply_problem *problems;
    size_t problem_count;
    struct reply_section *sections;
    size_t section_count;
    bool is_progress; /* only the three below mean something; another reply follows */
    const char *progress_text;
    uint64_t progress_done;
    uint64_t progress_total;
    void *memory;
};

/* `message` is copied from.  Cells and texts may hold any bytes: escape them before showing. */
MUST_CHECK enum status reply_decode(struct span message,
                                    struct reply *ret_reply,
                                    struct error *err);
void reply_release(struct reply *reply); /* gives back a decoded one */

#endif
