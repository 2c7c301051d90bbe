#include "node/identity.h"

#include "base/memory.h"
#include "crypto/card.h"
#include "crypto/certificate.h"
#include "crypto/crl.h"
#include "crypto/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_SIZE = 256,
    FORMER_CARDS_MAX =
        FORMER_KEYS_MAX - 1 /* with the present one: all that is on record at least */
};

struct reading {
    const char *directory;
    const struct realm *realm;
    const struct code *code;
    int64_t now_ms;
    struct certificate *anchor;
    struct crl *crl;
};

static void path_of(const struct reading *reading, const char *name, char path[static PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "%s/%s", reading->directory, name);
}

static enum status read_pem(const struct reading *reading,
                            const char *label,
                            const char *name,
                            struct buf *ret_der,
                            struct error *err)
{
    char path[PATH_SIZE];
    path_of(reading, name, path);
    enum status status = pem_read(label, path, ret_der, err);
    if (status == ERR_NOT_FOUND) {
        status = error_set(err, ERR_NOT_FOUND,
                           "%s: is not there; next: make the identity with comityctl node init, or "
                           "copy the file from the authority that holds the anchor",
                           path);
    }
    return status;
}

static enum status read_anchor(struct reading *reading,
                               struct identity *identity,
                               struct error *err)
{
    enum status status = read_pem(reading, PEM_CERTIFICATE, "anchor.crt", &identity->anchor, err);
    if (status == OK)
        status = certificate_parse(buf_span(&identity->anchor), &reading->anchor, err);
    if (status != OK)
        return status;
    struct error reason = ERROR_INIT;
    enum verdict verdict = certificate_check_anchor(reading->anchor, reading->realm, reading->code,
                                                    reading->now_ms, &reason);
    if (!verdict_allows(verdict))
        return error_set(err, verdict_status(verdict), "%s/anchor.crt: %s", reading->directory,
                         reason.text);
    return OK;
}

static enum status read_crl(struct reading *reading, struct identity *identity, struct error *err)
{
    char path[PATH_SIZE];
    struct stat info;
    path_of(reading, "crl.pem", path);
    if (stat(path, &info) != 0 && errno == ENOENT)
        return OK;
    enum status status = read_pem(reading, PEM_CRL, "crl.pem", &identity->crl, err);
    if (status == OK)
        status = crl_parse(buf_span(&identity->crl), &reading->crl, err);
    if (status == OK)
        status = crl_check(reading->crl, reading->anchor, err);
    if (status != OK && strstr(err->text, path) == NULL)
        (void)error_prefix(err, "%s", path);
    return status;
}

static enum status check_certificate(const struct reading *reading,
                                     enum role role,
                                     struct span der,
                                     struct error *err)
{
    struct certificate *certificate = NULL;
    enum status status = certificate_parse(der, &certificate, err);
    if (status != OK)
        return status;
    const struct certificate_rule rule = {
        .realm = *reading->realm,
        .code = *reading->code,
        .role = role,
        .anchor = reading->anchor,
        .crl = reading->crl,
        .now_ms = reading->now_ms,
    };
    struct error reason = ERROR_INIT;
    enum verdict verdict = certificate_verify(certificate, &rule, &reason);
    certificate_free(certificate);
    if (!verdict_allows(verdict))
        return error_set(err, verdict_status(verdict), "%s", reason.text);
    return OK;
}

static enum status read_role(const struct reading *reading,
                             enum role role,
                             struct identity *identity,
                             struct error *err)
{
    char name[32], path[PATH_SIZE];
    snprintf(name, sizeof(name), "%s.crt", role_name(role));
    path_of(reading, name, path);
    enum status status =
        read_pem(reading, PEM_CERTIFICATE, name, &identity->certificates[role], err);
    if (status != OK)
        return status;
    struct span der = buf_span(&identity->certificates[role]);
    status = check_certificate(reading, role, der, err);
    if (status != OK)
        return error_prefix(err, "%s", path);
    snprintf(name, sizeof(name), "%s.key", role_name(role));
    path_of(reading, name, path);
    status = private_key_read(path, &identity->keys[role], err);
    if (status != OK) {
        if (strstr(err->text, path) == NULL)
            (void)error_prefix(err, "%s", path);
        return status;
    }
    status = certificate_check_key(der, identity->keys[role], err);
    if (status != OK)
        (void)error_prefix(err, "%s does not belong to %s.crt", path, role_name(role));
    return status;
}

