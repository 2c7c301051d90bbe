#include "cli/command.h"

#include "cli/init_check.h"
#include "cli/local.h"

#include "crypto/card.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define EXAMPLES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static enum status check_realm(const char *value, struct error *err)
{
    struct realm realm;
    return realm_parse(value, &realm, err);
}

static const struct argument_rule init_rules[] = {
    { .name = "realm",
      .kind = ARGUMENT_TEXT,
      .required = true,
      .check = check_realm,
      .help = "the federation: live, training, or another" },
    { .name = "code",
      .kind = ARGUMENT_CODE,
      .required = true,
      .help = "KE for a State, EU, or 3 to 12 capitals for an organisation" },
    { .name = "name",
      .kind = ARGUMENT_TEXT,
      .required = true,
      .check = card_check_name,
      .help = "English short name" },
    { .name = "directory",
      .kind = ARGUMENT_TEXT,
      .max = TITLE_MAX,
      .check = init_check_directory,
      .help = "put everything under this directory (training)" },
    { .name = "listen",
      .kind = ARGUMENT_TEXT,
      .check = card_check_address,
      .help = "HOST:PORT to wait on; without it the node only calls others" },
    { .name = "address",
      .kind = ARGUMENT_TEXT,
      .check = card_check_address,
      .help = "HOST:PORT that the card tells others to call" },
    { .name = "operators",
      .kind = ARGUMENT_TEXT,
      .max = TITLE_MAX,
      .help = "users or @groups that prepare (default: you)" },
    { .name = "approvers",
      .kind = ARGUMENT_TEXT,
      .max = TITLE_MAX,
      .help = "users or @groups that approve" },
    { .name = "auditors",
      .kind = ARGUMENT_TEXT,
      .max = TITLE_MAX,
      .help = "users or @groups that read" },
};
static const struct argument_rule verify_rules[] = {
    { .name = "file",
      .kind = ARGUMENT_FILE,
      .required = true,
      .shown = "FILE",
      .help = "the evidence, as evidence export wrote it" },
    { .name = "card",
      .kind = ARGUMENT_FILE,
      .required = true,
      .repeatable = true,
      .help = "card of the publisher and, for the receipt, of the subscriber" },
};
static const struct argument_rule restore_rules[] = {
    { .name = "file",
      .kind = ARGUMENT_TEXT,
      .required = true,
      .max = TITLE_MAX,
      .shown = "FILE",
      .help = "the backup, as backup create wrote it" },
};
static const struct argument_rule help_rules[] = {
    { .name = "man", .kind = ARGUMENT_FLAG, .help = "print the manual page in roff" },
};

static const struct command_group groups[] = {
    { "node", "set up this node" },
    { "alarm", "what somebody must look at, and saying that it was dealt with" },
    { "peer", "other nodes: whom this one trusts, and why" },
    { "excerpt", "review material of this State" },
    { "stats", "releases of figures of this State" },
    { "consent", "what may leave, to whom, on which terms" },
    { "received", "what this node holds of others" },
    { "evidence", "proofs that stand without any node" },
    { "journal", "who did what on this node" },
    { "backup", "copies of the database, and going back to one" },
    { "report", "figures of consenting States, side by side" },
};

/* Answered by the daemon; the same with a file in the answer; done here. */
#define ASKS(words, operation, summary, details, examples)                 \
    {                                                                      \
        words, operation, NULL, NULL, 0, false, summary, details, examples \
    }
#define GIVES_FILE(words, operation, summary, details, examples)          \
    {                                                                     \
        words, operation, NULL, NULL, 0, true, summary, details, examples \
    }
#define RUNS(words, run, rules, summary, details, examples)                       \
    {                                                                             \
        words, NULL, run, rules, LENGTH(rules), false, summary, details, examples \
    }

