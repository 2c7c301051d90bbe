#include "support/tls_link.h"

#include "support/check.h"

struct trust *tls_link_trust(const struct pki_state *self, const struct pki_state *peer)
{
    struct error err = ERROR_INIT;
    struct trust *trust = NULL;
    struct trust_node node = { 0 };
    if (peer != NULL)
        node =
            (struct trust_node){ peer->code, buf_span(&peer->anchor), buf_span(&peer->crl), false };
    CHECK_OK(trust_new(&self->realm, &self->code, &node, peer != NULL, &trust, &err), &err);
    return trust;
}

struct tls_context *tls_link_context(const struct pki_state *self,
                                     const struct pki_state *peer,
                                     struct clock *clock)
{
    struct error err = ERROR_INIT;
    struct tls_context *context = NULL;
    struct tls_identity identity = { buf_span(&self->roles[ROLE_TLS]), self->keys[ROLE_TLS] };
    CHECK_OK(tls_context_new(&identity, tls_link_trust(self, peer), clock, &context, &err), &err);
    return context;
}

void tls_link_open(struct tls_link *link, const struct code *expected)
{
    struct error err = ERROR_INIT;
    CHECK_OK(tls_new(link->contexts[TLS_SERVER], TLS_SERVER, NULL, &link->ends[TLS_SERVER], &err),
             &err);
    CHECK_OK(
        tls_new(link->contexts[TLS_CLIENT], TLS_CLIENT, expected, &link->ends[TLS_CLIENT], &err),
        &err);
}

bool tls_link_carry(struct tls *from, struct tls *to, struct buf *got)
{
    uint8_t room[4096];
    size_t size = 1;
    struct buf bytes = tls_pull(from);
    bool any = bytes.size > 0;
    enum status status = any ? tls_receive(to, buf_span(&bytes), NULL) : OK;
    while (any && status == OK && size > 0) {
        size = 0;
        status = tls_read(to, room, sizeof(room), &size, NULL);
        if (got != NULL)
            assert_int_equal(buf_append(got, span_of(room, size), NULL), OK);
    }
    buf_fini(&bytes);
    return any;
}

void tls_link_shake(struct tls_link *link)
{
    struct tls *client = link->ends[TLS_CLIENT];
    struct tls *server = link->ends[TLS_SERVER];
    bool moved = true;
    while (moved) {
        moved = tls_link_carry(client, server, NULL);
        moved = tls_link_carry(server, client, NULL) || moved;
    }
}

void tls_link_close(struct tls_link *link)
{
    for (int i = 0; i < 2; i++) {
        tls_free(link->ends[i]);
        tls_context_free(link->contexts[i]);
    }
    *link = (struct tls_link){ 0 };
}
