#include "crypto/card.h"

#include "crypto/pem.h"

#include <stdio.h>
#include <string.h>

static const char *slot_name(unsigned slot)
{
    return slot == ROLE_COUNT ? "anchor" : role_name((enum role)slot);
}

void card_fini(struct card *card)
{
    if (card == NULL)
        return;
    buf_fini(&card->anchor);
    for (unsigned i = 0; i < ROLE_COUNT; i++)
        buf_fini(&card->roles[i]);
    buf_fini(&card->crl);
}

enum status card_encode(const struct card *card, struct buf *append_to, struct error *err)
{
    struct buf text = BUF_INIT;
    enum status status = card_check_name(card->name, err);
    if (status == OK && card->address[0] != '\0')
        status = card_check_address(card->address, err);
    if (status == OK) {
        status = buf_printf(&text, err,
                            "Comity-Card: 1\nComity-Realm: %s\nComity-Code: %s\nComity-Name: %s\n"
                            "Comity-Address: %s\n\n",
                            card->realm.text, card->code.text, card->name, card->address);
    }
    if (status == OK)
        status = pem_encode(PEM_CERTIFICATE, buf_span(&card->anchor), &text, err);
    for (unsigned i = 0; status == OK && i < ROLE_COUNT; i++)
        status = pem_encode(PEM_CERTIFICATE, buf_span(&card->roles[i]), &text, err);
    if (status == OK && card->crl.size > 0)
        status = pem_encode(PEM_CRL, buf_span(&card->crl), &text, err);
    if (status == OK && text.size > CARD_MAX)
        status = error_set(err, ERR_LIMIT, "the card would have %zu bytes, more than %d", text.size,
                           CARD_MAX);
    if (status == OK)
        status = buf_append(append_to, buf_span(&text), err);
    buf_fini(&text);
    return status;
}

/* Reading: one pass over the lines, every problem noted with its line. */

enum field { FIELD_CARD, FIELD_REALM, FIELD_CODE, FIELD_NAME, FIELD_ADDRESS, FIELD_COUNT };
static const char *const field_names[FIELD_COUNT] = { "Comity-Card", "Comity-Realm", "Comity-Code",
                                                      "Comity-Name", "Comity-Address" };

struct reading {
    struct span whole;
    struct span rest;
    struct card card;
    struct card_problems *problems;
    bool out_of_memory;
    bool seen[FIELD_COUNT];
};

static void note(struct card_problems *problems, const struct error *problem)
{
    if (problems->count < CARD_PROBLEMS_MAX)
        problems->items[problems->count++] = *problem;
}

/* The number of the line that was read last. */
static unsigned line_number(const struct reading *r)
{
    size_t end = r->whole.size - r->rest.size;
    unsigned number = 0;
    for (size_t i = 0; i < end; i++)
        number += r->whole.data[i] == '\n';
    return number + (end > 0 && r->whole.data[end - 1] != '\n');
}

static void note_line(struct reading *r, unsigned line, struct error *problem)
{
    r->out_of_memory = r->out_of_memory || problem->status == ERR_MEMORY;
    error_prefix(problem, "line %u", line);
    note(r->problems, problem);
}

static enum status take_value(struct reading *r,
                              enum field field,
                              const char *value,
                              struct error *err)
{
    struct card *card = &r->card;
    switch (field) {
    case FIELD_CARD:
        return strcmp(value, "1") == 0
                   ? OK
                   : error_set(err, ERR_UNSUPPORTED,
                               "card format '%.20s' is not known; this version reads 1", value);
    case FIELD_REALM:
        return realm_parse(value, &card->realm, err);
    case FIELD_CODE:
        return code_parse(value, &card->code, err);
    case FIELD_NAME:
        (void)snprintf(card->name, sizeof(card->name), "%s", value);
        return card_check_name(value, err);
    case FIELD_ADDRESS:
        (void)snprintf(card->address, sizeof(card->address), "%s", value);
        return value[0] == '\0' ? OK : card_check_address(value, err);
    case FIELD_COUNT:
        break;
    }
    return error_set(err, ERR_INTERNAL, "no such field");
}

