/* comityd: the node that a State runs.  See docs/CONFIGURATION.md. */
#include "node/config.h"
#include "node/log.h"
#include "node/node.h"
#include "store/backup.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/comity/comity.conf"

enum { EXIT_USAGE = 2, EXIT_CONFIG = 78 }; /* sysexits.h: EX_CONFIG */

enum action {
    ACTION_RUN,
    ACTION_CREATE,
    ACTION_RESTORE,
    ACTION_CHECK,
    ACTION_VERSION,
    ACTION_HELP
};

struct arguments {
    const char *config;
    const char *backup;
    enum action action;
};

static const char USAGE[] =
    "usage: comityd [--config FILE] [--create | --restore BACKUP | --check-config]\n"
    "\n"
    "  --config FILE     the configuration; " DEFAULT_CONFIG " when left out\n"
    "  --create          make an empty database where the configuration says, and end\n"
    "  --restore BACKUP  make the database from a backup and the newest keys.bundle, and end\n"
    "  --check-config    read the configuration, say all that is wrong with it, and end\n"
    "  --version         print the version\n"
    "  --help            print this\n"
    "\n"
    "Without an action the node runs until SIGTERM or SIGINT; SIGHUP reads the configuration,\n"
    "the certificates and the list of peers again.\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage, 78 wrong configuration.\n";

static int usage_error(const char *text, const char *value)
{
    fprintf(stderr, "comityd: %s%s\nnext: comityd --help\n", text, value);
    return EXIT_USAGE;
}

static enum action action_of(int option)
{
    switch (option) {
    case 'n':
        return ACTION_CREATE;
    case 'r':
        return ACTION_RESTORE;
    case 'k':
        return ACTION_CHECK;
    case 'v':
        return ACTION_VERSION;
    default:
        return ACTION_HELP;
    }
}

/* 0, or the exit status. */
static int parse(int argc, char **argv, struct arguments *ret)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "create", no_argument, NULL, 'n' },
        { "restore", required_argument, NULL, 'r' },
        { "check-config", no_argument, NULL, 'k' },
        { "version", no_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct arguments arguments = { DEFAULT_CONFIG, NULL, ACTION_RUN };
    int actions = 0;
    for (;;) {
        int option = getopt_long(argc, argv, ":", options, NULL);
        if (option == -1)
            break;
        if (option == ':')
            return usage_error("this option needs a value: ", argv[optind - 1]);
        if (option == '?')
            return usage_error("no such option, or one that takes no value: ", argv[optind - 1]);
        if (option == 'c') {
            arguments.config = optarg;
            continue;
        }
        actions++;
        if (option == 'r')
            arguments.backup = optarg;
        arguments.action = action_of(option);
    }
    if (optind < argc)
        return usage_error("unexpected argument: ", argv[optind]);
    if (actions > 1)
        return usage_error("only one of --create, --restore, --check-config, --version, --help",
                           "");
    *ret = arguments;
    return 0;
}

static void complain(const struct error *err)
{
    log_event(LOG_LEVEL_ERROR, "failed", "status=%s reason=\"%s\"", status_name(err->status),
              err->text);
}

static int run(struct config *config)
{
    struct error err = ERROR_INIT;
    struct node *node = NULL;
    if (node_start(config, &node, &err) != OK) {
        complain(&err);
        return EXIT_FAILURE;
    }
    bool good = node_run(node);
    node_stop(node);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* What a person asked for at a terminal is answered there, not as a log line. */
static int say(const struct error *err, const char *done)
{
    if (err->status == OK)
        printf("%s\n", done);
    else
        fprintf(stderr, "comityd: %s\n", err->text);
    return err->status == OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Said as a warning, since comityctl shows nothing else of ours. */
static void say_age(const struct backup_restored *restored)
{
    if (restored->compared)
        return;
    fprintf(
        stderr,
        "comityd: keys.bundle is of a time when this node had made %llu erasures; its file "
        "heads is not here, so nothing tells whether it made more; next: compare with \"Erasures "
        "so far\" in the last comityctl status that somebody kept: if that is more, what was "
        "erased since can be read again; look for a newer bundle before the node is started\n",
        (unsigned long long)restored->erasures);
}

static int act(const struct arguments *arguments, struct config *config)
{
    struct error err = ERROR_INIT;
    struct backup_restored restored;
    switch (arguments->action) {
    case ACTION_CREATE:
        if (node_create(config, &err) != OK)
            return say(&err, "");
        return say(&err, "the empty database is made");
    case ACTION_RESTORE:
        if (node_restore(config, arguments->backup, &restored, &err) != OK)
            return say(&err, "");
        say_age(&restored);
        return say(&err,
                   "restored; next: start the node, it opens new feeds and heals the old ones");
    case ACTION_CHECK:
        return say(&err, "the configuration is good");
    case ACTION_RUN:
    case ACTION_VERSION:
    case ACTION_HELP:
        break;
    }
    return run(config);
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    int failed = parse(argc, argv, &arguments);
    if (failed != 0)
        return failed;
    if (arguments.action == ACTION_VERSION)
        return printf("comityd %s\n", COMITY_VERSION) > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (arguments.action == ACTION_HELP)
        return fputs(USAGE, stdout) >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    struct error err = ERROR_INIT;
    struct buf problems = BUF_INIT;
    struct config config;
    if (config_read(arguments.config, &config, &problems, &err) != OK) {
        if (problems.size > 0)
            fwrite(problems.data, 1, problems.size, stderr);
        fprintf(stderr, "comityd: %s\n", err.text);
        buf_fini(&problems);
        return EXIT_CONFIG;
    }
    int status = act(&arguments, &config);
    config_fini(&config);
    return status;
}
