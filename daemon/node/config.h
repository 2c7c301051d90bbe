/* The configuration file of a node (docs/CONFIGURATION.md), read whole, checked whole.
 *
 * All problems of a file are reported at once, each with file, line, key, value and the rule that
 * it breaks; a file with a problem changes nothing.  User and group names are resolved here, so
 * that a mistyped approver is found at the start and not when an approval is due.
 */
#ifndef COMITY_NODE_CONFIG_H
#define COMITY_NODE_CONFIG_H

#include "base/id.h"
#include "base/limits.h"
#include "base/span.h"
#include "node/people.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct config {
    char *path; /* the file it was read from */
    struct realm realm;
    struct code code;
    char *name;
    char *storage_directory;
    char *identity_directory;
    char *listen_host;    /* NULL: outbound connections only */
    uint16_t listen_port; /* 0: the system picks one (tests) */
    char *address;        /* HOST:PORT for the card; NULL: none */
    bool dial;
    char *control_socket;
    struct people operators;
    struct people approvers;
    struct people auditors;
    enum log_level log_level;
};

/* Reads the file at `path`.  ERR_INVALID: *ret_problems (the caller's, to be freed) has one problem
 * a line, each with its file and line in front, and *err counts them; ERR_IO, ERR_NOT_FOUND,
 * ERR_LIMIT: the file itself could not be read, *err says why. */
MUST_CHECK enum status config_read(const char *path,
                                   struct config *ret_config,
                                   struct buf *ret_problems,
                                   struct error *err);
/* The same from bytes in memory; `path` is only a name. */
MUST_CHECK enum status config_parse(const char *path,
                                    struct span text,
                                    struct config *ret_config,
                                    struct buf *ret_problems,
                                    struct error *err);
void config_fini(struct config *config);
struct config config_move(struct config *from);

/* What a reload may not change (realm, code, name, directories, socket, listen): ERR_WRONG_STATE
 * names the first key that would need a restart. */
MUST_CHECK enum status config_check_reload(const struct config *running,
                                           const struct config *wanted,
                                           struct error *err);

/* Takes over what a reload may change: address, dial, the lists of people, the log level. */
void config_take_reload(struct config *running, struct config *wanted);

/* The table behind the documentation: section, key, rule; the count in *ret_count. */
struct config_key {
    const char *section;
    const char *key;
    const char *rule;     /* what a value must be, in words */
    const char *fallback; /* the value when the key is absent; NULL: the key is required */
    MUST_CHECK enum status (*set)(struct config *config, const char *value, struct error *err);
};
const struct config_key *config_keys(size_t *ret_count);

#endif