static enum status take_header(struct reading *r, struct span line, struct error *err)
{
    char text[ADDRESS_MAX + 32];
    if (line.size >= sizeof(text) || memchr(line.data, '\0', line.size) != NULL)
        return error_set(err, ERR_INVALID, "a header line is too long or holds a NUL");
    memcpy(text, line.data, line.size);
    text[line.size] = '\0';
    char *colon = strchr(text, ':');
    if (colon == NULL)
        return error_set(err, ERR_INVALID, "'%.40s' is neither a header nor PEM", text);
    *colon = '\0';
    const char *value = colon + 1;
    value += *value == ' ';
    for (unsigned field = 0; field < FIELD_COUNT; field++) {
        if (strcmp(text, field_names[field]) != 0)
            continue;
        if (r->seen[field])
            return error_set(err, ERR_INVALID, "%s is there twice", text);
        r->seen[field] = true;
        return take_value(r, (enum field)field, value, err);
    }
    return error_set(err, ERR_INVALID, "'%.40s' is not a header of a card", text);
}

static enum status take_certificate(struct reading *r, struct buf *der, struct error *err)
{
    struct certificate *certificate = NULL;
    enum status status = certificate_parse(buf_span(der), &certificate, err);
    if (status != OK)
        return status;
    struct certificate_facts facts = certificate_facts(certificate);
    certificate_free(certificate);
    if (facts.identities != 1) {
        return error_set(err, ERR_INVALID,
                         "the certificate with serial %s has %u urn:comity URIs; exactly one is "
                         "allowed",
                         facts.serial, facts.identities);
    }
    unsigned slot = facts.anchor ? (unsigned)ROLE_COUNT : (unsigned)facts.role;
    struct buf *to = facts.anchor ? &r->card.anchor : &r->card.roles[slot];
    if (to->size > 0)
        return error_set(err, ERR_INVALID, "a second %s certificate", slot_name(slot));
    *to = buf_move(der);
    return OK;
}

static enum status take_block(struct reading *r, struct span begin, struct error *err)
{
    char label[PEM_LABEL_MAX + 1];
    struct buf der = BUF_INIT;
    enum status status = pem_block(begin, &r->rest, label, &der, err);
    if (status == OK && strcmp(label, PEM_CERTIFICATE) == 0)
        status = take_certificate(r, &der, err);
    else if (status == OK && strcmp(label, PEM_CRL) != 0) {
        status = error_set(err, ERR_INVALID, "a %s block does not belong in a card%s", label,
                           strstr(label, "PRIVATE") == NULL
                               ? ""
                               : "; next: treat that private key as lost, and make a new one");
    } else if (status == OK && r->card.crl.size > 0) {
        status = error_set(err, ERR_INVALID, "a second revocation list");
    } else if (status == OK) {
        r->card.crl = buf_move(&der);
    }
    buf_fini(&der);
    return status;
}

static void read_lines(struct reading *r)
{
    struct span line;
    bool in_blocks = false;
    while (pem_line(&r->rest, &line)) {
        unsigned number = line_number(r);
        struct error problem = ERROR_INIT;
        enum status status = OK;
        in_blocks = in_blocks || line.size == 0 || pem_is_begin(line);
        if (pem_is_begin(line))
            status = take_block(r, line, &problem);
        else if (!in_blocks)
            status = take_header(r, line, &problem);
        else if (line.size > 0)
            status = error_set(&problem, ERR_INVALID,
                               "text outside of the PEM blocks; nothing else belongs there");
        if (status != OK)
            note_line(r, number, &problem);
    }
}

static void note_missing(struct reading *r)
{
    struct error problem = ERROR_INIT;
    for (unsigned field = 0; field < FIELD_ADDRESS; field++) {
        if (r->seen[field])
            continue;
        error_set(&problem, ERR_INVALID, "the header %s is missing", field_names[field]);
        note(r->problems, &problem);
    }
    for (unsigned slot = 0; slot <= ROLE_COUNT; slot++) {
        const struct buf *der = slot == ROLE_COUNT ? &r->card.anchor : &r->card.roles[slot];
        if (der->size > 0)
            continue;
        error_set(&problem, ERR_INVALID, "the %s certificate is missing", slot_name(slot));
        note(r->problems, &problem);
    }
}

