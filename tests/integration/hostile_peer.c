/* A peer with a valid certificate that does not keep to the protocol, for hostile_peer.sh.
 *
 *   hostile_peer IDENTITY REALM SELF PEER PEER-ANCHOR PORT MODE
 *
 * Connects to 127.0.0.1:PORT with the tls key in IDENTITY, says Hello unless MODE begins with
 * "early-", misbehaves, and waits to be shown out.  Exit status 0: the other end closed within
 * WAIT_MS; 1: it did not; 2: it never came so far. */
#include "hostile.h"

#include <stdio.h>
#include <string.h>

enum { FLOOD = 200000 };

/* -- what it does wrong -------------------------------------------------------------------------*/

static void noise(struct hostile *it)
{
    uint8_t frame[1004] = { 0, 0, 1000 >> 8, 1000 & 255 };
    for (size_t i = 4; i < sizeof(frame); i++)
        frame[i] = (uint8_t)(i * 2654435761U >> 13);
    hostile_say(it, SPAN_ARRAY(frame));
}

static void huge(struct hostile *it)
{
    static const uint8_t head[] = { 0x7f, 0xff, 0xff, 0xff };
    hostile_say(it, SPAN_ARRAY(head));
}

static void empty(struct hostile *it)
{
    static const uint8_t head[4];
    hostile_say(it, SPAN_ARRAY(head));
}

/* A message of a kind that the protocol does not have: "give me your records" (field 99). */
static void query(struct hostile *it)
{
    static const uint8_t frame[] = { 0, 0, 0, 8, 0x9a, 0x06, 5, 'q', 'u', 'e', 'r', 'y' };
    hostile_say(it, SPAN_ARRAY(frame));
}

static void hello_again(struct hostile *it)
{
    hostile_say(it, buf_span(&it->hello));
}

/* Nested as deep as a frame allows: protobuf-c would recurse. */
static void nested(struct hostile *it)
{
    static uint8_t frame[4004];
    frame[2] = 4000 >> 8;
    frame[3] = 4000 & 255;
    for (size_t i = 4; i + 2 < sizeof(frame); i += 3) {
        size_t left = sizeof(frame) - i - 3;
        frame[i] = 0x0a;
        frame[i + 1] = (uint8_t)(left % 128 + 128);
        frame[i + 2] = (uint8_t)(left / 128);
    }
    hostile_say(it, SPAN_ARRAY(frame));
}

/* The length of a frame that may come, and then nothing. */
static void unfinished(struct hostile *it)
{
    static const uint8_t head[] = { 0, 0, 8, 0, 0x0a };
    hostile_say(it, SPAN_ARRAY(head));
}

static void flood(struct hostile *it)
{
    for (int i = 0; i < FLOOD && !it->closed; i++) {
        hello_again(it);
        if (i % 64 == 0)
            hostile_listen_for(it, 1, false);
    }
}

static void silence(struct hostile *it)
{
    (void)it;
}

static const struct {
    const char *name;
    void (*act)(struct hostile *);
} modes[] = {
    { "noise", noise },           { "huge", huge },         { "empty", empty },
    { "query", query },           { "hello", hello_again }, { "nested", nested },
    { "unfinished", unfinished }, { "flood", flood },       { "silence", silence },
};

int main(int argc, char **argv)
{
    struct hostile it = { .hello = BUF_INIT };
    struct error err = ERROR_INIT;
    struct realm realm;
    struct code codes[2];
    if (argc != 8 || realm_parse(argv[2], &realm, &err) != OK ||
        code_parse(argv[3], &codes[0], &err) != OK || code_parse(argv[4], &codes[1], &err) != OK)
        hostile_give_up("usage", NULL);
    bool early = strncmp(argv[7], "early-", 6) == 0;
    const char *mode = argv[7] + (early ? 6 : 0);
    hostile_connect_to(&it, argv[6]);
    hostile_secure(&it, argv[1], &realm, codes, argv[5]);
    if (!early)
        hostile_greet(&it, &realm, codes);
    int64_t start_ms = hostile_now_ms();
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(modes[i].name, mode) == 0)
            modes[i].act(&it);
    hostile_listen_for(&it, WAIT_MS, false);
    printf("%s after %lld ms\n", it.closed ? "closed" : "still open",
           (long long)(hostile_now_ms() - start_ms));
    return it.closed ? 0 : 1;
}
