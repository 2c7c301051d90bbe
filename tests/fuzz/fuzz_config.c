/* A configuration file of any bytes is taken or refused with its problems, and nothing else. */
#include "fuzz.h"

#include "node/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config;
    struct buf problems = BUF_INIT;
    struct error err = ERROR_INIT;
    enum status status = config_parse("c", span_of(data, size), &config, &problems, &err);
    FUZZ_REQUIRE((status == ERR_INVALID) == (problems.size > 0));
    if (status == OK) {
        FUZZ_REQUIRE(config.name != NULL && config.storage_directory != NULL);
        FUZZ_REQUIRE(config.dial || config.listen_host != NULL);
        config_fini(&config);
    }
    buf_fini(&problems);
    return 0;
}
