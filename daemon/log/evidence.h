/* One entry of a feed, provable offline with public keys alone.
 *
 *   comity.v1/evidence
 *   --- header
 *   <base64, lines of 76>
 *   --- salt             salt and body only if the content is to be shown
 *   <base64>
 *   --- body
 *   <base64, lines of 76>
 *   --- proof
 *   c2sp.org/tlog-proof@v1
 *   index <decimal>
 *   <base64 hash>        inclusion proof, leaf upwards
 *                        a blank line, then the receipt: the publisher's checkpoint
 *   <origin> ...         with the subscriber's cosignature
 *
 * What follows the line "--- proof" is a C2SP tlog-proof file of its own.
 */
#ifndef COMITY_LOG_EVIDENCE_H
#define COMITY_LOG_EVIDENCE_H

#include "log/checkpoint.h"
#include "log/header.h"
#include "log/origin.h"
#include "log/proof.h"

enum { EVIDENCE_MAX = 2 * 1024 * 1024 }; /* a body of 1 MiB in base64, and room */

struct evidence {
    struct span header;
    struct span salt; /* empty: not shown */
    struct span body; /* padded, empty: not shown */
    uint64_t index;
    struct proof proof;
    struct span note;  /* checkpoint, with the cosignature if there is one */
    struct buf memory; /* what the spans point into, after evidence_decode */
};
void evidence_fini(struct evidence *evidence);

MUST_CHECK enum status evidence_encode(const struct evidence *evidence,
                                       struct buf *append_to,
                                       struct error *err);
/* Strict.  The caller frees with evidence_fini(). */
MUST_CHECK enum status evidence_decode(struct span text,
                                       struct evidence *ret_evidence,
                                       struct error *err);

/* What verified evidence says. */
struct evidence_verdict {
    struct origin origin;
    struct entry_header header; /* borrows from the evidence */
    uint64_t tree_size;
    struct digest root;
    bool receipted;          /* the subscriber's cosignature is there and verifies */
    uint64_t receipt_time_s; /* by the subscriber's clock */
    bool shown;              /* salt and body are there and open the commitment */
    struct span content;     /* of the body, without padding; the inline body if it has one */
};
/* Names in the note decide who signed; the caller says whose keys these are.  `receipt_key` NULL:
 * the cosignature is not looked at (receipted = false). */
MUST_CHECK enum status evidence_verify(const struct evidence *evidence,
                                       const struct public_key *log_key,
                                       const struct public_key *receipt_key,
                                       struct evidence_verdict *ret_verdict,
                                       struct error *err);

#endif
