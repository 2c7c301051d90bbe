#include "cli/init_check.h"

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    NAME_ROOM = 256,
    SOCKET_PATH_MAX = 107, /* sockaddr_un has room for no more */
};
static const char SOCKET_NAME[] = "/control.sock";

/* Digits only, and less than 2^32 - 1 (which the kernel keeps for "nobody"). */
static bool is_number(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits <= 10 && text[digits] == '\0' &&
           strtoull(text, NULL, 10) < UINT32_MAX;
}

static enum status check_one(const char *name, struct error *err)
{
    bool group = name[0] == '@';
    if (is_number(name + group))
        return OK;
    if (group ? getgrnam(name + 1) != NULL : getpwnam(name) != NULL)
        return OK;
    return error_set(err, ERR_NOT_FOUND, "there is no %s \"%s\" on this system",
                     group ? "group" : "user", name + group);
}

enum status init_check_people(const char *list, struct error *err)
{
    static const char blanks[] = " \t,";
    for (const char *at = list + strspn(list, blanks); *at != '\0'; at += strspn(at, blanks)) {
        char name[NAME_ROOM];
        size_t size = strcspn(at, blanks);
        if (size >= sizeof(name))
            return error_set(err, ERR_LIMIT, "a name has %zu bytes, more than %d", size,
                             NAME_ROOM - 1);
        memcpy(name, at, size);
        name[size] = '\0';
        enum status status = check_one(name, err);
        if (status != OK)
            return status;
        at += size;
    }
    return OK;
}

enum status init_check_directory(const char *path, struct error *err)
{
    struct stat about;
    size_t most = SOCKET_PATH_MAX - strlen(SOCKET_NAME);
    if (path[0] == '/' && strlen(path) > most) {
        return error_set(err, ERR_LIMIT,
                         "has %zu bytes, more than %zu: the control socket lies in it, whose path "
                         "may have %d",
                         strlen(path), most, SOCKET_PATH_MAX);
    }
    if (stat(path, &about) == 0 && !S_ISDIR(about.st_mode))
        return error_set(err, ERR_EXISTS, "is there, and is no directory");
    return OK;
}
