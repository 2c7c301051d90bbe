#include "control/operation.h"

#include "base/limits.h"

#include <string.h>

enum { ALARM_NUMBER_MAX = INT32_MAX };

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* -- words that people choose from (the same as in record/catalogue.h and consent/terms.h, which
 * this layer does not know; a test of admin compares them) --------------------------------------
 */

static const char *const kinds[] = {
    "answer",    "legislation",     "measure",      "good-practice", "lesson-learned",
    "challenge", "assistance-need", "case-example", "observation",   "reason-for-non-use",
    NULL,
};
static const char *const instruments[] = { "UNTOC", "TIP", "SOM", "FA", NULL };
static const char *const clusters[] = { "I", "II", "III", "IV", NULL };
static const char *const classes[] = { "public", "internal", "restricted", "confidential", NULL };
static const char *const purposes[] = { "peer-review", "aggregate",   "technical-assistance",
                                        "cooperation", "publication", NULL };
static const char *const attributions[] = { "unnamed", "named", NULL };
static const char *const onwards[] = { "none", "public", NULL };
static const char *const consent_states[] = { "draft",   "proposed", "active",     "suspended",
                                              "revoked", "expired",  "superseded", NULL };
static const char *const peer_states[] = { "pending", "added",     "accepted",
                                           "blocked", "forgotten", NULL };

/* -- arguments that come in several places ----------------------------------------------------- */

#define PEER                                                                      \
    {                                                                             \
        .name = "peer", .kind = ARGUMENT_CODE, .required = true, .shown = "PEER", \
        .help = "code of the other node, for example UNODC"                       \
    }
#define RECORD                                                                      \
    {                                                                               \
        .name = "record", .kind = ARGUMENT_ID, .required = true, .shown = "RECORD", \
        .help = "id of the record, or its first digits"                             \
    }
#define CONSENT                                                                       \
    {                                                                                 \
        .name = "consent", .kind = ARGUMENT_ID, .required = true, .shown = "CONSENT", \
        .help = "id of the consent, or its first digits"                              \
    }
/* Kept in the history of what it is about. */
#define REASON_KEPT                                                                  \
    {                                                                                \
        .name = "reason", .kind = ARGUMENT_TEXT, .required = true, .max = TITLE_MAX, \
        .help = "why, in a sentence; it is kept in the history"                      \
    }
#define REASON_JOURNALLED(is_required)                                                        \
    {                                                                                         \
        .name = "reason", .kind = ARGUMENT_TEXT, .required = (is_required), .max = TITLE_MAX, \
        .journalled = true,                                                                   \
        .help = "why, in a sentence that stands in the journal: no text of records"           \
    }
#define FILES(what)                                                                  \
    {                                                                                \
        .name = "file", .kind = ARGUMENT_FILE, .required = true, .repeatable = true, \
        .shown = "FILE", .help = (what)                                              \
    }

/* -- the node ---------------------------------------------------------------------------------- */

static const struct argument_rule peer_only[] = { PEER };
static const struct argument_rule record_only[] = { RECORD };
static const struct argument_rule consent_only[] = { CONSENT };
static const struct argument_rule peer_reason[] = { PEER, REASON_JOURNALLED(false) };

static const struct argument_rule alarm_list[] = {
    { .name = "all", .kind = ARGUMENT_FLAG, .help = "those that were closed as well" },
};
static const struct argument_rule alarm_close[] = {
    { .name = "number",
      .kind = ARGUMENT_NUMBER,
      .required = true,
      .min = 1,
      .max = ALARM_NUMBER_MAX,
      .shown = "NUMBER",
      .help = "number of the alarm, as alarm list and status show it" },
    REASON_JOURNALLED(true),
};

static const struct argument_rule peer_add[] = {
    { .name = "file",
      .kind = ARGUMENT_FILE,
      .required = true,
      .shown = "FILE",
      .help = "the card that the other node handed over" },
};
static const struct argument_rule peer_accept[] = {
    PEER,
    { .name = "fingerprint",
      .kind = ARGUMENT_TEXT,
      .required = true,
      .help = "the 60 digits, as the other side read them to you" },
};
static const struct argument_rule peer_list[] = {
    { .name = "state",
      .kind = ARGUMENT_CHOICE,
      .choices = peer_states,
      .help = "only peers in this state" },
};

/* -- records ----------------------------------------------------------------------------------- */

