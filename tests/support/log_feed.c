#include "support/log_feed.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tests run on memory that is not failing: anything else ends the program. */
static void must(enum status status)
{
    if (status != OK)
        abort();
}

static void make_entry(struct log_feed *feed, unsigned i)
{
    struct entry_header header = { .critical = true,
                                   .kind = KIND_EXCERPT,
                                   .time_ms = 1772355600000 + i,
                                   .record_version = 1,
                                   .form = FORM_EXACT,
                                   .body_format = BODY_EXCERPT };
    memset(header.entry_id.bytes, (int)(0x10 + i), ID_SIZE);
    memset(header.consent_id.bytes, 0xc0, ID_SIZE);
    memset(header.subject_id.bytes, (int)(0x80 + i), ID_SIZE);
    if (i % 3 == 2) {
        header.kind = KIND_WITHDRAWN;
        header.has_inline = true;
        header.body_format = BODY_NONE;
        header.inline_body = SPAN_LITERAL("revoked");
    } else {
        char text[64];
        uint8_t salt[32];
        memset(salt, (int)(0x40 + i), sizeof(salt));
        snprintf(text, sizeof(text), "excerpt number %u", i);
        must(buf_append(&feed->salts[i], SPAN_ARRAY(salt), NULL));
        must(header_pad(header.kind, span_text(text), &feed->bodies[i], NULL));
        header.body_size = (uint32_t)feed->bodies[i].size;
        must(header_commit(span_text(feed->origin), &header.entry_id, buf_span(&feed->salts[i]),
                           buf_span(&feed->bodies[i]), &header.commitment, NULL));
    }
    must(header_encode(&header, &feed->headers[i], NULL));
}

static void make_notes(struct log_feed *feed)
{
    struct tree tree;
    tree_init(&tree);
    for (unsigned i = 0; i < LOG_FEED_SIZE; i++) {
        struct digest leaf;
        must(tree_leaf(buf_span(&feed->headers[i]), &leaf, NULL));
        must(tree_append(&tree, &leaf, NULL, NULL));
    }
    struct checkpoint checkpoint = { span_text(feed->origin), tree.size, { { 0 } } };
    must(tree_root(&tree, &checkpoint.root, NULL));
    must(checkpoint_sign(&checkpoint, feed->log_key, &feed->note, NULL));
    must(checkpoint_cosign(buf_span(&feed->note), "comity.v1/training/receipt/UNODC",
                           feed->receipt_key, 1772355700, &feed->receipt, NULL));
}

int log_feed_setup(void **state)
{
    static const uint8_t log_seed[32] = { 11 };
    static const uint8_t receipt_seed[32] = { 12 };
    struct log_feed *feed = mem_calloc(1, sizeof(*feed));
    if (feed == NULL)
        return -1;
    struct realm realm = { "training" };
    struct code publisher = { "KE" };
    struct code subscriber = { "UNODC" };
    origin_feed(&realm, &publisher, &subscriber, 0x00c0ffee00c0ffee, feed->origin);
    must(private_key_of_seed(log_seed, &feed->log_key, NULL));
    must(private_key_of_seed(receipt_seed, &feed->receipt_key, NULL));
    must(private_key_public(feed->log_key, &feed->log_public, NULL));
    must(private_key_public(feed->receipt_key, &feed->receipt_public, NULL));
    for (unsigned i = 0; i < LOG_FEED_SIZE; i++)
        make_entry(feed, i);
    make_notes(feed);
    *state = feed;
    return 0;
}

int log_feed_teardown(void **state)
{
    struct log_feed *feed = *state;
    for (unsigned i = 0; i < LOG_FEED_SIZE; i++) {
        buf_fini(&feed->headers[i]);
        buf_fini(&feed->salts[i]);
        buf_fini(&feed->bodies[i]);
    }
    buf_fini(&feed->note);
    buf_fini(&feed->receipt);
    private_key_free(feed->log_key);
    private_key_free(feed->receipt_key);
    mem_free(feed);
    return 0;
}

static enum status hash_of(
    void *context, unsigned level, uint64_t index, struct digest *ret_hash, struct error *err)
{
    const struct log_feed *feed = context;
    struct digest leaves[16];
    size_t count = (size_t)1 << level;
    enum status status = OK;
    for (size_t i = 0; status == OK && i < count; i++)
        status = tree_leaf(buf_span(&feed->headers[(index << level) + i]), &leaves[i], err);
    return status == OK ? tree_fold(leaves, count, ret_hash, err) : status;
}

struct evidence log_feed_evidence(const struct log_feed *feed, unsigned index, bool shown)
{
    struct evidence evidence = { .header = buf_span(&feed->headers[index]),
                                 .index = index,
                                 .note = buf_span(&feed->receipt) };
    struct proof_source source = { (void *)(uintptr_t)feed, hash_of };
    must(proof_inclusion(&source, index, LOG_FEED_SIZE, &evidence.proof, NULL));
    if (shown) {
        evidence.salt = buf_span(&feed->salts[index]);
        evidence.body = buf_span(&feed->bodies[index]);
    }
    return evidence;
}
