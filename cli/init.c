/* node init: everything that a new node needs, or nothing at all. */
#include "cli/init_files.h"

#include "base/clock.h"
#include "base/counted.h"
#include "cli/daemon.h"
#include "cli/init_check.h"
#include "cli/local.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOGIN_SIZE = 64 };

/* -- what was asked for ------------------------------------------------------------------------ */

static const char *text_or(const struct arguments *arguments,
                           const char *name,
                           const char *fallback)
{
    const char *text = argument_text(arguments, name);
    return text == NULL ? fallback : text;
}

/* Every rule of a value was checked with the others, before this. */
static enum status take_values(struct init *init, struct local_call *call, struct error *err)
{
    const struct arguments *arguments = &call->arguments;
    enum status status = realm_parse(argument_text(arguments, "realm"), &init->realm, err);
    if (status != OK)
        return status;
    call->realm = init->realm;
    argument_code(arguments, "code", &init->code);
    init->name = argument_text(arguments, "name");
    init->listen = text_or(arguments, "listen", "");
    init->address = text_or(arguments, "address", "");
    init->approvers = text_or(arguments, "approvers", "");
    init->auditors = text_or(arguments, "auditors", "");
    return OK;
}

/* Whoever runs this is the first operator, unless others are named. */
static void take_operators(struct init *init,
                           const struct arguments *arguments,
                           char login[static LOGIN_SIZE])
{
    char buffer[4096];
    struct passwd entry;
    struct passwd *found = NULL;
    if (getpwuid_r(getuid(), &entry, buffer, sizeof(buffer), &found) == 0 && found != NULL)
        (void)snprintf(login, LOGIN_SIZE, "%s", found->pw_name);
    else
        (void)snprintf(login, LOGIN_SIZE, "%u", (unsigned)getuid());
    init->operators = text_or(arguments, "operators", login);
}

/* Whom this system does not know, all at once and before anything is made. */
static enum status check_people(const struct init *init,
                                struct reply_writer *problems,
                                struct error *err)
{
    const struct {
        const char *name, *list;
    } people[] = {
        { "--operators", init->operators },
        { "--approvers", init->approvers },
        { "--auditors", init->auditors },
    };
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
        struct error why = ERROR_INIT;
        if (init_check_people(people[i].list, &why) == OK)
            continue;
        wrong++;
        reply_problem(problems, &(struct reply_problem){ .file = "",
                                                         .field = people[i].name,
                                                         .value = people[i].list,
                                                         .rule = why.text });
    }
    if (wrong == 0)
        return OK;
    return error_set(err, ERR_INVALID,
                     "%s in the command line; next: name users, numeric uids and @groups of "
                     "this system",
                     counted(wrong, "problem").text);
}

/* -- where ------------------------------------------------------------------------------------- */

static enum status join(char ret_path[static INIT_PATH_SIZE],
                        const char *directory,
                        const char *name,
                        struct error *err)
{
    int size = snprintf(ret_path, INIT_PATH_SIZE, "%s/%s", directory, name);
    if (size < 0 || size >= INIT_PATH_SIZE)
        return error_set(err, ERR_LIMIT, "the path %.100s... is too long", directory);
    return OK;
}

static enum status make_directory(struct init *init,
                                  const char *path,
                                  mode_t mode,
                                  struct error *err)
{
    if (mkdir(path, mode) == 0)
        return init_made(init, path, err);
    if (errno != EEXIST) {
        return error_set(err, ERR_IO, "%s: cannot be made: %s%s", path, strerror(errno),
                         errno == ENOENT   ? "; next: make the directory above it"
                         : errno == EACCES ? "; next: name a place in which this user may write"
                                           : "");
    }
    return OK;
}

/* The absolute path of `directory`, which is made when it is not there. */
static enum status base_path(struct init *init,
                             const char *directory,
                             char ret_path[static INIT_PATH_SIZE],
                             struct error *err)
{
    enum status status = make_directory(init, directory, 0755, err);
    if (status != OK)
        return status;
    char resolved[4096]; /* PATH_MAX, as realpath() demands */
    if (realpath(directory, resolved) == NULL)
        return error_set(err, ERR_IO, "%s: %s", directory, strerror(errno));
    int size = snprintf(ret_path, INIT_PATH_SIZE, "%s", resolved);
    if (size < 0 || size >= INIT_PATH_SIZE)
        return error_set(err, ERR_LIMIT, "the path %.100s... is too long", resolved);
    return OK;
}

static enum status take_paths(struct init *init, const char *directory, struct error *err)
{
    init->system = directory == NULL;
    if (init->system) {
        (void)snprintf(init->config, INIT_PATH_SIZE, "/etc/comity/comity.conf");
        (void)snprintf(init->identity, INIT_PATH_SIZE, "/etc/comity/identity");
        (void)snprintf(init->data, INIT_PATH_SIZE, "/var/lib/comity");
        (void)snprintf(init->socket, INIT_PATH_SIZE, "/run/comity/control.sock");
        return make_directory(init, "/etc/comity", 0755, err);
    }
    char base[INIT_PATH_SIZE];
    enum status status = base_path(init, directory, base, err);
    if (status == OK)
        status = join(init->config, base, "comity.conf", err);
    if (status == OK)
        status = join(init->identity, base, "identity", err);
    if (status == OK)
        status = join(init->data, base, "data", err);
    if (status == OK)
        status = join(init->socket, base, "control.sock", err);
    return status;
}

