#include "crypto/trust.h"

#include "base/limits.h"
#include "base/memory.h"
#include "crypto/crl.h"

#include <string.h>

struct member {
    struct code code;
    struct certificate *anchor;
    struct crl *crl; /* NULL: none known */
    bool blocked;
};

struct trust {
    struct realm realm;
    struct code self;
    struct member *members;
    size_t count;
};

static const struct member *find(const struct trust *trust, const struct code *code)
{
    for (size_t i = 0; i < trust->count; i++)
        if (code_equal(&trust->members[i].code, code))
            return &trust->members[i];
    return NULL;
}

/* The date is not looked at here: an anchor that has expired must not take the others with it. */
static enum status check_member(const struct trust *trust,
                                const struct member *member,
                                struct error *err)
{
    struct error reason = ERROR_INIT;
    int64_t any_ms = certificate_facts(member->anchor).not_before_ms;
    enum verdict verdict =
        certificate_check_anchor(member->anchor, &trust->realm, &member->code, any_ms, &reason);
    if (verdict != VERDICT_GOOD)
        return error_set(err, verdict_status(verdict), "%s", reason.text);
    if (code_equal(&member->code, &trust->self))
        return error_set(err, ERR_INVALID, "a node is not a peer of its own");
    return member->crl == NULL ? OK : crl_check(member->crl, member->anchor, err);
}

static enum status add(struct trust *trust, const struct trust_node *node, struct error *err)
{
    if (find(trust, &node->code) != NULL)
        return error_set(err, ERR_EXISTS, "it is there twice");
    struct member *member = &trust->members[trust->count++]; /* trust_free() sees it from now on */
    member->code = node->code;
    member->blocked = node->blocked;
    enum status status = certificate_parse(node->anchor, &member->anchor, err);
    if (status == OK && node->crl.size > 0)
        status = crl_parse(node->crl, &member->crl, err);
    return status == OK ? check_member(trust, member, err) : status;
}

enum status trust_new(const struct realm *realm,
                      const struct code *self,
                      const struct trust_node *nodes,
                      size_t count,
                      struct trust **ret_trust,
                      struct error *err)
{
    if (count > PEERS_MAX)
        return error_set(err, ERR_LIMIT, "%zu peers are more than %d", count, PEERS_MAX);
    struct trust *trust = mem_calloc(1, sizeof(*trust));
    if (trust == NULL)
        return error_set(err, ERR_MEMORY, "no memory for the accepted anchors");
    trust->realm = *realm;
    trust->self = *self;
    enum status status = OK;
    if (count > 0 && (trust->members = mem_calloc(count, sizeof(*trust->members))) == NULL)
        status = error_set(err, ERR_MEMORY, "no memory for %zu accepted anchors", count);
    for (size_t i = 0; status == OK && i < count; i++) {
        status = add(trust, &nodes[i], err);
        if (status != OK)
            error_prefix(err, "accepted anchor of %s", nodes[i].code.text);
    }
    if (status != OK) {
        trust_free(trust);
        return status;
    }
    *ret_trust = trust;
    return OK;
}

void trust_free(struct trust *trust)
{
    if (trust == NULL)
        return;
    for (size_t i = 0; i < trust->count; i++) {
        certificate_free(trust->members[i].anchor);
        crl_free(trust->members[i].crl);
    }
    mem_free(trust->members);
    mem_free(trust);
}

static enum verdict judge(const struct trust *trust,
                          const struct certificate *certificate,
                          enum role role,
                          int64_t now_ms,
                          struct error *reason)
{
    enum verdict verdict =
        certificate_check_profile(certificate, &trust->realm, role, now_ms, reason);
    if (verdict != VERDICT_GOOD)
        return verdict;
    struct code code = certificate_facts(certificate).code;
    if (code_equal(&code, &trust->self))
        return verdict_set(VERDICT_OWN_CODE, reason,
                           "the other end claims to be %s, and that is this node", code.text);
    const struct member *member = find(trust, &code);
    if (member == NULL) {
        return verdict_set(VERDICT_UNKNOWN_NODE, reason,
                           "%s is not an accepted peer; next: obtain its card, compare the "
                           "fingerprint, then comityctl peer add and peer accept",
                           code.text);
    }
    struct certificate_rule rule = {
        trust->realm, code, role, member->anchor, member->crl, now_ms, WHEN_NOW,
    };
    verdict = certificate_verify(certificate, &rule, reason);
    if (verdict_allows(verdict) && member->blocked)
        return verdict_set(VERDICT_BLOCKED, reason, "%s is blocked here by an operator", code.text);
    return verdict;
}

void trust_judge(const struct trust *trust,
                 struct span certificate_der,
                 enum role role,
                 int64_t now_ms,
                 struct trust_answer *ret_answer)
{
    struct certificate *certificate = NULL;
    *ret_answer = (struct trust_answer){ .verdict = VERDICT_MALFORMED };
    enum status status = certificate_parse(certificate_der, &certificate, &ret_answer->reason);
    if (status != OK)
        return;
    struct certificate_facts facts = certificate_facts(certificate);
    ret_answer->named = facts.identities == 1;
    ret_answer->code = facts.code;
    ret_answer->verdict = judge(trust, certificate, role, now_ms, &ret_answer->reason);
    certificate_free(certificate);
}
