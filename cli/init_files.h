/* The parts of `node init`: identity (keys, certificates, card) and configuration. */
#ifndef COMITY_CLI_INIT_FILES_H
#define COMITY_CLI_INIT_FILES_H

#include "crypto/card.h"

enum { INIT_PATH_SIZE = 1024, INIT_MADE_MAX = 32 };

struct init {
    /* what was asked for */
    struct realm realm;
    struct code code;
    const char *name;
    const char *listen;  /* "" without */
    const char *address; /* "" without */
    const char *operators;
    const char *approvers;
    const char *auditors;
    int64_t now_ms;
    /* where */
    bool system; /* no --directory */
    char config[INIT_PATH_SIZE];
    char identity[INIT_PATH_SIZE];
    char data[INIT_PATH_SIZE];
    char socket[INIT_PATH_SIZE];
    /* what was made, so that a failure leaves nothing behind */
    char made[INIT_MADE_MAX][INIT_PATH_SIZE];
    size_t made_count;
    struct fingerprint fingerprint;
};

/* Keys 0600, certificates, an empty revocation list, and the card, all in init->identity. */
MUST_CHECK enum status init_identity(struct init *init, struct error *err);
/* The configuration with every key explained. */
MUST_CHECK enum status init_config(struct init *init, struct error *err);
/* A new file; remembered in init->made. */
MUST_CHECK enum status init_write(
    struct init *init, const char *path, struct span bytes, unsigned mode, struct error *err);
/* Remembers something that was made. */
MUST_CHECK enum status init_made(struct init *init, const char *path, struct error *err);

#endif
