#include "cli/init_files.h"

#include "cli/file.h"
#include "crypto/pem.h"

#include <stdio.h>
#include <string.h>

enum status init_made(struct init *init, const char *path, struct error *err)
{
    if (init->made_count == INIT_MADE_MAX || strlen(path) >= INIT_PATH_SIZE)
        return error_set(err, ERR_INTERNAL, "node init makes more files than it has room for");
    (void)snprintf(init->made[init->made_count++], INIT_PATH_SIZE, "%s", path);
    return OK;
}

enum status init_write(
    struct init *init, const char *path, struct span bytes, unsigned mode, struct error *err)
{
    enum status status = file_write_new(path, bytes, mode, err);
    return status == OK ? init_made(init, path, err) : status;
}

/* -- identity ---------------------------------------------------------------------------------- */

struct identity {
    struct init *init;
    struct certificate_subject subject;
    struct private_key *anchor_key;
    struct card card;
};

static enum status identity_path(const struct init *init,
                                 const char *name,
                                 const char *ending,
                                 char ret_path[static INIT_PATH_SIZE],
                                 struct error *err)
{
    int size = snprintf(ret_path, INIT_PATH_SIZE, "%s/%s.%s", init->identity, name, ending);
    if (size < 0 || size >= INIT_PATH_SIZE)
        return error_set(err, ERR_LIMIT, "the path of %s.%s is too long", name, ending);
    return OK;
}

static enum status write_key(struct init *init,
                             const struct private_key *key,
                             const char *name,
                             struct error *err)
{
    char path[INIT_PATH_SIZE];
    enum status status = identity_path(init, name, "key", path, err);
    if (status == OK)
        status = private_key_write(key, path, err);
    return status == OK ? init_made(init, path, err) : status;
}

static enum status write_pem(struct init *init,
                             const char *label,
                             struct span der,
                             const char *name,
                             const char *ending,
                             struct error *err)
{
    char path[INIT_PATH_SIZE];
    struct buf pem = BUF_INIT;
    enum status status = identity_path(init, name, ending, path, err);
    if (status == OK)
        status = pem_encode(label, der, &pem, err);
    if (status == OK)
        status = init_write(init, path, buf_span(&pem), 0644, err);
    buf_fini(&pem);
    return status;
}

static enum status make_anchor(struct identity *id, struct error *err)
{
    id->subject = (struct certificate_subject){
        .realm = id->init->realm,
        .code = id->init->code,
        .not_before_ms = id->init->now_ms - CERTIFICATE_BACKDATE_MS,
        .not_after_ms = id->init->now_ms + ANCHOR_LIFE_MS,
    };
    enum status status = private_key_make(KEY_P256, &id->anchor_key, err);
    if (status == OK)
        status = write_key(id->init, id->anchor_key, "anchor", err);
    if (status == OK)
        status = certificate_make_anchor(&id->subject, id->anchor_key, &id->card.anchor, err);
    if (status == OK)
        status =
            write_pem(id->init, PEM_CERTIFICATE, buf_span(&id->card.anchor), "anchor", "crt", err);
    id->subject.not_after_ms = id->init->now_ms + ROLE_LIFE_MS;
    return status;
}

static enum status make_role(struct identity *id, enum role role, struct error *err)
{
    struct private_key *key = NULL;
    struct certificate_issuer issuer = { buf_span(&id->card.anchor), id->anchor_key };
    enum status status = private_key_make(certificate_key_kind(role), &key, err);
    if (status == OK)
        status = write_key(id->init, key, role_name(role), err);
    if (status == OK)
        status = certificate_issue(&id->subject, role, key, &issuer, &id->card.roles[role], err);
    if (status == OK)
        status = write_pem(id->init, PEM_CERTIFICATE, buf_span(&id->card.roles[role]),
                           role_name(role), "crt", err);
    private_key_free(key);
    return status;
}

