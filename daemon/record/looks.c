#include "record/looks.h"

#include "base/text.h"
#include "record/excerpt.h"

#include <string.h>

static struct span first_line(struct span file)
{
    static const struct span bom = { (const uint8_t *)"\xef\xbb\xbf", 3 };
    if (span_equal(span_slice(file, 0, bom.size), bom))
        file = span_slice(file, bom.size, file.size);
    const uint8_t *end = file.size == 0 ? NULL : memchr(file.data, '\n', file.size);
    size_t size = end == NULL ? file.size : (size_t)(end - file.data);
    if (size > 0 && file.data[size - 1] == '\r')
        size--;
    return span_slice(file, 0, size);
}

static bool begins(struct span line, const char *text)
{
    return span_equal(span_slice(line, 0, strlen(text)), span_text(text));
}

/* The next name of a column, without quotes; what is left of the line in *rest. */
static struct span take_name(struct span *rest)
{
    size_t size = 0;
    while (size < rest->size && rest->data[size] != ',' && rest->data[size] != ';')
        size++;
    struct span name = span_slice(*rest, 0, size);
    *rest = span_slice(*rest, size + 1, rest->size);
    if (name.size >= 2 && name.data[0] == '"' && name.data[name.size - 1] == '"')
        name = span_slice(name, 1, name.size - 2);
    return name;
}

static enum looks judge_columns(struct span line)
{
    static const char *const of_figures[] = { "STRUCTURE", "STRUCTURE_ID", "DATAFLOW", "OBS_VALUE",
                                              "REF_AREA" };
    size_t excerpts = 0, figures = 0;
    while (line.size > 0) {
        enum excerpt_field field;
        struct span name = take_name(&line);
        excerpts += excerpt_field_parse(name, &field);
        for (size_t i = 0; i < sizeof(of_figures) / sizeof(of_figures[0]); i++)
            figures += span_equal(name, span_text(of_figures[i]));
    }
    if (figures >= 2)
        return LOOKS_FIGURES;
    return excerpts >= 2 ? LOOKS_EXCERPTS : LOOKS_UNKNOWN;
}

enum looks looks_like(struct span file)
{
    struct span line = first_line(file);
    if (begins(line, "Comity-"))
        return LOOKS_CARD;
    if (begins(line, "comity.v1/evidence"))
        return LOOKS_EVIDENCE;
    if (begins(line, "-----BEGIN "))
        return LOOKS_PEM;
    if (text_valid_size(file) < file.size ||
        (file.size > 0 && memchr(file.data, '\0', file.size) != NULL))
        return LOOKS_BINARY;
    return judge_columns(line);
}

const char *looks_name(enum looks looks)
{
    static const char *const names[] = {
        [LOOKS_UNKNOWN] = "something else",
        [LOOKS_BINARY] = "no text at all",
        [LOOKS_EXCERPTS] = "excerpts (CSV)",
        [LOOKS_FIGURES] = "figures (SDMX-CSV)",
        [LOOKS_CARD] = "a node's card",
        [LOOKS_EVIDENCE] = "evidence of an entry",
        [LOOKS_PEM] = "a certificate or key (PEM)",
    };
    return names[looks];
}

const char *looks_command(enum looks looks)
{
    static const char *const commands[] = {
        [LOOKS_EXCERPTS] = "comityctl excerpt import",
        [LOOKS_FIGURES] = "comityctl stats import",
        [LOOKS_CARD] = "comityctl peer add",
        [LOOKS_EVIDENCE] = "comityctl evidence verify",
        [LOOKS_PEM] = NULL,
    };
    return commands[looks];
}

enum status looks_check_card(struct span file, struct error *err)
{
    enum looks looks = looks_like(file);
    if (looks == LOOKS_CARD || looks == LOOKS_PEM)
        return OK;
    return error_set(err, ERR_INVALID,
                     "this is no card: it does not begin with Comity-Card, and seems to be %s; "
                     "next: give the card.pem of the other node",
                     looks_name(looks));
}

enum status looks_check_evidence(struct span file, struct error *err)
{
    enum looks looks = looks_like(file);
    if (looks == LOOKS_EVIDENCE)
        return OK;
    return error_set(err, ERR_INVALID,
                     "this is no evidence: it does not begin with comity.v1/evidence, and seems to "
                     "be %s; next: give the file that comityctl evidence export wrote",
                     looks_name(looks));
}
