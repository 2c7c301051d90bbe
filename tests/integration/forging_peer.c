/* An accepted peer that forges what the protocol lets it send, for forged.sh.
 *
 *   forging_peer IDENTITY REALM SELF PEER PEER-ANCHOR PORT MODE
 *
 * batch-...: publishes one entry under its own log key, with one thing wrong in it; batch-honest
 * with nothing wrong.  receipt-...: waits for a batch of the peer's and answers it with a receipt
 * that has one thing wrong in it; receipt-none says nothing; receipt-late and receipt-back are
 * right but for their times, of a day from now and of now.  Prints what came of it: "closed",
 * "receipt" (the peer cosigned), or "open". Exit status 2: it never came so far. */
#include "hostile.h"

#include "crypto/digest.h"
#include "log/checkpoint.h"
#include "log/header.h"
#include "log/note.h"
#include "log/origin.h"
#include "log/tree.h"
#include "wire/codec.h"
#include "wire/frame.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { OPEN_MS = 1500, KIND_OPTIONAL = 4711 };

static struct frame_reader reader;
static struct message batch; /* the peer's, for receipts */
static bool has_batch, has_receipt;
static enum message_kind awaited;
static struct realm realm;
static struct code codes[2];
static struct private_key *log_key, *receipt_key;
static struct error err = ERROR_INIT;

static void must(enum status status, const char *what)
{
    if (status != OK)
        hostile_give_up(what, &err);
}

static void hear(struct hostile *it, struct span bytes)
{
    while (bytes.size > 0) {
        struct span frame = SPAN_EMPTY;
        struct message message;
        must(frame_reader_take(&reader, FRAME_BATCH_MAX, &bytes, &frame, &err), "frame");
        if (frame.data == NULL)
            return;
        must(codec_decode(frame, &message, &err), "message");
        has_receipt = has_receipt || message.kind == MESSAGE_RECEIPT;
        it->enough = it->enough || message.kind == awaited;
        if (message.kind == MESSAGE_BATCH) { /* the last one counts */
            message_fini(&batch);
            batch = message;
            has_batch = true;
        } else {
            message_fini(&message);
        }
    }
}

static struct private_key *key_of(const char *identity, const char *name)
{
    char path[512];
    struct private_key *key = NULL;
    (void)snprintf(path, sizeof(path), "%s/%s.key", identity, name);
    must(private_key_read(path, &key, &err), path);
    return key;
}

/* -- batches ----------------------------------------------------------------------------------- */

static void send_batch(struct hostile *it, const char *wrong)
{
    static const uint8_t salt[SALT_SIZE] = { 1 };
    char origin[ORIGIN_TEXT_SIZE];
    struct entry_header header = { .kind = KIND_OPTIONAL, .time_ms = 1 };
    struct buf body = BUF_INIT, head = BUF_INIT, note = BUF_INIT, frame = BUF_INIT;
    struct tree tree;
    struct digest leaf;
    bool other = strcmp(wrong, "other-feed") == 0;
    struct code third = { "AU" };
    origin_feed(&realm, other ? &third : &codes[0], &codes[1], 0xaa, origin);
    header.entry_id.bytes[0] = 1;
    must(header_pad(header.kind, SPAN_LITERAL("forged"), &body, &err), "pad");
    header.body_size = (uint32_t)body.size;
    must(header_commit(span_text(origin), &header.entry_id, SPAN_ARRAY(salt), buf_span(&body),
                       &header.commitment, &err),
         "commit");
    if (strcmp(wrong, "commitment") == 0)
        header.commitment.bytes[0] ^= 1;
    must(header_encode(&header, &head, &err), "header");
    tree_init(&tree);
    must(tree_leaf(buf_span(&head), &leaf, &err), "leaf");
    must(tree_append(&tree, &leaf, NULL, &err), "append");
    bool index = strcmp(wrong, "index") == 0;
    struct checkpoint checkpoint = { span_text(origin), index ? 6 : 1, { { 0 } } };
    must(tree_root(&tree, &checkpoint.root, &err), "root");
    if (strcmp(wrong, "root") == 0)
        checkpoint.root.bytes[0] ^= 1;
    const struct private_key *key = strcmp(wrong, "signature") == 0 ? receipt_key : log_key;
    must(checkpoint_sign(&checkpoint, key, &note, &err), "sign");
    struct batch_entry entry = { .header = buf_span(&head),
                                 .salt = SPAN_ARRAY(salt),
                                 .body = buf_span(&body) };
    struct batch forged = { .origin = span_text(origin),
                            .first_index = index ? 5 : 0,
                            .entries = &entry,
                            .entry_count = 1,
                            .checkpoint = buf_span(&note) };
    must(codec_encode_batch(&forged, &frame, &err), "encode");
    hostile_say(it, buf_span(&frame));
}

