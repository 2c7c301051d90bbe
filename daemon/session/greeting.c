#include "session/greeting.h"

#include "base/cursor.h"

#include <string.h>

enum { ROLE_OF_INITIATOR = 1, ROLE_OF_RESPONDER = 2 };

static void put_part(struct writer *w, struct span part)
{
    writer_u32(w, (uint32_t)part.size);
    writer_bytes(w, part);
}

/* PROTOCOL 5.3: "The binding is, each part with its length in front as a 4-byte integer" */
static enum status bind(const struct session_config *config,
                        const struct hello *hello,
                        const struct code *hearer,
                        bool speaker_dialled,
                        struct buf *binding,
                        struct error *err)
{
    struct writer w = writer_init(binding);
    put_part(&w, SPAN_LITERAL("comity.v1/hello"));
    put_part(&w, SPAN_ARRAY(config->exporter));
    writer_u32(&w, 1);
    writer_u8(&w, speaker_dialled ? ROLE_OF_INITIATOR : ROLE_OF_RESPONDER);
    put_part(&w, span_text(hello->realm.text));
    put_part(&w, span_text(hello->code.text));
    put_part(&w, span_text(hearer->text));
    writer_u32(&w, 4);
    writer_u32(&w, hello->version);
    put_part(&w, SPAN_ARRAY(hello->boot_id));
    writer_u32(&w, (uint32_t)(4 * hello->feature_count));
    for (size_t i = 0; i < hello->feature_count; i++)
        writer_u32(&w, hello->features[i]);
    return writer_done(&w, "binding of the Hello", err);
}

enum status greeting_encode(const struct session_config *config,
                            struct heads *own_heads,
                            struct buf *frame,
                            struct error *err)
{
    struct hello hello = {
        .version = PROTOCOL_VERSION,
        .realm = config->realm,
        .code = config->self,
        .feature_count = config->feature_count,
        .heads = heads_move(own_heads),
    };
    memcpy(hello.boot_id, config->boot_id, sizeof hello.boot_id);
    memcpy(hello.features, config->features, sizeof hello.features);
    struct buf binding = BUF_INIT;
    enum status status = bind(config, &hello, &config->peer, config->initiator, &binding, err);
    if (status == OK)
        status = config->auth_sign(config->auth, buf_span(&binding), &hello.signature, err);
    if (status == OK)
        status = codec_encode_hello(&hello, frame, err);
    buf_fini(&binding);
    *own_heads = heads_move(&hello.heads);
    hello_fini(&hello);
    return status;
}

static enum status check_names(const struct session_config *config,
                               const struct hello *hello,
                               struct error *err)
{
    if (hello->version != PROTOCOL_VERSION)
        return error_set(err, ERR_UNSUPPORTED, "version %u of the protocol, must be %d",
                         (unsigned)hello->version, PROTOCOL_VERSION);
    if (strcmp(hello->realm.text, config->realm.text) != 0)
        return error_set(err, ERR_DENIED, "realm %s, this node belongs to %s", hello->realm.text,
                         config->realm.text);
    if (!code_equal(&hello->code, &config->peer))
        return error_set(err, ERR_SIGNATURE, "code %s, but its certificate names %s",
                         hello->code.text, config->peer.text);
    if (code_equal(&hello->code, &config->self))
        return error_set(err, ERR_SIGNATURE, "code %s is this node's own", hello->code.text);
    return OK;
}

enum status greeting_check(const struct session_config *config,
                           const struct hello *hello,
                           struct error *err)
{
    enum status status = check_names(config, hello, err);
    if (status != OK)
        return status;
    struct buf binding = BUF_INIT;
    status = bind(config, hello, &config->self, !config->initiator, &binding, err);
    if (status == OK)
        status =
            config->auth_verify(config->auth, buf_span(&binding), buf_span(&hello->signature), err);
    buf_fini(&binding);
    return status;
}