/* Leaves in *ret_card whatever could be read, so that the checks can go on. */
static void decode(struct span text, struct card *ret_card, struct card_problems *problems)
{
    struct reading r = { .whole = text, .rest = text, .problems = problems };
    struct error problem = ERROR_INIT;
    if (text.size > CARD_MAX) {
        error_set(&problem, ERR_LIMIT, "%zu bytes are more than %d", text.size, CARD_MAX);
        note(problems, &problem);
        return;
    }
    read_lines(&r);
    if (!r.out_of_memory)
        note_missing(&r);
    *ret_card = r.card;
}

/* Checking what was read. */

static void note_verdict(struct card_problems *problems,
                         enum verdict verdict,
                         const struct error *reason)
{
    if (!verdict_allows(verdict))
        note(problems, reason);
}

static void check_claims(const struct card *card,
                         const struct card_rule *rule,
                         struct card_problems *problems)
{
    struct error problem = ERROR_INIT;
    if (strcmp(card->realm.text, rule->realm.text) != 0) {
        error_set(&problem, ERR_DENIED,
                  "this card is of the realm '%s'; this node is of '%s', and realms never connect",
                  card->realm.text, rule->realm.text);
        note(problems, &problem);
    }
    if (!rule->accept_self && code_equal(&card->code, &rule->self)) {
        error_set(&problem, ERR_DENIED, "this is a card of %s, which is this node itself",
                  card->code.text);
        note(problems, &problem);
    }
    if (rule->known_anchor.size > 0 && !span_equal(rule->known_anchor, buf_span(&card->anchor))) {
        error_set(&problem, ERR_CONFLICT,
                  "%s is known here with another anchor; next: ask %s over a channel that you "
                  "trust; if its anchor has really changed, comityctl peer forget %s, then add the "
                  "card again",
                  card->code.text, card->code.text, card->code.text);
        note(problems, &problem);
    }
}

static void check_distinct(struct certificate *const *parsed, struct card_problems *problems)
{
    struct error problem = ERROR_INIT;
    for (unsigned i = 0; i <= ROLE_COUNT; i++) {
        for (unsigned j = 0; j < i; j++) {
            struct digest a = certificate_facts(parsed[i]).key;
            struct digest b = certificate_facts(parsed[j]).key;
            if (!digest_equal(&a, &b))
                continue;
            error_set(&problem, ERR_DENIED,
                      "the %s and the %s certificate have the same key; one key makes one kind of "
                      "statement",
                      slot_name(j), slot_name(i));
            note(problems, &problem);
        }
    }
}

static void check_certificates(const struct card *card,
                               const struct card_rule *rule,
                               struct card_problems *problems)
{
    struct certificate *parsed[ROLE_COUNT + 1] = { NULL };
    struct crl *crl = NULL;
    struct error problem = ERROR_INIT;
    enum status status = OK;
    for (unsigned i = 0; status == OK && i <= ROLE_COUNT; i++) {
        const struct buf *der = i == ROLE_COUNT ? &card->anchor : &card->roles[i];
        status = certificate_parse(buf_span(der), &parsed[i], &problem);
    }
    const struct certificate *anchor = parsed[ROLE_COUNT];
    if (status == OK && card->crl.size > 0)
        status = crl_parse(buf_span(&card->crl), &crl, &problem);
    if (status != OK) {
        note(problems, &problem);
        goto out;
    }
    enum verdict verdict =
        certificate_check_anchor(anchor, &card->realm, &card->code, rule->now_ms, &problem);
    note_verdict(problems, verdict, &problem);
    if (crl != NULL && crl_check(crl, anchor, &problem) != OK) {
        note(problems, &problem);
        crl_free(crl); /* said once, not again for each certificate */
        crl = NULL;
    }
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        struct certificate_rule each = { .realm = card->realm,
                                         .code = card->code,
                                         .role = (enum role)i,
                                         .anchor = anchor,
                                         .crl = crl,
                                         .now_ms = rule->now_ms };
        verdict = certificate_verify(parsed[i], &each, &problem);
        note_verdict(problems, verdict, &problem);
    }
    check_distinct(parsed, problems);