/* -- receipts ---------------------------------------------------------------------------------- */

/* Another checkpoint under the same signature line: its text is changed after it was signed. */
static void change_text(struct buf *note, const char *wrong)
{
    uint8_t *line = memchr(note->data, '\n', note->size);
    if (strcmp(wrong, "size") == 0) /* one that was never sent */
        line[1] = (uint8_t)(line[1] == '9' ? '8' : line[1] + 1);
    else if (strcmp(wrong, "other-feed") == 0) /* the last digit of its epoch */
        line[-1] = (uint8_t)(line[-1] == '0' ? '1' : '0');
    else if (strcmp(wrong, "root") == 0)
        line[4] = (uint8_t)(line[4] == 'A' ? 'B' : 'A');
}

static void send_receipt(struct hostile *it, const char *wrong)
{
    char cosigner[ORIGIN_TEXT_SIZE];
    struct buf text = BUF_INIT, note = BUF_INIT, frame = BUF_INIT;
    uint64_t now_s = (uint64_t)time(NULL);
    must(buf_append(&text, batch.batch.checkpoint, &err), "copy");
    change_text(&text, wrong);
    bool signature = strcmp(wrong, "signature") == 0;
    uint64_t time_s = strcmp(wrong, "late") == 0 ? now_s + 86400 : now_s;
    origin_receipt(&realm, &codes[0], cosigner);
    must(checkpoint_cosign(buf_span(&text), cosigner, signature ? log_key : receipt_key, time_s,
                           &note, &err),
         "cosign");
    must(codec_encode_receipt(buf_span(&note), &frame, &err), "encode");
    hostile_say(it, buf_span(&frame));
}

/* Every batch is answered, as long as they come: the first may be one that was receipted before. */
static void answer_batches(struct hostile *it, const char *wrong, int64_t ms)
{
    if (!has_batch)
        hostile_listen_for(it, WAIT_MS, false);
    if (!has_batch)
        hostile_give_up("no batch came", NULL);
    do {
        if (strcmp(wrong, "none") != 0)
            send_receipt(it, wrong);
        it->enough = false;
        hostile_listen_for(it, ms, false);
    } while (it->enough && !it->closed);
}

int main(int argc, char **argv)
{
    struct hostile it = { .hello = BUF_INIT, .hear = hear };
    if (argc != 8 || realm_parse(argv[2], &realm, &err) != OK ||
        code_parse(argv[3], &codes[0], &err) != OK || code_parse(argv[4], &codes[1], &err) != OK)
        hostile_give_up("usage", NULL);
    log_key = key_of(argv[1], "log");
    receipt_key = key_of(argv[1], "receipt");
    awaited = MESSAGE_BATCH;
    frame_reader_init(&reader);
    hostile_connect_to(&it, argv[6]);
    hostile_secure(&it, argv[1], &realm, codes, argv[5]);
    hostile_greet(&it, &realm, codes);
    it.enough = false;
    bool stays_open = strcmp(argv[7], "receipt-none") == 0 || strcmp(argv[7], "receipt-late") == 0;
    if (strncmp(argv[7], "batch-", 6) == 0) {
        awaited = MESSAGE_RECEIPT; /* batches of the peer's do not end it */
        send_batch(&it, argv[7] + 6);
        hostile_listen_for(&it, WAIT_MS, false);
    } else if (strncmp(argv[7], "receipt-", 8) == 0) {
        answer_batches(&it, argv[7] + 8, stays_open ? OPEN_MS : WAIT_MS);
    } else {
        hostile_give_up("unknown mode", NULL);
    }
    puts(it.closed ? "closed" : has_receipt ? "receipt" : "open");
    return 0;
}