static const struct argument_rule excerpt_add[] = {
    { .name = "kind",
      .kind = ARGUMENT_CHOICE,
      .required = true,
      .choices = kinds,
      .help = "what sort of material it is" },
    { .name = "instrument",
      .kind = ARGUMENT_CHOICE,
      .required = true,
      .choices = instruments,
      .help = "the Convention (UNTOC) or one of its Protocols" },
    { .name = "article",
      .kind = ARGUMENT_NUMBER,
      .required = true,
      .min = 1,
      .max = 99,
      .help = "number of the article" },
    { .name = "paragraph", .kind = ARGUMENT_TEXT, .help = "paragraph of the article, as 3(a)" },
    { .name = "applied-under",
      .kind = ARGUMENT_CHOICE,
      .choices = instruments,
      .help = "Protocol under which an article of the Convention applies" },
    { .name = "question", .kind = ARGUMENT_TEXT, .help = "reference in a questionnaire" },
    { .name = "cluster",
      .kind = ARGUMENT_CHOICE,
      .choices = clusters,
      .help = "thematic cluster of the review" },
    { .name = "cycle", .kind = ARGUMENT_TEXT, .help = "review cycle or phase" },
    { .name = "language",
      .kind = ARGUMENT_TEXT,
      .required = true,
      .help = "language of the text, as en or fr" },
    { .name = "title",
      .kind = ARGUMENT_TEXT,
      .required = true,
      .max = TITLE_MAX,
      .help = "one line that says what it is" },
    { .name = "text", .kind = ARGUMENT_TEXT, .max = TEXT_MAX, .help = "the text itself" },
    { .name = "text-file",
      .kind = ARGUMENT_FILE,
      .help = "a file that holds the text, instead of --text" },
    { .name = "source",
      .kind = ARGUMENT_TEXT,
      .max = TITLE_MAX,
      .help = "where it stands: law, report, address" },
    { .name = "originator",
      .kind = ARGUMENT_TEXT,
      .required = true,
      .help = "authority that wrote it" },
    { .name = "date",
      .kind = ARGUMENT_TIME,
      .required = true,
      .help = "date of the text, as 2026-03-01" },
    { .name = "confidentiality",
      .kind = ARGUMENT_CHOICE,
      .required = true,
      .choices = classes,
      .help = "the originator's own marking" },
    { .name = "national-term", .kind = ARGUMENT_TEXT, .help = "the term of national law" },
    { .name = "item", .kind = ARGUMENT_TEXT, .help = "reference that translations of it share" },
    { .name = "replaces",
      .kind = ARGUMENT_ID,
      .help = "id of the excerpt of which this is the next version" },
};
static const struct argument_rule excerpt_import[] = { FILES("CSV file, one excerpt a line") };
static const struct argument_rule excerpt_list[] = {
    { .name = "kind", .kind = ARGUMENT_CHOICE, .choices = kinds, .help = "only this kind" },
    { .name = "instrument",
      .kind = ARGUMENT_CHOICE,
      .choices = instruments,
      .help = "only this instrument" },
    { .name = "article",
      .kind = ARGUMENT_NUMBER,
      .min = 1,
      .max = 99,
      .help = "only this article" },
    { .name = "retired", .kind = ARGUMENT_FLAG, .help = "retired ones as well" },
};
static const struct argument_rule record_version[] = {
    RECORD,
    { .name = "version",
      .kind = ARGUMENT_NUMBER,
      .min = 1,
      .max = UINT32_MAX,
      .help = "an earlier version; the latest by default" },
};
static const struct argument_rule stats_import[] = {
    FILES("SDMX-CSV file"),
    { .name = "source",
      .kind = ARGUMENT_TEXT,
      .help = "authority that keeps the figures, where the file does not say" },
};
static const struct argument_rule stats_list[] = {
    { .name = "retired", .kind = ARGUMENT_FLAG, .help = "replaced and retired ones as well" },
};

/* -- consents ---------------------------------------------------------------------------------- */