out:
    for (unsigned i = 0; i <= ROLE_COUNT; i++)
        certificate_free(parsed[i]);
    crl_free(crl);
}

static enum status finish(struct card *card,
                          const struct card_problems *problems,
                          struct card *ret_card,
                          struct error *err)
{
    if (problems->count == 0) {
        *ret_card = *card;
        return OK;
    }
    card_fini(card);
    const struct error *first = &problems->items[0];
    if (problems->count == 1)
        return error_set(err, first->status, "card: %s", first->text);
    return error_set(err, first->status, "card: %zu problems, the first: %s", problems->count,
                     first->text);
}

enum status card_read(struct span text,
                      const struct card_rule *rule,
                      struct card *ret_card,
                      struct card_problems *problems,
                      struct error *err)
{
    struct card_problems own;
    problems = problems == NULL ? &own : problems;
    problems->count = 0;
    struct card card = { 0 };
    decode(text, &card, problems);
    if (problems->count == 0 || (card.code.text[0] != '\0' && card.realm.text[0] != '\0'))
        check_claims(&card, rule, problems);
    bool whole = card.anchor.size > 0;
    for (unsigned i = 0; i < ROLE_COUNT; i++)
        whole = whole && card.roles[i].size > 0;
    if (whole && card.code.text[0] != '\0' && card.realm.text[0] != '\0')
        check_certificates(&card, rule, problems);
    return finish(&card, problems, ret_card, err);
}

enum status card_decode(struct span text,
                        struct card *ret_card,
                        struct card_problems *problems,
                        struct error *err)
{
    struct card_problems own;
    problems = problems == NULL ? &own : problems;
    problems->count = 0;
    struct card card = { 0 };
    decode(text, &card, problems);
    return finish(&card, problems, ret_card, err);
}

enum status card_check_signed(
    const struct card *card, enum role role, int64_t then_ms, bool vouched, struct error *err)
{
    struct certificate *anchor = NULL;
    struct certificate *certificate = NULL;
    struct crl *crl = NULL;
    struct error reason = ERROR_INIT;
    enum status status = certificate_parse(buf_span(&card->anchor), &anchor, err);
    if (status == OK)
        status = certificate_parse(buf_span(&card->roles[role]), &certificate, err);
    if (status == OK && card->crl.size > 0)
        status = crl_parse(buf_span(&card->crl), &crl, err);
    if (status == OK) {
        struct certificate_rule rule = { .realm = card->realm,
                                         .code = card->code,
                                         .role = role,
                                         .anchor = anchor,
                                         .crl = crl,
                                         .now_ms = then_ms,
                                         .when = !vouched           ? WHEN_CLAIMED
                                                 : role == ROLE_LOG ? WHEN_COSIGNED
                                                                    : WHEN_SIGNED };
        /* Its own date is looked at below, for then. */
        enum verdict verdict = certificate_check_anchor(
            anchor, &card->realm, &card->code, certificate_facts(anchor).not_before_ms, &reason);
        if (verdict_allows(verdict))
            verdict = certificate_verify(certificate, &rule, &reason);
        if (!verdict_allows(verdict))
            status = error_set(err, verdict_status(verdict), "%s", reason.text);
    }
    certificate_free(anchor);
    certificate_free(certificate);
    crl_free(crl);
    return status;
}

/* -- several in one file ----------------------------------------------------------------------- */

struct span card_next(struct span *rest)
{
    static const char begin[] = "\nComity-Card:";
    size_t size = sizeof(begin) - 1;
    struct span text = *rest;
    size_t end = text.size;
    for (size_t i = 0; i + size <= text.size; i++) {
        if (memcmp(text.data + i, begin, size) == 0) {
            end = i + 1;
            break;
        }
    }
    *rest = span_slice(text, end, text.size);
    return span_slice(text, 0, end);
}
