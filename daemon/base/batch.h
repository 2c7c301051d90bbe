/* The units in which a feed travels between layers: what session hands to feed and back.
 *
 * They live in base because neither layer may include the other.  All spans of a struct point into
 * memory that the struct owns (`memory`), so that it can move between threads as one thing.
 */
#ifndef COMITY_BASE_BATCH_H
#define COMITY_BASE_BATCH_H

#include "base/id.h"
#include "base/limits.h"
#include "base/span.h"

enum { SALT_SIZE = 32 };

/* One entry as it travels: header bytes exactly as hashed, and what opens its commitment. */
struct batch_entry {
    struct span header; /* log/header.h: fixed part, then the inline body if the kind has one */
    struct span salt;   /* SALT_SIZE bytes; empty when the body is withheld or the kind is inline */
    struct span body;   /* padded body as committed; empty likewise */
    bool withheld;      /* withdrawn before it arrived: neither salt nor body */
};

struct batch {
    struct span origin; /* first line of its checkpoint */
    uint64_t first_index;
    struct batch_entry *entries; /* entry_count of them, owned */
    size_t entry_count;
    struct span checkpoint; /* signed note over first_index + entry_count entries */
    bool has_root;          /* whoever numbered it knows the root of so many entries */
    struct digest root;
    bool is_last;      /* its publisher found nothing more that could be sent behind it */
    struct buf memory; /* what the spans point into */
};

void batch_fini(struct batch *batch);
struct batch batch_move(struct batch *from);
size_t batch_bytes(const struct batch *batch); /* headers, salts and bodies */
uint64_t batch_end(const struct batch *batch); /* first_index + entry_count */

/* What one node knows of the two feeds it shares with one peer, as it stands in a Hello.  Signed
 * notes, each may be empty.  "Mine" is the feed from the node that speaks. */
struct heads {
    struct buf mine;          /* latest checkpoint of my feed to you, signed by my log key */
    struct buf mine_receipt;  /* the highest checkpoint of it that you cosigned, as you signed it */
    struct buf yours;         /* latest checkpoint of your feed that I hold durably, with my
                               * cosignature (so it is a receipt as well) */
    struct buf yours_receipt; /* what I cosigned of it once, beyond `yours`, and have lost: I know
                               * of it by your mine_receipt.  Mostly empty */
};
void heads_fini(struct heads *heads);
struct heads heads_move(struct heads *from);

/* What comparing a peer's Hello with our own database decided (feed_resume). */
enum resume_outcome {
    RESUME_IN_STEP,   /* go on from send_from */
    RESUME_RECOVERED, /* our outgoing feed was behind what the peer holds: a new epoch is open */
    RESUME_FORK,      /* same size, other root: nobody may go on; alarm */
    RESUME_HELD       /* an operator must decide first (recovered too often: a live clone) */
};

struct resume {
    enum resume_outcome outcome;
    uint64_t send_from;       /* next index of our feed that the peer lacks */
    bool peer_behind_receipt; /* the peer holds less than it once cosigned: it was rolled back */
    bool self_behind_receipt; /* we hold less than we once cosigned: we locked, and catch up */
    bool heal_peer;           /* the peer lacks entries of its own feed that we hold */
    struct buf heal_origin;   /* of that feed */
    uint64_t heal_from;       /* first index that it lacks */
    char alarm[256];          /* empty, or the sentence for the operator and the log */
};
void resume_fini(struct resume *resume);
struct resume resume_move(struct resume *from);

/* Headers and a receipt of a peer's own feed, handed back to it after it was rolled back. */
struct heal {
    struct span origin;
    uint64_t first_index;
    struct span *headers; /* header_count of them, owned array, spans into memory */
    size_t header_count;
    struct span checkpoint; /* its own signed checkpoint, with our cosignature */
    bool last;
    struct buf memory;
};
void heal_fini(struct heal *heal);
struct heal heal_move(struct heal *from);

#endif