/* The key before, of a role that signs; NULL when there is none. */
static enum status read_former(const struct reading *reading,
                               enum role role,
                               const struct identity *identity,
                               struct private_key **ret_key,
                               struct error *err)
{
    char name[32], path[PATH_SIZE];
    struct stat info;
    struct private_key *key = NULL;
    struct public_key former, present;
    snprintf(name, sizeof(name), "%s.old.key", role_name(role));
    path_of(reading, name, path);
    if (stat(path, &info) != 0 && errno == ENOENT)
        return OK;
    enum status status = private_key_read(path, &key, err);
    if (status == OK)
        status = private_key_public(key, &former, err);
    if (status == OK)
        status = private_key_public(identity->keys[role], &present, err);
    if (status == OK && memcmp(former.bytes, present.bytes, sizeof(former.bytes)) == 0) {
        status = error_set(err, ERR_INVALID,
                           "is the same key as %s.key; next: remove it, or put the new key into "
                           "%s.key",
                           role_name(role), role_name(role));
    }
    if (status == OK) {
        *ret_key = key;
        return OK;
    }
    private_key_free(key);
    if (strstr(err->text, path) == NULL)
        (void)error_prefix(err, "%s", path);
    return status;
}

/* ERR_NOT_FOUND without a text when there is no such file. */
static enum status read_text(const char *path, size_t max, struct buf *ret_text, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return error_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
                         "%s: %s; next: make the identity with comityctl node init", path,
                         strerror(errno));
    }
    struct buf text = BUF_INIT;
    enum status status = OK;
    ssize_t got = 0;
    do {
        uint8_t part[4096];
        got = read(fd, part, sizeof(part));
        if (got > 0)
            status = buf_append(&text, span_of(part, (size_t)got), err);
    } while (status == OK && got > 0 && text.size <= max);
    if (status == OK && got < 0)
        status = error_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    (void)close(fd);
    if (status != OK)
        buf_fini(&text);
    else
        *ret_text = text;
    return status;
}

enum status identity_read_card(const char *directory, struct buf *ret_text, struct error *err)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/card.pem", directory);
    return read_text(path, CARD_MAX, ret_text, err);
}

/* Everything that counts as ours is of our anchor. */
static enum status check_former_card(const struct identity *identity,
                                     struct span text,
                                     struct error *err)
{
    struct card card = { 0 };
    enum status status = card_decode(text, &card, NULL, err);
    if (status == OK && !span_equal(buf_span(&card.anchor), buf_span(&identity->anchor)))
        status = error_set(err, ERR_MISMATCH,
                           "its anchor is not anchor.crt; next: remove this card from the file");
    card_fini(&card);
    return status;
}

static enum status read_former_cards(const struct reading *reading,
                                     struct identity *identity,
                                     struct error *err)
{
    char path[PATH_SIZE];
    struct error why = ERROR_INIT;
    size_t number = 0;
    path_of(reading, "former-cards.pem", path);
    enum status status =
        read_text(path, (size_t)FORMER_CARDS_MAX * CARD_MAX, &identity->former_cards, &why);
    if (status == ERR_NOT_FOUND)
        return OK;
    if (status != OK)
        return error_set(err, status, "%s", why.text);
    struct span rest = buf_span(&identity->former_cards);
    while (status == OK && rest.size > 0) {
        struct span card = card_next(&rest);
        if (++number > FORMER_CARDS_MAX) {
            return error_set(err, ERR_LIMIT,
                             "%s: more than %d cards; next: remove the oldest, which stand first",
                             path, FORMER_CARDS_MAX);
        }
        status = check_former_card(identity, card, err);
    }
    return status == OK ? OK : error_prefix(err, "%s: card %zu", path, number);
}

