/* What left this node, what it holds of others, what is being recalled, what waits for somebody.
 *
 * Reading only.  Neutral structs, one visit each; rendering is the caller's.  Texts of titles come
 * from unsealing; they are empty where the bytes were erased or are locked.
 */
#ifndef COMITY_FEED_LISTING_H
#define COMITY_FEED_LISTING_H

#include "consent/terms.h"
#include "feed/feed.h"
#include "feed/records.h"
#include "store/delivery_rows.h"
#include "store/holding_rows.h"
#include "store/refusal_rows.h"

/* -- given: what left -------------------------------------------------------------------------- */

struct listing_given {
    struct code recipient;
    struct delivery_row row;       /* record, version, consent, index, times */
    struct id entry_id;            /* of the entry in the feed */
    const char *state;             /* "sent", "receipted", "refused", "withdrawn", "erased" */
    char why[REFUSAL_WHY_MAX + 1]; /* the recipient's words when it did not accept it, or "" */
    char kind[RECORDS_KIND_MAX + 1];
    char title[TITLE_MAX + 1];
};
typedef enum status (*listing_visit_given)(void *context,
                                           const struct listing_given *given,
                                           struct error *err);
struct listing_given_filter { /* NULL, ID_NONE: any */
    const struct code *recipient;
    struct id record_id;
    struct id consent_id;
    bool live_only; /* neither withdrawn nor erased */
};
MUST_CHECK enum status listing_given(struct feed_context *feed,
                                     const struct listing_given_filter *filter,
                                     listing_visit_given visit,
                                     void *context,
                                     struct error *err);

/* -- received: what we hold of others ---------------------------------------------------------- */

struct listing_received {
    struct code publisher;
    struct holding_row row; /* subject (how people name it), consent, version, state, times */
    const char *state;      /* "held", "locked", "erased", "refused" */
    char why[REFUSAL_WHY_MAX + 1]; /* locked or refused: the reasons in words; otherwise empty */
    bool has_terms;
    struct terms terms;       /* in force, or the last that were */
    bool has_text;            /* the rest is filled in */
    struct records_view view; /* row and version of it are not set */
};
typedef enum status (*listing_visit_received)(void *context,
                                              const struct listing_received *received,
                                              struct error *err);
struct listing_received_filter {
    const struct code *publisher; /* NULL: any */
    int kind;                     /* enum record_kind; 0: both */
    const char *subject_prefix;   /* 6 to 32 hex digits of the subject id; NULL: any */
    bool active_only;
    bool hide_gone; /* neither erased nor refused ones */
};
MUST_CHECK enum status listing_received(struct feed_context *feed,
                                        const struct listing_received_filter *filter,
                                        listing_visit_received visit,
                                        void *context,
                                        struct error *err);

/* -- recalls ----------------------------------------------------------------------------------- */

struct listing_recall {
    struct code holder;
    struct recall_row row;
    bool overdue;
    const char *state; /* "waiting to be sent", "open", "overdue", "held by a court", "erased" */
};
typedef enum status (*listing_visit_recall)(void *context,
                                            const struct listing_recall *recall,
                                            struct error *err);
MUST_CHECK enum status listing_recalls(struct feed_context *feed,
                                       bool open_only,
                                       listing_visit_recall visit,
                                       void *context,
                                       struct error *err);

/* -- inbox: what waits for a person ------------------------------------------------------------ */

struct listing_task {
    const char *what; /* "approve consent", "accept peer", "look at pending peer", "recall overdue",
                       * "alarm" */
    char subject[40]; /* id or code */
    char text[400];   /* a sentence */
    char command[160]; /* what to type next */
    int64_t since_ms;
};
typedef enum status (*listing_visit_task)(void *context,
                                          const struct listing_task *task,
                                          struct error *err);
/* Tasks that this uid cannot do (approve its own proposal) are left out. */
MUST_CHECK enum status listing_inbox(struct feed_context *feed,
                                     uint32_t uid,
                                     listing_visit_task visit,
                                     void *context,
                                     struct error *err);

#endif
