/* Commands that start comityd: backup restore here, and the empty database of node init. */
#include "cli/daemon.h"
#include "cli/local.h"
#include "cli/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

/* comityd beside this comityctl, else the one in PATH. */
static void find_daemon(char ret_path[static PATH_SIZE])
{
    static const char name[] = "comityd";
    ssize_t size = readlink("/proc/self/exe", ret_path, PATH_SIZE - sizeof(name));
    while (size > 0 && ret_path[size - 1] != '/')
        size--;
    (void)snprintf(ret_path + (size < 0 ? 0 : size), sizeof(name), "%s", name);
    if (size <= 0 || access(ret_path, X_OK) != 0)
        (void)snprintf(ret_path, PATH_SIZE, "%s", name);
}

static char *unconst(const char *text) /* posix_spawn does not write to its words */
{
    char *same;
    memcpy(&same, &text, sizeof(same));
    return same;
}

enum status daemon_run(const char *config, const char *option, const char *value, struct error *err)
{
    char path[PATH_SIZE];
    find_daemon(path);
    char *words[] = { path, unconst("--config"), unconst(config), unconst(option), unconst(value),
                      NULL };
    pid_t child = 0;
    posix_spawn_file_actions_t actions;
    int why = posix_spawn_file_actions_init(&actions);
    if (why == 0) { /* what it did is said here, in the form that was asked for */
        why = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        if (why == 0)
            why = posix_spawnp(&child, path, &actions, NULL, words, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
    }
    if (why != 0)
        return error_set(err, ERR_IO, "%s could not be started: %s; next: install comityd", path,
                         strerror(why));
    int state = 0;
    while (waitpid(child, &state, 0) < 0)
        if (errno != EINTR)
            return error_set(err, ERR_IO, "waiting for comityd: %s", strerror(errno));
    if (!WIFEXITED(state) || WEXITSTATUS(state) != 0)
        return error_set(err, ERR_IO, "comityd %s did not succeed (its message stands above)",
                         option);
    return OK;
}

enum status restore_run(struct local_call *call, struct error *err)
{
    const char *config = call->options->config;
    const char *file = argument_text(&call->arguments, "file");
    enum status status =
        daemon_run(config == NULL ? "/etc/comity/comity.conf" : config, "--restore", file, err);
    if (status == OK) {
        reply_note(call->reply,
                   "Restored from %s. Next: start comityd; it opens new epochs and heals from its "
                   "peers, and says so in comityctl status.",
                   file);
    }
    return status;
}