/* The card that is handed to others must speak of the keys that we use. */
static enum status make_card(const struct reading *reading,
                             struct identity *identity,
                             struct error *err)
{
    char path[PATH_SIZE];
    struct buf text = BUF_INIT;
    struct card card = { 0 };
    path_of(reading, "card.pem", path);
    enum status status = identity_read_card(reading->directory, &text, err);
    if (status == OK) {
        status = card_decode(buf_span(&text), &card, NULL, err);
        if (status != OK)
            (void)error_prefix(err, "%s", path);
    }
    for (int role = 0; status == OK && role < ROLE_COUNT; role++) {
        if (!span_equal(buf_span(&card.roles[role]), buf_span(&identity->certificates[role]))) {
            status = error_set(err, ERR_MISMATCH,
                               "%s: its %s certificate is not %s.crt; next: make the card again "
                               "(certs/make-card)",
                               path, role_name((enum role)role), role_name((enum role)role));
        }
    }
    if (status == OK && !span_equal(buf_span(&card.anchor), buf_span(&identity->anchor)))
        status = error_set(err, ERR_MISMATCH, "%s: its anchor is not anchor.crt", path);
    if (status == OK && identity->crl.size > 0) {
        buf_clear(&card.crl);
        status = buf_append(&card.crl, buf_span(&identity->crl), err);
    }
    if (status == OK)
        status = card_encode(&card, &identity->card, err);
    card_fini(&card);
    buf_fini(&text);
    return status;
}

/* What is wrong with a file of the identity is put right in one way. */
static void add_next_step(struct error *err)
{
    char text[ERROR_TEXT_MAX];
    if (err == NULL || strstr(err->text, "; next: ") != NULL)
        return;
    snprintf(text, sizeof(text), "%s", err->text);
    bool unreadable = strstr(text, strerror(EACCES)) != NULL;
    (void)error_set(err, err->status, "%s; next: %s", text,
                    unreadable ? "give the folder and its files to the user as whom comityd runs "
                                 "(chown; keys keep the mode 0600)"
                               : "put the right file in its place, or make keys, certificates and "
                                 "card anew (certs/README.md)");
}

enum status identity_read(const char *directory,
                          const struct realm *realm,
                          const struct code *code,
                          int64_t now_ms,
                          struct identity *ret_identity,
                          struct error *err)
{
    struct reading reading = {
        .directory = directory,
        .realm = realm,
        .code = code,
        .now_ms = now_ms,
    };
    struct identity identity = { 0 };
    enum status status = read_anchor(&reading, &identity, err);
    if (status == OK)
        status = read_crl(&reading, &identity, err);
    for (int role = 0; status == OK && role < ROLE_COUNT; role++)
        status = read_role(&reading, (enum role)role, &identity, err);
    if (status == OK)
        status = read_former(&reading, ROLE_LOG, &identity, &identity.former_log_key, err);
    if (status == OK)
        status = read_former(&reading, ROLE_RECEIPT, &identity, &identity.former_receipt_key, err);
    if (status == OK)
        status = read_former_cards(&reading, &identity, err);
    if (status == OK)
        status = make_card(&reading, &identity, err);
    certificate_free(reading.anchor);
    crl_free(reading.crl);
    if (status == OK) {
        *ret_identity = identity;
        return OK;
    }
    add_next_step(err);
    identity_fini(&identity);
    return status;
}

void identity_fini(struct identity *identity)
{
    if (identity == NULL)
        return;
    buf_fini(&identity->anchor);
    buf_fini(&identity->crl);
    buf_fini(&identity->card);
    buf_fini(&identity->former_cards);
    private_key_free(identity->former_log_key);
    private_key_free(identity->former_receipt_key);
    identity->former_log_key = NULL;
    identity->former_receipt_key = NULL;
    for (int role = 0; role < ROLE_COUNT; role++) {
        buf_fini(&identity->certificates[role]);
        private_key_free(identity->keys[role]);
        identity->keys[role] = NULL;
    }
}
