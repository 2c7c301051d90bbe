/* The keys of the configuration file: what each may be, and how it is set. */
#ifndef COMITY_NODE_CONFIG_KEY_H
#define COMITY_NODE_CONFIG_KEY_H

#include "node/config.h"

enum { CONFIG_KEYS_MAX = 32, CONFIG_HOST_SIZE = 254 };

bool config_key_section_is_known(const char *section);

/* "host:1", "192.0.2.1:1", "[2001:db8::1]:1". */
MUST_CHECK enum status config_key_host_port(const char *value,
                                            char ret_host[static CONFIG_HOST_SIZE],
                                            uint16_t *ret_port,
                                            struct error *err);

#endif
