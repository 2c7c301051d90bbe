/* Writes what tests/vectors/verify.py reads: the small feed of support/log_feed.h as an export, and
 * evidence of two of its entries.  Usage: write_export DIRECTORY */
#include "support/log_feed.h"

#include <stdio.h>

static bool write_file(const char *directory, const char *name, const struct buf *text)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return false;
    bool good = fwrite(text->data, 1, text->size, file) == text->size;
    return fclose(file) == 0 && good;
}

static enum status add_hex(struct buf *out, const char *before, struct span bytes)
{
    static char text[4 * ENTRY_BODY_MAX];
    hex_encode(bytes, text);
    return buf_printf(out, NULL, "%s%s", before, bytes.size == 0 ? "-" : text);
}

static enum status make_export(const struct log_feed *feed, struct buf *out)
{
    enum status status = buf_printf(out, NULL, "comity.v1/export\nfeed %s\n", feed->origin);
    if (status == OK)
        status = add_hex(out, "log-key ", SPAN_ARRAY(feed->log_public.bytes));
    if (status == OK)
        status = add_hex(out, "\nreceipt-key ", SPAN_ARRAY(feed->receipt_public.bytes));
    if (status == OK)
        status = buf_append_text(out, "\n", NULL);
    for (unsigned i = 0; status == OK && i < LOG_FEED_SIZE; i++) {
        status = buf_printf(out, NULL, "entry %u", i);
        if (status == OK)
            status = add_hex(out, " ", buf_span(&feed->headers[i]));
        if (status == OK)
            status = add_hex(out, " ", buf_span(&feed->salts[i]));
        if (status == OK)
            status = add_hex(out, " ", buf_span(&feed->bodies[i]));
        if (status == OK)
            status = buf_append_text(out, "\n", NULL);
    }
    if (status == OK) {
        status = buf_printf(out, NULL, "note checkpoint\n%.*s.\nnote receipt\n%.*s.\nend\n",
                            (int)feed->note.size, (const char *)feed->note.data,
                            (int)feed->receipt.size, (const char *)feed->receipt.data);
    }
    return status;
}

int main(int argc, char **argv)
{
    void *state = NULL;
    if (argc != 2 || log_feed_setup(&state) != 0)
        return 2;
    const struct log_feed *feed = state;
    struct buf text = BUF_INIT;
    bool good = make_export(feed, &text) == OK && write_file(argv[1], "feed.export", &text);
    static const unsigned indexes[] = { 4, 5 };
    for (size_t i = 0; good && i < 2; i++) {
        struct evidence evidence = log_feed_evidence(feed, indexes[i], i == 0);
        char name[32];
        snprintf(name, sizeof(name), "entry%u.evidence", indexes[i]);
        buf_clear(&text);
        good = evidence_encode(&evidence, &text, NULL) == OK && write_file(argv[1], name, &text);
    }
    buf_fini(&text);
    log_feed_teardown(&state);
    return good ? 0 : 1;
}
