/* Cards, PEM, certificates, revocation lists and fingerprints: all that a person may hand us. */
#include "fuzz.h"

#include "base/memory.h"
#include "crypto/card.h"
#include "crypto/digest.h"
#include "crypto/pem.h"

#include <string.h>

static void try_card(struct span text)
{
    static const struct card_rule rule = {
        { "training" }, { "GB" }, false, { NULL, 0 }, 1790000000000,
    };
    struct card card = { 0 };
    struct card_problems problems;
    struct error err = ERROR_INIT;
    struct buf again = BUF_INIT;
    if (card_decode(text, &card, &problems, &err) == OK) {
        struct card second = { 0 };
        FUZZ_REQUIRE(card_encode(&card, &again, &err) == OK || again.size == 0);
        if (again.size > 0) {
            FUZZ_REQUIRE(card_decode(buf_span(&again), &second, &problems, &err) == OK);
            FUZZ_REQUIRE(strcmp(second.name, card.name) == 0);
            FUZZ_REQUIRE(span_equal(buf_span(&second.anchor), buf_span(&card.anchor)));
        }
        card_fini(&second);
        card_fini(&card);
    } else {
        FUZZ_REQUIRE(problems.count > 0);
    }
    if (card_read(text, &rule, &card, &problems, &err) == OK)
        card_fini(&card);
    buf_fini(&again);
}

static void try_der(struct span der)
{
    struct certificate *certificate = NULL;
    struct crl *crl = NULL;
    struct error err = ERROR_INIT;
    if (crl_parse(der, &crl, &err) == OK)
        FUZZ_REQUIRE(crl_check_newer(crl, crl, &err) == OK);
    crl_free(crl);
    if (certificate_parse(der, &certificate, &err) != OK)
        return;
    struct certificate_facts facts = certificate_facts(certificate);
    struct certificate_rule rule = { facts.realm, facts.code,          facts.role, certificate,
                                     NULL,        facts.not_before_ms, WHEN_NOW };
    FUZZ_REQUIRE(span_equal(certificate_der(certificate), der));
    (void)!certificate_verify(certificate, &rule, &err);
    (void)!certificate_check_anchor(certificate, &facts.realm, &facts.code, facts.not_before_ms,
                                    &err);
    certificate_free(certificate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_of(data, size);
    struct buf der = BUF_INIT;
    char line[128];
    struct fingerprint fingerprint;
    struct sha256 *sha = NULL; /* the thread's digest context is made once and stays */
    FUZZ_REQUIRE(sha256_thread(&sha, NULL) == OK);
    int64_t live = mem_live();
    try_card(text);
    try_der(text);
    if (pem_decode(PEM_CERTIFICATE, text, &der, NULL) == OK)
        try_der(buf_span(&der));
    if (pem_decode(PEM_CRL, text, &der, NULL) == OK)
        try_der(buf_span(&der));
    buf_fini(&der);
    size_t used = size < sizeof(line) - 1 ? size : sizeof(line) - 1;
    memcpy(line, data, used);
    line[used] = '\0';
    if (fingerprint_parse(line, &fingerprint, NULL) == OK)
        FUZZ_REQUIRE(fingerprint_equal(&fingerprint, &fingerprint));
    FUZZ_REQUIRE(mem_live() == live);
    return 0;
}