static const struct argument_rule consent_draft[] = {
    { .name = "to",
      .kind = ARGUMENT_CODE,
      .required = true,
      .repeatable = true,
      .help = "code of a recipient; can be given several times" },
    { .name = "record",
      .kind = ARGUMENT_ID,
      .repeatable = true,
      .help = "id of a record, or its first digits; can be given several times" },
    { .name = "select",
      .kind = ARGUMENT_TEXT,
      .repeatable = true,
      .help = "all records that match, as 'kind=excerpt article=UNTOC:18' or 'kind=release "
              "period=2019'; the list is frozen now" },
    { .name = "purpose",
      .kind = ARGUMENT_CHOICE,
      .required = true,
      .choices = purposes,
      .help = "what the recipient may use it for" },
    { .name = "form",
      .kind = ARGUMENT_TEXT,
      .help = "form of release: exact; this version takes no other (suppressed:K, "
              "rounded and aggregate-only are refused)" },
    { .name = "attribution",
      .kind = ARGUMENT_CHOICE,
      .choices = attributions,
      .help = "whether this State may be named with it (default: unnamed)" },
    { .name = "onward",
      .kind = ARGUMENT_CHOICE,
      .choices = onwards,
      .help = "whether the recipient may pass it on (default: none)" },
    { .name = "from", .kind = ARGUMENT_TIME, .help = "first day (default: today)" },
    { .name = "until",
      .kind = ARGUMENT_TIME,
      .required = true,
      .help = "day on which it ends, as 2027-12-31" },
    { .name = "keep-until",
      .kind = ARGUMENT_TIME,
      .help = "day until which it may be kept (default: until the end)" },
    { .name = "erase-days",
      .kind = ARGUMENT_NUMBER,
      .max = 365,
      .help = "days allowed for erasing after the end (default: 7)" },
    { .name = "authority", .kind = ARGUMENT_TEXT, .required = true, .help = "who decided" },
    { .name = "reference",
      .kind = ARGUMENT_TEXT,
      .required = true,
      .help = "reference of the file or note verbale" },
    { .name = "conditions",
      .kind = ARGUMENT_TEXT,
      .max = CONDITION_MAX,
      .help = "further conditions, in words" },
};
static const struct argument_rule consent_digest[] = {
    CONSENT,
    { .name = "digest",
      .kind = ARGUMENT_DIGEST,
      .required = true,
      .help = "the digest that the preview printed" },
};
static const struct argument_rule consent_propose[] = {
    CONSENT,
    { .name = "digest",
      .kind = ARGUMENT_DIGEST,
      .help = "the digest that the preview printed; refused when another preview holds by now" },
};
static const struct argument_rule consent_reason[] = { CONSENT, REASON_KEPT };
static const struct argument_rule consent_list[] = {
    { .name = "state",
      .kind = ARGUMENT_CHOICE,
      .choices = consent_states,
      .help = "only consents in this state" },
};

/* -- what travelled ---------------------------------------------------------------------------- */

static const struct argument_rule given[] = {
    { .name = "to", .kind = ARGUMENT_CODE, .help = "only what went to this node" },
    { .name = "record", .kind = ARGUMENT_ID, .help = "only this record" },
    { .name = "consent", .kind = ARGUMENT_ID, .help = "only what went under this consent" },
};
static const struct argument_rule received[] = {
    { .name = "from", .kind = ARGUMENT_CODE, .help = "only what came from this node" },
    { .name = "all", .kind = ARGUMENT_FLAG, .help = "what was erased or refused as well" },
};
static const struct argument_rule received_show[] = {
    { .name = "record",
      .kind = ARGUMENT_ID,
      .required = true,
      .shown = "RECORD",
      .help = "id of what was received, or its first digits, as received shows it" },
    { .name = "from", .kind = ARGUMENT_CODE, .help = "only from this node" },
};
static const struct argument_rule recalls[] = {
    { .name = "all", .kind = ARGUMENT_FLAG, .help = "those that were answered as well" },
};
static const struct argument_rule evidence_export[] = {
    { .name = "entry",
      .kind = ARGUMENT_ID,
      .shown = "ENTRY",
      .help = "id of the entry, or its first digits, as given and received show it" },
    { .name = "given-to",
      .kind = ARGUMENT_CODE,
      .help = "without ENTRY: it stands in our feed to this node" },
    { .name = "received-from",
      .kind = ARGUMENT_CODE,
      .help = "without ENTRY: it stands in the feed of this node to us" },
    { .name = "index",
      .kind = ARGUMENT_NUMBER,
      .max = FEED_ENTRIES_MAX,
      .help = "without ENTRY: its place in that feed, from 0" },
    { .name = "with-content",
      .kind = ARGUMENT_FLAG,
      .help = "put the content into the file, so that its reader sees it" },
};
static const struct argument_rule journal_list[] = {
    { .name = "limit",
      .kind = ARGUMENT_NUMBER,
      .min = 1,
      .max = 10000,
      .help = "how many of the latest actions (default: 50)" },
};
static const struct argument_rule backup_create[] = {
    { .name = "file",
      .kind = ARGUMENT_TEXT,
      .required = true,
      .max = TITLE_MAX,
      .shown = "FILE",
      .help = "name of the new file, in the node's data directory or absolute" },
};
static const struct argument_rule report_cooperation[] = {
    { .name = "from",
      .kind = ARGUMENT_CODE,
      .repeatable = true,
      .help = "only figures of this State; can be given several times" },
    { .name = "indicator", .kind = ARGUMENT_TEXT, .help = "only this indicator, as NEW or GRANT" },
    { .name = "type",
      .kind = ARGUMENT_TEXT,
      .help = "only this type of cooperation, as EXTR or MLA" },
    { .name = "direction",
      .kind = ARGUMENT_TEXT,
      .help = "only this direction: OUT, IN, SENT or ADMIN" },
    { .name = "period", .kind = ARGUMENT_TEXT, .help = "only periods that begin so, as 2019" },
};

