#include "crypto/pem.h"

#include "base/id.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { PEM_LINE_WRITE = 64, PEM_LINE_MAX = 76 };

static const char begin_mark[] = "-----BEGIN ";
static const char end_mark[] = "-----END ";
static const char dashes[] = "-----";

enum status pem_encode(const char *label, struct span der, struct buf *append_to, struct error *err)
{
    struct buf text = BUF_INIT;
    enum status status = base64_encode(der, &text, err);
    if (status == OK)
        status = buf_printf(append_to, err, "-----BEGIN %s-----\n", label);
    for (size_t at = 0; status == OK && at < text.size; at += PEM_LINE_WRITE) {
        status = buf_append(append_to, span_slice(buf_span(&text), at, PEM_LINE_WRITE), err);
        if (status == OK)
            status = buf_append(append_to, SPAN_LITERAL("\n"), err);
    }
    if (status == OK)
        status = buf_printf(append_to, err, "-----END %s-----\n", label);
    buf_fini(&text);
    return status;
}

bool pem_line(struct span *rest, struct span *ret_line)
{
    if (rest->size == 0)
        return false;
    const uint8_t *end = memchr(rest->data, '\n', rest->size);
    size_t size = end == NULL ? rest->size : (size_t)(end - rest->data);
    size_t taken = end == NULL ? size : size + 1;
    struct span line = span_of(rest->data, size);
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    *ret_line = line;
    *rest = span_of(rest->data + taken, rest->size - taken);
    return true;
}

static bool starts_with(struct span line, const char *mark)
{
    size_t size = strlen(mark);
    return line.size >= size && span_equal(span_of(line.data, size), span_text(mark));
}

bool pem_is_begin(struct span line)
{
    return starts_with(line, begin_mark);
}

/* The label of "-----MARK LABEL-----", which must be capitals, digits and single blanks. */
static bool label_of(struct span line, const char *mark, char ret_label[static PEM_LABEL_MAX + 1])
{
    size_t head = strlen(mark);
    size_t tail = strlen(dashes);
    if (!starts_with(line, mark) || line.size <= head + tail ||
        line.size - head - tail > PEM_LABEL_MAX ||
        memcmp(line.data + line.size - tail, dashes, tail) != 0)
        return false;
    size_t size = line.size - head - tail;
    for (size_t i = 0; i < size; i++) {
        uint8_t c = line.data[head + i];
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' '))
            return false;
    }
    memcpy(ret_label, line.data + head, size);
    ret_label[size] = '\0';
    return true;
}

enum status pem_block(struct span begin,
                      struct span *rest,
                      char ret_label[static PEM_LABEL_MAX + 1],
                      struct buf *ret_der,
                      struct error *err)
{
    char label[PEM_LABEL_MAX + 1];
    char end_label[PEM_LABEL_MAX + 1] = "";
    struct span line = SPAN_EMPTY;
    struct buf text = BUF_INIT;
    struct buf der = BUF_INIT;
    enum status status = OK;
    if (!label_of(begin, begin_mark, label))
        return error_set(err, ERR_INVALID, "a line begins as PEM and is none");
    while (status == OK && pem_line(rest, &line) && !starts_with(line, end_mark)) {
        if (line.size == 0 || line.size > PEM_LINE_MAX) {
            status = error_set(err, ERR_INVALID,
                               "a line of %zu characters inside the %s block; 1 to %d belong there",
                               line.size, label, PEM_LINE_MAX);
        } else {
            status = buf_append(&text, line, err);
        }
    }
    if (status == OK && (!label_of(line, end_mark, end_label) || strcmp(label, end_label) != 0))
        status = error_set(err, ERR_INVALID, "the %s block does not end with its END line", label);
    if (status == OK && text.size == 0)
        status = error_set(err, ERR_INVALID, "the %s block is empty", label);
    if (status == OK && (status = base64_decode(buf_span(&text), &der, err)) != OK)
        error_prefix(err, "the %s block", label);
    if (status == OK) {
        memcpy(ret_label, label, sizeof(label));
        buf_fini(ret_der);
        *ret_der = buf_move(&der);
    }
    buf_fini(&text);
    buf_fini(&der);
    return status;
}

enum status pem_decode(const char *label, struct span text, struct buf *ret_der, struct error *err)
{
    char found[PEM_LABEL_MAX + 1];
    struct buf der = BUF_INIT;
    struct span line = SPAN_EMPTY;
    unsigned blocks = 0;
    enum status status = OK;
    while (status == OK && pem_line(&text, &line)) {
        if (line.size == 0)
            continue;
        if (!pem_is_begin(line))
            status = error_set(err, ERR_INVALID, "text outside of the %s block", label);
        else if (++blocks > 1)
            status = error_set(err, ERR_INVALID, "more than one block; exactly one belongs here");
        else if ((status = pem_block(line, &text, found, &der, err)) == OK &&
                 strcmp(found, label) != 0)
            status = error_set(err, ERR_INVALID, "a %s block where a %s belongs", found, label);
    }
    if (status == OK && blocks == 0)
        status = error_set(err, ERR_INVALID, "no %s block in PEM", label);
    if (status == OK) {
        buf_fini(ret_der);
        *ret_der = buf_move(&der);
    }
    buf_fini(&der);
    return status;
}

static enum status read_all(int file, struct buf *text, struct error *err)
{
    for (;;) {
        enum status status = buf_reserve(text, CARD_MAX + 1 - text->size, err);
        if (status != OK)
            return status;
        ssize_t got = read(file, text->data + text->size, CARD_MAX + 1 - text->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(err, ERR_IO, "%s", strerror(errno));
        if (got == 0)
            return OK;
        text->size += (size_t)got;
        if (text->size > CARD_MAX)
            return error_set(err, ERR_LIMIT, "larger than %d bytes", CARD_MAX);
    }
}

enum status pem_read(const char *label, const char *path, struct buf *ret_der, struct error *err)
{
    struct buf text = BUF_INIT;
    enum status status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        status = error_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s", strerror(errno));
    else if ((status = read_all(file, &text, err)) == OK)
        status = pem_decode(label, buf_span(&text), ret_der, err);
    if (file >= 0)
        close(file);
    buf_fini(&text);
    if (status != OK)
        error_prefix(err, "%s", path);
    return status;
}
