#ifndef COMITY_BENCH_SOCKETS_H
#define COMITY_BENCH_SOCKETS_H

#include <stdint.h>

/* Payload bytes that all TCP connections of this process have carried, both ways. */
uint64_t sockets_bytes(void);

#endif
