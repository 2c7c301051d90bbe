/* What an approver signs: every record, recipient and form of release, as canonical bytes.
 *
 * The caller hashes the bytes (SHA-256; this layer has no cryptography) and shows the digest.  The
 * nonce is secret, drawn when the consent is drafted and kept sealed: without it nobody can test
 * guesses of a record's content against a digest that stands in a journal.  For the same reason,
 * and because they hold titles, preview bytes are kept sealed only.
 *
 * Canonical: the same consent gives the same bytes.  Records stand in order of id, recipients in
 * order of code, each once; other orders are refused, not sorted.
 */
#ifndef COMITY_CONSENT_PREVIEW_H
#define COMITY_CONSENT_PREVIEW_H

#include "base/id.h"
#include "base/span.h"
#include "consent/terms.h"

enum {
    PREVIEW_NONCE_SIZE = 16,
    PREVIEW_KIND_MAX = 40,
    PREVIEW_CHANGES_SHOWN = 50,
    /* 100,000 records with titles of usual length fit, and the database takes it sealed as one
     * blob. */
    PREVIEW_BYTES_MAX = 24 * 1024 * 1024
};

struct preview_record {
    struct id id;
    uint32_t version;
    struct span kind;  /* word: "answer", "legislation", "release" ...; at most PREVIEW_KIND_MAX */
    struct span title; /* UTF-8, at most TITLE_MAX */
    uint32_t size;     /* bytes of the canonical form */
    struct digest digest; /* SHA-256 of the canonical form */
};

struct preview_recipient {
    struct code code;
    struct span name;     /* UTF-8, at most NAME_MAX_BYTES */
    struct digest anchor; /* fingerprint */
    /* What it holds already: for each record of the preview the version, 0 for none; NULL when it
     * holds nothing.  Same length and order as preview.records. */
    const uint32_t *holds;
};

struct preview {
    struct id consent_id;
    uint8_t nonce[PREVIEW_NONCE_SIZE];
    struct code publisher;
    struct realm realm;
    const struct terms *terms;
    const struct preview_record *records;
    size_t record_count;
    const struct preview_recipient *recipients;
    size_t recipient_count;
};

/* ERR_INVALID: out of order, twice, too long, none at all; ERR_LIMIT: more than limits.h allows.
 * Mark *append_to secret. */
MUST_CHECK enum status preview_encode(const struct preview *preview,
                                      struct buf *append_to,
                                      struct error *err);

/* What is different between two encoded previews of one consent, a line each, at most
 * PREVIEW_CHANGES_SHOWN and then how many more ("record 01ab...: version 2 instead of 1\n").
 * *ret_count 0: identical.  ERR_CORRUPT when the bytes are not those of preview_encode(). */
MUST_CHECK enum status preview_compare(struct span former,
                                       struct span now,
                                       struct buf *append_to,
                                       size_t *ret_count,
                                       struct error *err);

#endif
