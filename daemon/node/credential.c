#include "node/credential.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 512 };

/* A file of zeros is what a broken script leaves, and no secret. */
static bool is_one_byte_repeated(const uint8_t *bytes, size_t size)
{
    for (size_t i = 1; i < size; i++)
        if (bytes[i] != bytes[0])
            return false;
    return true;
}

static enum status judge(const char *path, const uint8_t *bytes, ssize_t size, struct error *err)
{
    if (size < 0)
        return error_set(err, ERR_IO, "%s: %s; next: look at LoadCredentialEncrypted= of the unit",
                         path, strerror(errno));
    if (size != SEAL_KEY_SIZE) {
        return error_set(err, ERR_INVALID,
                         "%s has %s than %d bytes; next: make the credential anew from 32 random "
                         "bytes (docs/CONFIGURATION.md), or put back the one that sealed root.slot",
                         path, size < SEAL_KEY_SIZE ? "less" : "more", SEAL_KEY_SIZE);
    }
    if (is_one_byte_repeated(bytes, SEAL_KEY_SIZE)) {
        return error_set(err, ERR_INVALID,
                         "%s is one byte repeated and no secret; next: make the credential anew "
                         "from 32 random bytes (docs/CONFIGURATION.md)",
                         path);
    }
    return OK;
}

enum status credential_read(struct credential *ret_credential, struct error *err)
{
    char path[PATH_SIZE];
    *ret_credential = (struct credential){ .present = false };
    const char *directory = secure_getenv("CREDENTIALS_DIRECTORY");
    if (directory == NULL || directory[0] == '\0')
        return OK;
    int size = snprintf(path, sizeof(path), "%s/%s", directory, CREDENTIAL_NAME);
    if (size < 0 || (size_t)size >= sizeof(path))
        return error_set(err, ERR_LIMIT, "$CREDENTIALS_DIRECTORY is longer than %d bytes",
                         PATH_SIZE);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && errno == ENOENT)
        return OK;
    uint8_t bytes[SEAL_KEY_SIZE + 1];
    ssize_t got = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
    enum status status = judge(path, bytes, got, err);
    if (status == OK) {
        memcpy(ret_credential->key.bytes, bytes, SEAL_KEY_SIZE);
        ret_credential->present = true;
    }
    mem_wipe(bytes, sizeof(bytes));
    if (fd >= 0)
        (void)close(fd);
    return status;
}

const struct seal_key *credential_key(const struct credential *credential)
{
    return credential->present ? &credential->key : NULL;
}

void credential_fini(struct credential *credential)
{
    mem_wipe(credential, sizeof(*credential));
}
