#include "node/people.h"

#include "base/memory.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SERVICE_MAX = 64 * 1024, NAME_TEXT_MAX = 64 };

static enum status add_uid(struct people *people, uid_t uid, struct error *err)
{
    if (people->uid_count >= PEOPLE_MAX)
        return error_set(err, ERR_LIMIT, "at most %d users may be listed", PEOPLE_MAX);
    uid_t *grown = mem_realloc(people->uids, (people->uid_count + 1) * sizeof(*grown));
    if (grown == NULL)
        return error_set(err, ERR_MEMORY, "no memory");
    people->uids = grown;
    people->uids[people->uid_count++] = uid;
    return OK;
}

static enum status add_gid(struct people *people, gid_t gid, struct error *err)
{
    if (people->gid_count >= PEOPLE_MAX)
        return error_set(err, ERR_LIMIT, "at most %d groups may be listed", PEOPLE_MAX);
    gid_t *grown = mem_realloc(people->gids, (people->gid_count + 1) * sizeof(*grown));
    if (grown == NULL)
        return error_set(err, ERR_MEMORY, "no memory");
    people->gids = grown;
    people->gids[people->gid_count++] = gid;
    return OK;
}

/* Digits only, and less than 2^32 - 1 (which the kernel keeps for "nobody"). */
static bool parse_number(const char *text, uint32_t *ret_number)
{
    uint64_t number = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || number > UINT32_MAX)
            return false;
        number = number * 10 + (uint64_t)(*at - '0');
    }
    if (text[0] == '\0' || number >= UINT32_MAX)
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

static enum status find_user(const char *name, uid_t *ret_uid, struct error *err)
{
    char *memory = mem_alloc(NAME_SERVICE_MAX);
    if (memory == NULL)
        return error_set(err, ERR_MEMORY, "no memory");
    struct passwd entry, *found = NULL;
    int failed = getpwnam_r(name, &entry, memory, NAME_SERVICE_MAX, &found);
    enum status status = OK;
    if (found != NULL)
        *ret_uid = entry.pw_uid;
    else if (failed == 0 || failed == ENOENT || failed == ESRCH)
        status = error_set(err, ERR_NOT_FOUND, "there is no user \"%s\" on this system", name);
    else
        status = error_set(err, ERR_IO, "user \"%s\": %s", name, strerror(failed));
    mem_free(memory);
    return status;
}

static enum status find_group(const char *name, gid_t *ret_gid, struct error *err)
{
    char *memory = mem_alloc(NAME_SERVICE_MAX);
    if (memory == NULL)
        return error_set(err, ERR_MEMORY, "no memory");
    struct group entry, *found = NULL;
    int failed = getgrnam_r(name, &entry, memory, NAME_SERVICE_MAX, &found);
    enum status status = OK;
    if (found != NULL)
        *ret_gid = entry.gr_gid;
    else if (failed == 0 || failed == ENOENT || failed == ESRCH)
        status = error_set(err, ERR_NOT_FOUND, "there is no group \"%s\" on this system", name);
    else
        status = error_set(err, ERR_IO, "group \"%s\": %s", name, strerror(failed));
    mem_free(memory);
    return status;
}

static enum status add_one(struct people *people, const char *name, struct error *err)
{
    uint32_t number = 0;
    if (name[0] == '@') {
        gid_t gid = 0;
        if (parse_number(name + 1, &number))
            return add_gid(people, number, err);
        enum status status = find_group(name + 1, &gid, err);
        return status == OK ? add_gid(people, gid, err) : status;
    }
    uid_t uid = 0;
    if (parse_number(name, &number))
        return add_uid(people, number, err);
    enum status status = find_user(name, &uid, err);
    return status == OK ? add_uid(people, uid, err) : status;
}

static bool is_separator(char c)
{
    return c == ' ' || c == '\t' || c == ',';
}

enum status people_parse(const char *list, struct people *ret_people, struct error *err)
{
    struct people people = { NULL, 0, NULL, 0 };
    enum status status = OK;
    const char *at = list;
    while (status == OK) {
        while (is_separator(*at))
            at++;
        if (*at == '\0')
            break;
        char name[NAME_TEXT_MAX];
        size_t size = 0;
        while (at[size] != '\0' && !is_separator(at[size]))
            size++;
        if (size >= sizeof(name)) {
            status = error_set(err, ERR_LIMIT, "a name is longer than %d bytes", NAME_TEXT_MAX - 1);
            break;
        }
        memcpy(name, at, size);
        name[size] = '\0';
        at += size;
        status = add_one(&people, name, err);
    }
    if (status != OK)
        people_fini(&people);
    else
        *ret_people = people;
    return status;
}

void people_fini(struct people *people)
{
    if (people == NULL)
        return;
    mem_free(people->uids);
    mem_free(people->gids);
    *people = (struct people){ NULL, 0, NULL, 0 };
}

bool people_include(const struct people *people, uid_t uid, const gid_t *groups, size_t count)
{
    for (size_t i = 0; i < people->uid_count; i++)
        if (people->uids[i] == uid)
            return true;
    for (size_t i = 0; i < people->gid_count; i++) {
        for (size_t j = 0; j < count; j++)
            if (people->gids[i] == groups[j])
                return true;
    }
    return false;
}
