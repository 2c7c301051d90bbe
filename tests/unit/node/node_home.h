/* The files of a node, made by hand: identity and directories below /tmp. */
#ifndef COMITY_TESTS_NODE_HOME_H
#define COMITY_TESTS_NODE_HOME_H

#include "base/clock.h"
#include "base/memory.h"
#include "crypto/card.h"
#include "crypto/digest.h"
#include "crypto/pem.h"
#include "support/call_fault.h"
#include "support/check.h"
#include "support/pki.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOME_PATH_SIZE = 64 + 256 }; /* of `home`, and the longest name of a file */

static struct error err;
static char home[64];

static inline const char *home_path(const char *name)
{
    static char paths[4][HOME_PATH_SIZE];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, HOME_PATH_SIZE, "%s/%s", home, name);
    return path;
}

static inline void home_write(const char *name, struct span bytes)
{
    (void)remove(home_path(name));
    FILE *file = fopen(home_path(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
}

static inline void home_write_pem(const char *name, const char *label, struct span der)
{
    struct buf pem = BUF_INIT;
    CHECK_OK(pem_encode(label, der, &pem, &err), &err);
    home_write(name, buf_span(&pem));
    buf_fini(&pem);
}

static inline void home_write_key(const char *name, const struct private_key *key)
{
    (void)remove(home_path(name));
    CHECK_OK(private_key_write(key, home_path(name), &err), &err);
}

static inline void home_append_card(const struct pki_state *state, struct buf *append_to)
{
    struct card card = { .realm = state->realm, .code = state->code, .name = "A State" };
    CHECK_OK(buf_append(&card.anchor, buf_span(&state->anchor), &err), &err);
    for (int i = 0; i < ROLE_COUNT; i++)
        CHECK_OK(buf_append(&card.roles[i], buf_span(&state->roles[i]), &err), &err);
    CHECK_OK(card_encode(&card, append_to, &err), &err);
    card_fini(&card);
}

static inline void home_write_card(const struct pki_state *state)
{
    struct buf text = BUF_INIT;
    home_append_card(state, &text);
    home_write("card.pem", buf_span(&text));
    buf_fini(&text);
}

/* All files of the State's identity, right ones. */
static inline void home_write_identity(const struct pki_state *state)
{
    char name[32];
    home_write_pem("anchor.crt", PEM_CERTIFICATE, buf_span(&state->anchor));
    home_write_pem("crl.pem", PEM_CRL, buf_span(&state->crl));
    for (int i = 0; i < ROLE_COUNT; i++) {
        (void)snprintf(name, sizeof(name), "%s.crt", role_name((enum role)i));
        home_write_pem(name, PEM_CERTIFICATE, buf_span(&state->roles[i]));
        (void)snprintf(name, sizeof(name), "%s.key", role_name((enum role)i));
        home_write_key(name, state->keys[i]);
    }
    (void)remove(home_path("log.old.key"));
    (void)remove(home_path("receipt.old.key"));
    home_write_card(state);
}

static inline int home_make(void)
{
    struct sha256 *sha = NULL; /* the thread's own lives on */
    (void)snprintf(home, sizeof(home), "/tmp/comity-node-XXXXXX");
    return mkdtemp(home) != NULL && sha256_thread(&sha, &err) == OK ? 0 : -1;
}

static inline int home_remove(void)
{
    DIR *directory = opendir(home);
    const struct dirent *entry = NULL;
    while (directory != NULL && (entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.')
            (void)remove(home_path(entry->d_name));
    if (directory != NULL)
        (void)closedir(directory);
    return rmdir(home);
}

#endif
