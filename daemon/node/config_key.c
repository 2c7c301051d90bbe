#include "node/config_key.h"

#include "base/memory.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

enum { HOST_MAX = 253, PATH_TEXT_MAX = 180 }; /* RFC 1035 2.3.4; what fits a line of inih */

static enum status set_text(char **field, const char *value, struct error *err)
{
    char *copy = mem_strdup(value);
    if (copy == NULL)
        return error_set(err, ERR_MEMORY, "no memory");
    mem_free(*field);
    *field = copy;
    return OK;
}

static enum status set_realm(struct config *config, const char *value, struct error *err)
{
    return realm_parse(value, &config->realm, err);
}

static enum status set_code(struct config *config, const char *value, struct error *err)
{
    return code_parse(value, &config->code, err);
}

static enum status set_name(struct config *config, const char *value, struct error *err)
{
    if (value[0] == '\0')
        return error_set(err, ERR_INVALID, "is empty");
    return set_text(&config->name, value, err);
}

static enum status set_path(char **field, const char *value, size_t max, struct error *err)
{
    if (value[0] != '/')
        return error_set(err, ERR_INVALID, "is not an absolute path");
    if (strlen(value) > max)
        return error_set(err, ERR_LIMIT, "has %zu bytes, more than %zu", strlen(value), max);
    return set_text(field, value, err);
}

static enum status set_storage(struct config *config, const char *value, struct error *err)
{
    return set_path(&config->storage_directory, value, PATH_TEXT_MAX, err);
}

static enum status set_identity(struct config *config, const char *value, struct error *err)
{
    return set_path(&config->identity_directory, value, PATH_TEXT_MAX, err);
}

static enum status set_socket(struct config *config, const char *value, struct error *err)
{
    return set_path(&config->control_socket, value, sizeof(((struct sockaddr_un *)0)->sun_path) - 1,
                    err);
}

static bool host_is_valid(const char *host, bool bracketed)
{
    struct in6_addr address;
    if (bracketed)
        return inet_pton(AF_INET6, host, &address) == 1;
    for (const char *at = host; *at != '\0'; at++)
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-", *at) == NULL)
            return false;
    return host[0] != '\0' && host[0] != '-' && host[0] != '.';
}

static bool parse_port(const char *text, uint16_t *ret_port)
{
    uint32_t port = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < '0' || *at > '9')
            return false;
        port = port * 10 + (uint32_t)(*at - '0');
        if (port > UINT16_MAX)
            return false;
    }
    *ret_port = (uint16_t)port;
    return text[0] != '\0';
}

enum status config_key_host_port(const char *value,
                                 char ret_host[static CONFIG_HOST_SIZE],
                                 uint16_t *ret_port,
                                 struct error *err)
{
    const char *colon = strrchr(value, ':');
    if (colon == NULL)
        return error_set(err, ERR_INVALID, "has no :PORT");
    bool bracketed = value[0] == '[' && colon > value + 1 && colon[-1] == ']';
    const char *start = bracketed ? value + 1 : value;
    size_t size = (size_t)(colon - start) - (bracketed ? 1 : 0);
    if (size > HOST_MAX)
        return error_set(err, ERR_LIMIT, "the host has more than %d bytes", HOST_MAX);
    char host[CONFIG_HOST_SIZE];
    memcpy(host, start, size);
    host[size] = '\0';
    uint16_t port = 0;
    if (!host_is_valid(host, bracketed))
        return error_set(err, ERR_INVALID, "\"%s\" is no host name or address", host);
    if (!parse_port(colon + 1, &port))
        return error_set(err, ERR_INVALID, "\"%s\" is no port from 0 to 65535", colon + 1);
    memcpy(ret_host, host, size + 1);
    *ret_port = port;
    return OK;
}

static enum status set_listen(struct config *config, const char *value, struct error *err)
{
    if (value[0] == '\0')
        return OK;
    char host[CONFIG_HOST_SIZE];
    enum status status = config_key_host_port(value, host, &config->listen_port, err);
    return status == OK ? set_text(&config->listen_host, host, err) : status;
}

static enum status set_address(struct config *config, const char *value, struct error *err)
{
    if (value[0] == '\0')
        return OK;
    char host[CONFIG_HOST_SIZE];
    uint16_t port = 0;
    enum status status = config_key_host_port(value, host, &port, err);
    if (status == OK && port == 0)
        status = error_set(err, ERR_INVALID, "nobody can call port 0");
    return status == OK ? set_text(&config->address, value, err) : status;
}

static enum status set_dial(struct config *config, const char *value, struct error *err)
{
    if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
        return error_set(err, ERR_INVALID, "is neither yes nor no");
    config->dial = value[0] == 'y';
    return OK;
}

static enum status set_operators(struct config *config, const char *value, struct error *err)
{
    return people_parse(value, &config->operators, err);
}

static enum status set_approvers(struct config *config, const char *value, struct error *err)
{
    return people_parse(value, &config->approvers, err);
}

static enum status set_auditors(struct config *config, const char *value, struct error *err)
{
    return people_parse(value, &config->auditors, err);
}

static enum status set_level(struct config *config, const char *value, struct error *err)
{
    static const char *const names[] = { "error", "warning", "info", "debug" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(value, names[i]) == 0) {
            config->log_level = (enum log_level)i;
            return OK;
        }
    }
    return error_set(err, ERR_INVALID, "is no level");
}

#define ACCESS_RULE "users, numeric uids and @groups of this system, separated by blanks"

const struct config_key *config_keys(size_t *ret_count)
{
    static const struct config_key keys[] = {
        { "node", "realm", "1-16 of a-z 0-9 -, beginning with a letter: live, training, ...", NULL,
          set_realm },
        { "node", "code", "two capitals for a State (ISO 3166-1), EU, or 3-12 for an organisation",
          NULL, set_code },
        { "node", "name", "the name that people read, not empty", NULL, set_name },
        { "storage", "directory", "an absolute path of at most 180 bytes", "/var/lib/comity",
          set_storage },
        { "identity", "directory", "an absolute path of at most 180 bytes", "/etc/comity/identity",
          set_identity },
        { "network", "listen", "HOST:PORT, or empty for outbound connections only", "",
          set_listen },
        { "network", "address", "HOST:PORT at which peers reach this node, or empty", "",
          set_address },
        { "network", "dial", "yes or no", "yes", set_dial },
        { "control", "socket", "an absolute path of at most 107 bytes", "/run/comity/control.sock",
          set_socket },
        { "control", "operators", ACCESS_RULE, NULL, set_operators },
        { "control", "approvers", ACCESS_RULE, "", set_approvers },
        { "control", "auditors", ACCESS_RULE, "", set_auditors },
        { "log", "level", "error, warning, info or debug", "info", set_level },
    };
    static_assert(sizeof(keys) / sizeof(keys[0]) <= CONFIG_KEYS_MAX, "line_of must hold every key");
    *ret_count = sizeof(keys) / sizeof(keys[0]);
    return keys;
}

bool config_key_section_is_known(const char *section)
{
    size_t count = 0;
    const struct config_key *keys = config_keys(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(keys[i].section, section) == 0)
            return true;
    return false;
}