static const struct command commands[] = {
    RUNS("node init",
         init_run,
         init_rules,
         "make a new node: keys, configuration, empty database, card",
         "Makes everything that a node needs, and refuses to touch anything that is there "
         "already. Keys are files that only their owner can read. The anchor key, "
         "anchor.key, vouches for this State: move it to a place away from the server.\n\n"
         "With --directory everything lies under that directory, which suits training. "
         "Without it: /etc/comity/comity.conf, /var/lib/comity, /run/comity.",
         EXAMPLES("comityctl node init --realm training --code KE --name Kenya "
                  "--directory ./ke --listen 127.0.0.1:7401 --address 127.0.0.1:7401",
                  "comityctl node init --realm live --code KE --name Kenya "
                  "--address comity.example.go.ke:7400 --listen 0.0.0.0:7400 "
                  "--operators @comity-operator --approvers @comity-approver")),
    ASKS("status",
         "status",
         "how this node and its connections stand",
         "Shows the node, its peers and whether they are connected, what waits to be sent, "
         "alarms, and what to do next.",
         EXAMPLES("comityctl status", "comityctl --json status")),
    ASKS("inbox",
         "inbox",
         "what waits for somebody to decide",
         "Lists peers to accept, consents to approve, alarms to look at and recalls that "
         "are overdue, each with the command that deals with it.",
         EXAMPLES("comityctl inbox")),
    ASKS("alarm list",
         "alarm.list",
         "the alarms that are open",
         "An alarm says what is wrong, with whom and since when. It stays open until somebody "
         "closes it. With --all: closed ones as well, and who closed them.",
         EXAMPLES("comityctl alarm list", "comityctl alarm list --all")),
    ASKS("alarm close",
         "alarm.close",
         "say that an alarm was dealt with",
         "Closing mends nothing: find out the cause first. The reason stands in the journal under "
         "your name. If the same happens again, a new alarm is raised.",
         EXAMPLES("comityctl alarm close 3 --reason 'UNODC confirmed that it restored a backup'")),
    GIVES_FILE("peer card",
               "peer.card",
               "this node's own card, to hand to others",
               "A card holds the anchor, the role certificates and the address. It is not secret. "
               "Send it by any way; read its fingerprint to the other side over a channel that "
               "both of you trust.",
               EXAMPLES("comityctl peer card", "comityctl peer card --out ke.card")),
    ASKS("peer add",
         "peer.add",
         "add another node's card, and show its fingerprint",
         "Checks the card and keeps it. Nothing is exchanged yet: another person accepts the "
         "peer after comparing the fingerprint.",
         EXAMPLES("comityctl peer add unodc.card")),
    ASKS("peer accept",
         "peer.accept",
         "accept a peer whose fingerprint was compared",
         "Takes another person than the one who added the card. Type the fingerprint as the "
         "other side read it to you, not as this node shows it: that comparison is what "
         "everything else rests on. Groups may be separated by blanks, dots or hyphens.",
         EXAMPLES("comityctl peer accept UNODC --fingerprint '12345 67890 12345 67890 12345 "
                  "67890 12345 67890 12345 67890 12345 67890'")),
    ASKS("peer list",
         "peer.list",
         "the nodes that this one knows",
         "A pending peer called in and was refused, because nobody added its card.",
         EXAMPLES("comityctl peer list", "comityctl peer list --state pending")),
    ASKS("peer show",
         "peer.show",
         "one peer: keys, fingerprint, feeds, history",
         "Shows what this node knows of the peer and how far the two feeds have come.",
         EXAMPLES("comityctl peer show UNODC")),
    ASKS("peer block",
         "peer.block",
         "speak to a peer no more, at once",
         "Narrows trust, so one person can do it. Accepting the peer again takes an approver "
         "and the fingerprint.",
         EXAMPLES("comityctl peer block UNODC --reason 'key reported stolen'")),
    ASKS("peer forget",
         "peer.forget",
         "remove a peer's card and address",
         "What was exchanged stays provable. To come back, the peer is added and accepted "
         "anew.",
         EXAMPLES("comityctl peer forget UNODC")),
    ASKS("hold",
         "hold",
         "stop giving to a peer for now; recalls still go through",
         "Holds back records and consents that wait for this peer. One person can do it.",
         EXAMPLES("comityctl hold UNODC --reason 'call from the ministry'")),
    ASKS("release",
         "release",
         "let a held peer have what waits for it",
         "Widens what leaves, so it takes an approver.",
         EXAMPLES("comityctl release UNODC")),
    ASKS("excerpt add",
         "excerpt.add",
         "add one excerpt of review material",
         "The excerpt stays on this node until a consent covers it. With --replaces it "
         "becomes the next version of an excerpt; what was consented to is the version "
         "that was approved. One that is here already is refused: the same instrument, article, "
         "language, title and text.",
         EXAMPLES("comityctl excerpt add --kind good-practice --instrument UNTOC --article 18 "
                  "--language en --title 'Liaison magistrates' --text 'A liaison magistrate "
                  "shortens a request by weeks.' --originator 'Ministry of Justice' --date "
                  "2026-03-01 --confidentiality internal")),
    ASKS("excerpt import",
         "excerpt.import",
         "add excerpts from CSV files, all or none",
         "The first line names the columns: kind, instrument, article, paragraph, "
         "applied_under, question, cluster, cycle, language, title, text, source, "
         "originator, date, confidentiality, national_term, item. All problems of all "
         "files are listed, and then nothing is added. An excerpt that is here already, or twice "
         "in the files, is such a problem: the same instrument, article, language, title and text.",
         EXAMPLES("comityctl excerpt import excerpts.csv")),
    ASKS("excerpt list",
         "excerpt.list",
         "the excerpts of this node",
         "In the order in which they were added.",
         EXAMPLES("comityctl excerpt list",
                  "comityctl excerpt list --instrument UNTOC "
                  "--article 18")),
    ASKS("excerpt show",
         "excerpt.show",
         "one excerpt, whole",
         "Shows the latest version unless --version names another.",
         EXAMPLES("comityctl excerpt show 018f3a")),
    ASKS("excerpt retire",
         "excerpt.retire",
         "keep an excerpt out of new consents",
         "What was given under earlier consents stays given; to take it back, revoke the "
         "consent.",
         EXAMPLES("comityctl excerpt retire 018f3a")),
    ASKS("stats import",
         "stats.import",
         "import figures from SDMX-CSV files, all or none",
         "Figures of one dataset, period and source make one release, which replaces the "
         "former one as a whole. The source is the authority that keeps the figures: the column "
         "SOURCE_AUTH names it on each row, or --source for the rows that name none. All problems "
         "of all files are listed with line, column, value and rule, and then nothing is "
         "imported.",
         EXAMPLES("comityctl stats import extradition.csv --source 'Ministry of Justice'")),
    ASKS("stats list",
         "stats.list",
         "the releases of this node",
         "In the order in which they were imported.",
         EXAMPLES("comityctl stats list")),
    ASKS("stats show",
         "stats.show",
         "the figures of one release",
         "Codes are shown as they stand in the file.",
         EXAMPLES("comityctl stats show 018f3a")),
    GIVES_FILE("stats export",
               "stats.export",
               "one release as SDMX-CSV 2.0",
               "Importing the file again gives the same release, byte for byte.",
               EXAMPLES("comityctl stats export 018f3a --out release.csv")),
    ASKS("stats retire",
         "stats.retire",
         "keep a release out of new consents",
         "What was given under earlier consents stays given; to take it back, revoke the "
         "consent.",
         EXAMPLES("comityctl stats retire 018f3a")),
    ASKS("consent draft",
         "consent.draft",
         "draft a consent: which records, to whom, on which terms",
         "A draft gives nothing to anybody. Look at its preview, propose it with the digest "
         "that the preview prints, and have another person approve it.",
         EXAMPLES("comityctl consent draft --to UNODC --record 018f3a --purpose peer-review "
                  "--until 2027-12-31 --authority 'Attorney General' --reference 'AG/2026/117'")),
    ASKS("consent preview",
         "consent.preview",
         "exactly what would leave, and its digest",
         "Prints for each recipient every record with its version, form and size, and what "
         "the recipient holds already. The digest covers all of it: what differs from the "
         "preview does not leave.",
         EXAMPLES("comityctl consent preview 018f3b")),
    ASKS("consent propose",
         "consent.propose",
         "ask for approval of a previewed draft",
         "Refused when anything has changed since the preview.",
         EXAMPLES("comityctl consent propose 018f3b --digest "
                  "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0")),
    ASKS("consent approve",
         "consent.approve",
         "approve a proposed consent; it takes effect at once",
         "Takes another person than the one who proposed it, and the digest of the preview "
         "that this person has read. In realms other than training it is refused until "
         "approvals can be signed with the approver's own key.",
         EXAMPLES("comityctl consent approve 018f3b --digest "
                  "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0")),
    ASKS("consent reject",
         "consent.reject",
         "send a proposed consent back to its draft",
         "The reason is kept in the history of the consent.",
         EXAMPLES("comityctl consent reject 018f3b --reason 'the period is too long'")),
    ASKS("consent list",
         "consent.list",
         "the consents of this node",
         "In the order in which they were drafted.",
         EXAMPLES("comityctl consent list", "comityctl consent list --state active")),
    ASKS("consent show",
         "consent.show",
         "one consent: terms, records, recipients",
         "Shows also how far its deliveries have come.",
         EXAMPLES("comityctl consent show 018f3b")),
    ASKS("consent history",
         "consent.history",
         "who did what with a consent, and when",
         "Refused attempts are in the journal.",
         EXAMPLES("comityctl consent history 018f3b")),
    ASKS("consent revoke",
         "consent.revoke",
         "end a consent now, and have what was given erased",
         "Narrows what others hold, so one person can do it. Holders lock at once and erase; "
         "recalls shows who has confirmed.",
         EXAMPLES("comityctl consent revoke 018f3b --reason 'published in error'")),
    ASKS("given",
         "given",
         "what left this node: to whom, under which consent, when receipted",
         "A receipt says that the other side stored it durably, not that it accepts what it "
         "says.",
         EXAMPLES("comityctl given", "comityctl given --to UNODC")),
    ASKS("received",
         "received",
         "what this node holds of others, and under which terms",
         "What is locked may not be used; what was erased stays listed with --all.",
         EXAMPLES("comityctl received", "comityctl received --from KE --all")),
    ASKS("received show",
         "received.show",
         "one thing that was received, with its terms",
         "Refused for what is locked or erased.",
         EXAMPLES("comityctl received show 018f3c")),
    ASKS("recalls",
         "recalls",
         "withdrawals on their way, until the holder confirms erasure",
         "An overdue one stays visible until the holder's erasure receipt comes.",
         EXAMPLES("comityctl recalls", "comityctl recalls --all")),
    GIVES_FILE(
        "evidence export",
        "evidence.export",
        "a file that proves one entry to anybody, offline",
        "Holds the header, the proof and the receipt; with --with-content also what was "
        "given. Name the entry by its id, or the beginning of it, or by its place in a feed: "
        "--given-to or --received-from, with --index.",
        EXAMPLES("comityctl evidence export 01a211fbd1c0 --with-content --out entry.evidence",
                 "comityctl evidence export --given-to UNODC --index 3 --out entry.evidence")),
    RUNS("evidence verify",
         verify_run,
         verify_rules,
         "check such a file; needs no node and no network",
         "Needs the cards of both sides. The answer is worth as much as the fingerprints of "
         "these cards, which are printed: compare them. Certificates are judged at the time of "
         "the receipt (without one, of the entry), so that evidence outlives them.",
         EXAMPLES("comityctl evidence verify entry.evidence --card ke.card --card unodc.card")),
    ASKS("journal list",
         "journal.list",
         "who did what on this node, refused attempts included",
         "The latest actions come last.",
         EXAMPLES("comityctl journal list", "comityctl journal list --limit 500")),
    ASKS("check",
         "check",
         "recompute everything from the stored bytes",
         "Checks every table and index of the database, every hash, root, signature and receipt. "
         "SQLite's own check, which also finds lost pages and holds up all other work, runs as "
         "well while the database is no larger than 16 MiB. Takes a while on a large node; other "
         "work goes on in between.",
         EXAMPLES("comityctl check")),
    ASKS("backup create",
         "backup.create",
         "copy the database to a new file while the node works",
         "The file holds no keys. They are in keys.bundle in the data directory, which every "
         "erasure rewrites: copy the bundle over its older copies, never beside them.",
         EXAMPLES("comityctl backup create monday.backup")),
    RUNS("backup restore",
         restore_run,
         restore_rules,
         "go back to a backup; the node must be stopped",
         "Put the newest keys.bundle into the node's data directory, which holds no database "
         "any more, leave its file heads there if it is left (a bundle from before a later erasure "
         "is refused then), and run this: it is comityd --restore with the configuration of "
         "--config. "
         "The node then opens a "
         "new epoch for each of its feeds and heals from what its peers hold.",
         EXAMPLES("comityctl --config ./ke/comity.conf backup restore monday.backup")),
    ASKS("report cooperation",
         "report.cooperation",
         "figures of consenting States, side by side",
         "Shows what this node holds in the order of English short names. Nothing is summed "
         "or ranked: States count different things.",
         EXAMPLES("comityctl report cooperation",
                  "comityctl report cooperation --indicator NEW "
                  "--type EXTR")),
    RUNS("help",
         help_run,
         help_rules,
         "this overview, or the manual page",
         "Every command explains itself with --help.",
         EXAMPLES("comityctl help", "comityctl consent draft --help")),
};

const struct command *command_all(size_t *ret_count)
{
    *ret_count = LENGTH(commands);
    return commands;
}

const struct command_group *command_groups(size_t *ret_count)
{
    *ret_count = LENGTH(groups);
    return groups;
}
