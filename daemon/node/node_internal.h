/* What the files of a running node share; nobody else includes it.
 *
 *   node.c      start, run, stop, reload      network.c  net <-> exchange
 *   service.c   control socket <-> worker
 */
#ifndef COMITY_NODE_NODE_INTERNAL_H
#define COMITY_NODE_NODE_INTERNAL_H

#include "admin/admin.h"
#include "control/control.h"
#include "crypto/tls.h"
#include "feed/feed.h"
#include "net/control_server.h"
#include "net/net.h"
#include "node/credential.h"
#include "node/directory.h"
#include "node/exchange.h"
#include "node/identity.h"
#include "node/node.h"
#include "node/storage.h"
#include "node/worker.h"
#include "store/store.h"

#include <pthread.h>
#include <uv.h>

/* A frame that the store thread made while a request is at work. */
struct progress {
    struct progress *next;
    struct control_client *client;
    struct buf frame;
};

struct node {
    struct config config;
    struct identity identity;
    struct feed_context feed;     /* the store thread's, as the next two */
    struct credential credential; /* borrowed by the store */
    struct store *store;
    struct storage storage;
    struct admin admin;
    struct worker *worker;
    struct directory directory; /* as TLS and the exchange know it */
    bool directory_known;       /* listening and dialling begin with it */
    bool directory_asked;
    bool directory_again;
    struct tls_context *tls;
    struct exchange *exchange;
    struct net *net;
    struct control_server *control;
    uv_loop_t loop;
    bool has_loop;
    uv_async_t wake; /* from the store thread */
    uv_signal_t on_stop, on_interrupt, on_reload;
    uv_prepare_t prepare; /* sets the exchange's timer before each wait */
    uv_idle_t assisting;  /* the store thread, with signatures */
    uv_timer_t timer;
    uv_timer_t watchdog;
    int64_t timer_due_ms;
    bool stopping;
    bool failed; /* the node ends with an error */
    bool network_started;
    pthread_mutex_t progress_mutex;
    struct progress *progress_first, *progress_last;
};

/* network.c */
struct exchange_io network_io(struct node *node);
struct net_handlers network_handlers(struct node *node);
struct exchange_feed network_feed(struct node *node); /* feed.h, with journal and contact times */
/* Reads the directory of peers again, and what follows from it. */
void network_refresh(struct node *node);

/* renewal.c: keys, certificates and the card, read anew from the identity directory. */
/* Gives peers that have another one our card (nothing else uses the database yet). */
MUST_CHECK enum status renewal_at_start(struct node *node, struct error *err);
/* Reads and checks now; the change itself is a job of the store thread, which logs how it ended. */
MUST_CHECK enum status renewal_start(struct node *node, struct error *err);

/* service.c */
MUST_CHECK enum status service_init(struct node *node, struct error *err);
void service_fini(struct node *node);
struct control_handlers service_handlers(struct node *node);
void service_deliver_progress(struct node *node);
/* Store thread: a step of what people asked for and nobody waits for (a backup). */
MUST_CHECK enum status service_idle(void *node, bool *ret_more, struct error *err);

#endif