static enum status make_list(struct identity *id, struct error *err)
{
    int64_t now_ms = id->init->now_ms;
    struct certificate_issuer issuer = { buf_span(&id->card.anchor), id->anchor_key };
    struct crl_dates dates = { now_ms, now_ms + CRL_LIFE_MS };
    enum status status = crl_make(NULL, NULL, &issuer, &dates, &id->card.crl, err);
    if (status == OK)
        status = write_pem(id->init, PEM_CRL, buf_span(&id->card.crl), "crl", "pem", err);
    return status;
}

static enum status make_card(struct identity *id, struct error *err)
{
    const struct init *init = id->init;
    id->card.realm = init->realm;
    id->card.code = init->code;
    (void)snprintf(id->card.name, sizeof(id->card.name), "%s", init->name);
    (void)snprintf(id->card.address, sizeof(id->card.address), "%s", init->address);
    char path[INIT_PATH_SIZE];
    struct buf text = BUF_INIT;
    enum status status = identity_path(init, "card", "pem", path, err);
    if (status == OK)
        status = card_encode(&id->card, &text, err);
    if (status == OK)
        status = init_write(id->init, path, buf_span(&text), 0644, err);
    buf_fini(&text);
    if (status == OK)
        status = fingerprint_of(&init->realm, &init->code, buf_span(&id->card.anchor),
                                &id->init->fingerprint, err);
    return status;
}

enum status init_identity(struct init *init, struct error *err)
{
    struct identity id = { .init = init };
    enum status status = make_anchor(&id, err);
    for (unsigned role = 0; status == OK && role < ROLE_COUNT; role++)
        status = make_role(&id, (enum role)role, err);
    if (status == OK)
        status = make_list(&id, err);
    if (status == OK)
        status = make_card(&id, err);
    card_fini(&id.card);
    private_key_free(id.anchor_key);
    return status;
}

/* -- configuration ----------------------------------------------------------------------------- */

struct setting {
    const char *section; /* begins a section when it is not NULL */
    const char *key;
    const char *value;
    const char *says;
};

static enum status put_setting(const struct setting *setting, struct buf *text, struct error *err)
{
    enum status status = OK;
    if (setting->section != NULL)
        status = buf_printf(text, err, "\n[%s]\n", setting->section);
    if (status == OK)
        status =
            buf_printf(text, err, "# %s\n%s = %s\n", setting->says, setting->key, setting->value);
    return status;
}

enum status init_config(struct init *init, struct error *err)
{
    const struct setting settings[] = {
        { "node", "realm", init->realm.text, "The federation; cannot be changed later." },
        { NULL, "code", init->code.text, "This node's code; cannot be changed later." },
        { NULL, "name", init->name, "The name that people read." },
        { "storage", "directory", init->data,
          "Database, root key, heads: one node only, on a local disk." },
        { "identity", "directory", init->identity,
          "Keys and certificates of the roles, and the card." },
        { "network", "listen", init->listen,
          "HOST:PORT to wait on; empty: this node only calls others." },
        { NULL, "address", init->address, "HOST:PORT that others call; it is on the card." },
        { NULL, "dial", "yes", "Whether this node calls others: yes or no." },
        { "control", "socket", init->socket, "Where comityctl reaches the node." },
        { NULL, "operators", init->operators,
          "Who prepares: users, numeric uids, @groups, separated by blanks." },
        { NULL, "approvers", init->approvers, "Who approves; never the person who proposed." },
        { NULL, "auditors", init->auditors, "Who may read, and nothing else." },
        { "log", "level", "info", "error, warning, info or debug." },
    };
    struct buf text = BUF_INIT;
    enum status status = buf_printf(&text, err,
                                    "# Configuration of the Comity node %s; docs/CONFIGURATION.md "
                                    "explains every key.\n",
                                    init->code.text);
    for (size_t i = 0; status == OK && i < sizeof(settings) / sizeof(settings[0]); i++)
        status = put_setting(&settings[i], &text, err);
    if (status == OK)
        status = init_write(init, init->config, buf_span(&text), 0644, err);
    buf_fini(&text);
    return status;
}