static bool is_empty_directory(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL)
        return errno == ENOENT;
    size_t entries = 0;
    while (readdir(directory) != NULL) /* "." and ".." are always there */
        entries++;
    closedir(directory);
    return entries <= 2;
}

static enum status refuse_existing(const struct init *init, struct error *err)
{
    const char *there = access(init->config, F_OK) == 0       ? init->config
                        : !is_empty_directory(init->identity) ? init->identity
                        : !is_empty_directory(init->data)     ? init->data
                                                              : NULL;
    if (there == NULL)
        return OK;
    return error_set(err, ERR_EXISTS,
                     "%s is there already, and a node is never overwritten; next: name another "
                     "--directory, or move the old node away",
                     there);
}

/* -- making ------------------------------------------------------------------------------------ */

/* The daemon of an installed node runs as the user comity: what was made is to be its own. */
static void hand_over(const struct init *init)
{
    const struct passwd *daemon = init->system && geteuid() == 0 ? getpwnam("comity") : NULL;
    if (daemon == NULL)
        return;
    for (size_t i = 0; i < init->made_count; i++) {
        if (strncmp(init->made[i], init->identity, strlen(init->identity)) == 0 &&
            chown(init->made[i], daemon->pw_uid, daemon->pw_gid) != 0)
            (void)fprintf(stderr, "comityctl: %s: cannot be given to comity: %s\n", init->made[i],
                          strerror(errno));
    }
    DIR *directory = opendir(init->data);
    const struct dirent *entry = NULL;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, "..") != 0 &&
            fchownat(dirfd(directory), entry->d_name, daemon->pw_uid, daemon->pw_gid, 0) != 0)
            (void)fprintf(stderr, "comityctl: %s: cannot be given to comity: %s\n", entry->d_name,
                          strerror(errno));
    }
    if (directory != NULL)
        closedir(directory);
}

static enum status make_all(struct init *init, struct error *err)
{
    enum status status = refuse_existing(init, err);
    if (status == OK)
        status = make_directory(init, init->identity, 0700, err);
    if (status == OK)
        status = make_directory(init, init->data, 0700, err);
    if (status == OK)
        status = init_identity(init, err);
    if (status == OK)
        status = init_config(init, err);
    if (status == OK)
        status = daemon_run(init->config, "--create", NULL, err);
    return status;
}

static void take_back(const struct init *init)
{
    for (size_t i = init->made_count; i > 0; i--)
        if (unlink(init->made[i - 1]) != 0)
            rmdir(init->made[i - 1]);
}

static void tell(const struct init *init, struct reply_writer *reply)
{
    char fingerprint[FINGERPRINT_TEXT_SIZE];
    fingerprint_format(&init->fingerprint, fingerprint);
    reply_fields(reply, "node", "A new node");
    reply_field(reply, "code", "Code", "%s", init->code.text);
    reply_field(reply, "name", "Name", "%s", init->name);
    reply_field(reply, "realm", "Realm", "%s", init->realm.text);
    reply_field(reply, "fingerprint", "Fingerprint", "%s", fingerprint);
    reply_field(reply, "configuration", "Configuration", "%s", init->config);
    reply_field(reply, "identity", "Keys and card", "%s", init->identity);
    reply_field(reply, "data", "Database", "%s", init->data);
    reply_note(reply, "What to do next:");
    reply_note(reply, "  move %s/anchor.key away from this server: it vouches for %s",
               init->identity, init->code.text);
    if (init->approvers[0] == '\0')
        reply_note(reply, "  name at least one approver in %s: nothing can be approved before",
                   init->config);
    if (init->system)
        reply_note(reply, "  systemctl enable --now comityd");
    else
        reply_note(reply, "  comityd --config %s", init->config);
    reply_note(reply, "  give %s/card.pem to the others, and read them the fingerprint",
               init->identity);
}

enum status init_run(struct local_call *call, struct error *err)
{
    struct init init = { .now_ms = clock_system()->wall_ms(clock_system()) };
    char login[LOGIN_SIZE];
    enum status status = take_values(&init, call, err);
    if (status != OK)
        return status;
    take_operators(&init, &call->arguments, login);
    status = check_people(&init, call->reply, err);
    if (status != OK)
        return status;
    status = take_paths(&init, argument_text(&call->arguments, "directory"), err);
    if (status == OK)
        status = make_all(&init, err);
    if (status != OK) {
        take_back(&init);
        return status;
    }
    hand_over(&init);
    tell(&init, call->reply);
    return OK;
}
