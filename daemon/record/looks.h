/* What a file that was given for something else seems to be.
 *
 * Figures given as excerpts, or a letter given as a card, break every rule that there is; one
 * sentence that says what the file seems to be helps more than all of them.
 */
#ifndef COMITY_RECORD_LOOKS_H
#define COMITY_RECORD_LOOKS_H

#include "base/span.h"

enum looks {
    LOOKS_UNKNOWN,
    LOOKS_BINARY,   /* zero bytes, or no UTF-8 */
    LOOKS_EXCERPTS, /* the first line names two columns of excerpts or more */
    LOOKS_FIGURES,  /* the first line names columns of SDMX-CSV */
    LOOKS_CARD,
    LOOKS_EVIDENCE,
    LOOKS_PEM /* certificates or keys by themselves */
};
/* By its first line, and whether it is text at all. */
enum looks looks_like(struct span file);
/* "excerpts (CSV)", "a node's card", ...; "something else" for LOOKS_UNKNOWN */
const char *looks_name(enum looks looks);
/* The command that takes it, or NULL. */
const char *looks_command(enum looks looks);
/* ERR_INVALID and what it seems to be instead; of certificates and keys the card's own rules say
 * more. */
MUST_CHECK enum status looks_check_card(struct span file, struct error *err);
MUST_CHECK enum status looks_check_evidence(struct span file, struct error *err);

#endif
