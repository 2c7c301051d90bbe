/* The credential `comity-root`: 32 bytes that seal root.slot and keys.bundle, kept by systemd.
 *
 * systemd decrypts it into $CREDENTIALS_DIRECTORY (LoadCredentialEncrypted=, with a TPM where there
 * is one), which only this service can read.  Without that file the root key is guarded by the
 * rights of the files alone; a root that a credential has sealed opens with no other one.
 */
#ifndef COMITY_NODE_CREDENTIAL_H
#define COMITY_NODE_CREDENTIAL_H

#include "crypto/seal.h"

#define CREDENTIAL_NAME "comity-root"

struct credential {
    bool present;
    struct seal_key key; /* wipe: credential_fini() */
};

/* From $CREDENTIALS_DIRECTORY/comity-root; OK and not present when there is no such file.  ERR_IO:
 * it cannot be read; ERR_INVALID: it has not 32 bytes, or all of them are the same. */
MUST_CHECK enum status credential_read(struct credential *ret_credential, struct error *err);
/* For store_options; NULL when there is none.  Borrowed. */
const struct seal_key *credential_key(const struct credential *credential);
void credential_fini(struct credential *credential);

#endif