#define TAKES(rules)  (rules), LENGTH(rules)
#define TAKES_NOTHING NULL, 0

static const struct operation operations[] = {
    { "status", PERMIT_READ, TAKES_NOTHING },
    { "inbox", PERMIT_READ, TAKES_NOTHING },
    { "alarm.list", PERMIT_READ, TAKES(alarm_list) },
    { "alarm.close", PERMIT_PREPARE, TAKES(alarm_close) },
    { "peer.card", PERMIT_READ, TAKES_NOTHING },
    { "peer.add", PERMIT_PREPARE, TAKES(peer_add) },
    { "peer.accept", PERMIT_APPROVE, TAKES(peer_accept) },
    { "peer.list", PERMIT_READ, TAKES(peer_list) },
    { "peer.show", PERMIT_READ, TAKES(peer_only) },
    { "peer.block", PERMIT_PREPARE, TAKES(peer_reason) },
    { "peer.forget", PERMIT_PREPARE, TAKES(peer_reason) },
    { "hold", PERMIT_PREPARE, TAKES(peer_reason) },
    { "release", PERMIT_APPROVE, TAKES(peer_reason) },
    { "excerpt.add", PERMIT_PREPARE, TAKES(excerpt_add) },
    { "excerpt.import", PERMIT_PREPARE, TAKES(excerpt_import) },
    { "excerpt.list", PERMIT_READ, TAKES(excerpt_list) },
    { "excerpt.show", PERMIT_READ, TAKES(record_version) },
    { "excerpt.retire", PERMIT_PREPARE, TAKES(record_only) },
    { "stats.import", PERMIT_PREPARE, TAKES(stats_import) },
    { "stats.list", PERMIT_READ, TAKES(stats_list) },
    { "stats.show", PERMIT_READ, TAKES(record_version) },
    { "stats.export", PERMIT_READ, TAKES(record_version) },
    { "stats.retire", PERMIT_PREPARE, TAKES(record_only) },
    { "consent.draft", PERMIT_PREPARE, TAKES(consent_draft) },
    { "consent.preview", PERMIT_READ, TAKES(consent_only) },
    { "consent.propose", PERMIT_PREPARE, TAKES(consent_propose) },
    { "consent.approve", PERMIT_APPROVE, TAKES(consent_digest) },
    { "consent.reject", PERMIT_APPROVE, TAKES(consent_reason) },
    { "consent.revoke", PERMIT_PREPARE, TAKES(consent_reason) },
    { "consent.list", PERMIT_READ, TAKES(consent_list) },
    { "consent.show", PERMIT_READ, TAKES(consent_only) },
    { "consent.history", PERMIT_READ, TAKES(consent_only) },
    { "given", PERMIT_READ, TAKES(given) },
    { "received", PERMIT_READ, TAKES(received) },
    { "received.show", PERMIT_READ, TAKES(received_show) },
    { "recalls", PERMIT_READ, TAKES(recalls) },
    { "evidence.export", PERMIT_READ, TAKES(evidence_export) },
    { "journal.list", PERMIT_READ, TAKES(journal_list) },
    { "check", PERMIT_READ, TAKES_NOTHING },
    { "backup.create", PERMIT_PREPARE, TAKES(backup_create) },
    { "backup.status", PERMIT_READ, TAKES_NOTHING },
    { "report.cooperation", PERMIT_READ, TAKES(report_cooperation) },
};

const struct operation *operation_find(const char *name)
{
    for (size_t i = 0; i < LENGTH(operations); i++)
        if (strcmp(operations[i].name, name) == 0)
            return &operations[i];
    return NULL;
}

const struct operation *operation_all(size_t *ret_count)
{
    *ret_count = LENGTH(operations);
    return operations;
}
