/* Every bound of Comity, with its reason.  Bounds that depend on each other are tied below. */
#ifndef COMITY_BASE_LIMITS_H
#define COMITY_BASE_LIMITS_H

#include <assert.h>
#include <stdint.h>

/* One enumeration, so that bounds can be compared with each other. */
enum {
    /* Frames and messages (docs/PROTOCOL.md). */
    FRAME_HEAD_SIZE = 4,                 /* big-endian length of what follows */
    FRAME_BEFORE_HELLO_MAX = 4 * 1024,   /* all that a stranger may make us buffer */
    FRAME_CONTROL_MAX = 256 * 1024,      /* every message but a batch */
    FRAME_BATCH_MAX = 4 * 1024 * 1024,   /* one commit of the receiver stays within ms */
    MESSAGE_DEPTH_MAX = 4,               /* protobuf-c recurses without a limit of its own */
    MESSAGE_FIELDS_MAX = 4 * 4096 + 128, /* of a batch: 4 an entry, and the unknown ones */
    MESSAGE_FIELDS_CONTROL_MAX = 4096,   /* of any other: the headers of one Heal */
    MESSAGE_UNKNOWN_MAX = 64,            /* room for a later version, not for a flood */
    MESSAGE_HEAP_CONTROL_MAX = 2 * 1024 * 1024,
    BOOT_ID_SIZE = 16,
    EXPORTER_SIZE = 32,
    FEATURES_MAX = 16,
    ORIGIN_MAX = 128,            /* 74 with the longest realm and codes */
    HELLO_NOTE_MAX = 896,        /* each of four; 800 with the longest names and two keys each */
    HELLO_SIGNATURE_MAX = 128,   /* P-256 in DER is at most 72 */
    GOODBYE_TEXT_MAX = 200,      /* one sentence */
    PINGS_PER_INTERVAL_MAX = 16, /* one is usual; each costs us an answer */

    /* Feeds. */
    ENTRY_INLINE_MAX = 1024, /* control bodies that stand in the leaf */
    ENTRY_HEADER_MAX = 120 + ENTRY_INLINE_MAX,
    ENTRY_BODY_MAX = 1024 * 1024, /* larger ones come in parts */
    BATCH_ENTRIES_MAX = 4096,
    BATCH_BYTES_MAX = 3 * 1024 * 1024,      /* leaves room for framing under FRAME_BATCH_MAX */
    NOTE_MAX = 4 * 1024,                    /* a checkpoint with its signatures */
    PROOF_HASHES_MAX = 63,                  /* a tree of at most 2^63 leaves */
    HEAL_BYTES_MAX = 192 * 1024,            /* of headers in one Heal, under FRAME_CONTROL_MAX */
    HEAL_HEADERS_MAX = 2048,                /* one database read stays within ms */
    SESSION_WINDOW_BATCHES = 8,             /* in flight without a receipt */
    SESSION_WINDOW_BYTES = 8 * 1024 * 1024, /* of their frames; two of the largest */
    FORMER_KEYS_MAX = 32,                   /* of one node: 30 years of renewing each every two */
    PEERS_MAX = 512,                        /* 193 members, regional organisations, room */

    /* Time. */
    HANDSHAKE_TIMEOUT_MS = 5 * 1000,
    HELLO_TIMEOUT_MS = 5 * 1000,
    IDLE_TIMEOUT_MS = 120 * 1000,
    PING_INTERVAL_MS = 30 * 1000,
    RECEIPT_TIMEOUT_MS = 60 * 1000,
    PROBE_TIMEOUT_MS = 10 * 1000, /* a live peer answers in one round trip */
    BACKOFF_FIRST_MS = 1000,
    BACKOFF_MAX_MS = 5 * 60 * 1000, /* minutes, not hours: an official is waiting */
    RECHECK_CERTIFICATE_MS = 60 * 1000,

    /* What people type, and what files contain. */
    TITLE_MAX = 500,       /* bytes of UTF-8 */
    TEXT_MAX = 200 * 1024, /* an excerpt's text */
    NAME_MAX_BYTES = 200,
    CONDITION_MAX = 4 * 1024,
    CSV_FIELD_MAX = TEXT_MAX,
    CSV_FILE_MAX = 256 * 1024 * 1024,
    PROBLEMS_MAX = 1000, /* problems of one file that are kept; the rest counted */
    CARD_MAX = 64 * 1024,
    CONFIG_MAX = 64 * 1024,
    CONTROL_REQUEST_MAX = 64 * 1024 * 1024, /* a CSV file in one request over the local socket */
    CONTROL_REPLY_MAX = 64 * 1024 * 1024,
    REQUEST_FILES_MAX = 256, /* a folder of CSV files, one command */
    RELEASE_OBSERVATIONS_MAX = 1000 * 1000,
    RELEASE_PLAIN_MAX = 64 * 1024 * 1024, /* a million rows, every column varying, 2 bytes each */
    CONSENT_RECORDS_MAX = 100 * 1000,
    CONSENT_RECIPIENTS_MAX = 256,
};

/* A feed that gets a million entries a day is full after three thousand years. */
#define FEED_ENTRIES_MAX ((uint64_t)1 << 40)

static_assert(BATCH_BYTES_MAX < FRAME_BATCH_MAX, "a full batch must fit its frame");
static_assert(ENTRY_BODY_MAX < BATCH_BYTES_MAX, "a batch must hold at least one entry");
static_assert(TEXT_MAX < ENTRY_BODY_MAX, "an excerpt must fit one entry");
static_assert(FRAME_BEFORE_HELLO_MAX < FRAME_CONTROL_MAX, "a stranger gets less than a peer");
static_assert(BATCH_ENTRIES_MAX * 4 + MESSAGE_UNKNOWN_MAX + 3 <= MESSAGE_FIELDS_MAX,
              "a full batch must pass the pre-scan");
static_assert(HEAL_HEADERS_MAX + MESSAGE_UNKNOWN_MAX + 5 <= MESSAGE_FIELDS_CONTROL_MAX,
              "a full Heal must pass the pre-scan");
static_assert(HEAL_BYTES_MAX + 4 * HEAL_HEADERS_MAX + 2 * NOTE_MAX < FRAME_CONTROL_MAX,
              "a full Heal must fit its frame");
static_assert(4 * HELLO_NOTE_MAX + HELLO_SIGNATURE_MAX + 6 * FEATURES_MAX + 256 <
                  FRAME_BEFORE_HELLO_MAX,
              "a full Hello must fit what a stranger may send");
static_assert(BATCH_BYTES_MAX + 24 * BATCH_ENTRIES_MAX + 2 * NOTE_MAX < FRAME_BATCH_MAX,
              "a full batch must fit its frame with its tags and lengths");
static_assert(SESSION_WINDOW_BYTES >= 2 * FRAME_BATCH_MAX, "one batch travels, one is stored");

#endif
