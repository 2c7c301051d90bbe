/* The operations, one function for each; for admin.c only.  `context` is the struct admin.
 *
 * A function has its arguments checked (argument.h) and its caller permitted.  It writes its answer
 * to call->reply, and sets admin->changed when it changed what others keep copies of.
 */
#ifndef COMITY_ADMIN_OPS_H
#define COMITY_ADMIN_OPS_H

#include "admin/admin.h"
#include "feed/consents.h"
#include "feed/records.h"
#include "record/problem.h"
#include "record/structure.h"

typedef enum status ops_fn(void *context, struct control_call *call, struct error *err);

ops_fn node_ops_status, node_ops_inbox, node_ops_journal, node_ops_check;
ops_fn alarm_ops_list, alarm_ops_close;
ops_fn peer_ops_card, peer_ops_add, peer_ops_accept, peer_ops_list, peer_ops_show, peer_ops_block,
    peer_ops_forget, peer_ops_hold, peer_ops_release;
ops_fn excerpt_ops_add, excerpt_ops_import, excerpt_ops_list, excerpt_ops_show, excerpt_ops_retire;
ops_fn stats_ops_import, stats_ops_list, stats_ops_show, stats_ops_export, stats_ops_retire;
ops_fn consent_ops_draft, consent_ops_preview, consent_ops_propose, consent_ops_approve,
    consent_ops_reject, consent_ops_revoke, consent_ops_list, consent_ops_show, consent_ops_history;
ops_fn travel_ops_given, travel_ops_received, travel_ops_received_show, travel_ops_recalls,
    travel_ops_evidence;
ops_fn backup_ops_create, backup_ops_status;
ops_fn report_ops_cooperation;

/* What several of them say in the same way. */
void ops_cell_id(struct reply_writer *w, const struct id *id);
void ops_field_id(struct reply_writer *w, const char *name, const char *title, const struct id *id);
void ops_field_time(struct reply_writer *w, const char *name, const char *title, int64_t wall_ms);
void ops_cell_date(struct reply_writer *w, int64_t wall_ms); /* "-" for 0 and INT64_MAX */
/* Lines of text ("what; next: do\n") as problems; "OPTION: what" names its option. */
void ops_problem_lines(struct reply_writer *w, struct span lines);
/* Problems of a file, or (without a file) of options that are named after fields. */
void ops_problems(struct reply_writer *w, const struct problems *problems);
/* The record that this argument names, of this kind (0: any); ERR_NOT_FOUND says what to look at.
 */
MUST_CHECK enum status ops_find_record(struct admin *admin,
                                       const char *prefix,
                                       int kind,
                                       struct record_row *ret_row,
                                       struct error *err);
/* The consent that the argument "consent" names. */
MUST_CHECK enum status ops_find_consent(struct admin *admin,
                                        const struct control_call *call,
                                        struct consent_row *ret_row,
                                        struct error *err);
/* Its id only; an id in full passes for a consent that a restore lost (feed/consents.h). */
MUST_CHECK enum status ops_find_consent_id(struct admin *admin,
                                           const struct control_call *call,
                                           struct id *ret_id,
                                           struct error *err);
/* A record's content, behind fields that are begun. */
void excerpt_ops_put(struct reply_writer *w, const struct excerpt *excerpt);
void stats_ops_put(struct reply_writer *w, const struct release *release);
/* The alarms as a table, each with the command that deals with it. */
MUST_CHECK enum status alarm_ops_put(struct admin *admin,
                                     struct reply_writer *w,
                                     bool open_only,
                                     struct error *err);
/* What the codes of a table mean: a table behind it (none: no table), each code once, in the order
 * in which they come. Codes without a name of their own (periods) are left out. */
enum { OPS_LEGEND_MAX = 128 };
struct ops_legend {
    struct reply_writer *w;
    const char *names[OPS_LEGEND_MAX]; /* static: of the code lists */
    const struct component *of[OPS_LEGEND_MAX];
    size_t count;
};
void ops_legend_add(struct ops_legend *legend, const struct component *dimension, struct span code);
struct admin_link ops_link(const struct admin *admin, const struct code *code);

/* ERR_INVALID: how many problems the reply lists, and that nothing was imported. */
enum status ops_not_imported(const struct reply_writer *reply, struct error *err);

#endif
