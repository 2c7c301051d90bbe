/* Files that people import.  The first byte chooses: `e` excerpts, anything else figures.  Either
 * all is taken, or there are problems; what is taken comes back from its export. */
#include "fuzz.h"

#include "base/memory.h"
#include "record/excerpt.h"
#include "record/sdmx.h"

static void try_excerpts(struct span file, struct problems *problems)
{
    struct excerpt_list list = { NULL, 0, 0 };
    enum status status = excerpt_import(file, problems, &list, NULL);
    FUZZ_REQUIRE((status == OK) == (problems->total == 0 && list.count > 0));
    for (size_t i = 0; i < list.count; i++) {
        struct buf bytes = BUF_INIT;
        FUZZ_REQUIRE(excerpt_encode(&list.items[i], &bytes, NULL) == OK);
        buf_fini(&bytes);
    }
    excerpt_list_fini(&list);
}

static void try_again(const struct sdmx_release *first, const struct sdmx_import_options *options)
{
    struct release release;
    struct buf text = BUF_INIT;
    struct problems problems;
    struct sdmx_release_list list = { NULL, 0, 0 };
    problems_init(&problems, NULL);
    FUZZ_REQUIRE(release_decode(NULL, buf_span(&first->bytes), &release, NULL) == OK);
    FUZZ_REQUIRE(sdmx_export(&release, &text, NULL) == OK);
    FUZZ_REQUIRE(sdmx_import(buf_span(&text), options, &problems, &list, NULL) == OK);
    FUZZ_REQUIRE(list.count == 1);
    FUZZ_REQUIRE(span_equal(buf_span(&list.items[0].bytes), buf_span(&first->bytes)));
    sdmx_release_list_fini(&list);
    release_fini(&release);
    problems_fini(&problems);
    buf_fini(&text);
}

static void try_figures(struct span file, struct problems *problems)
{
    static const struct sdmx_import_options options = { .source = "Registry" };
    struct sdmx_release_list list = { NULL, 0, 0 };
    enum status status = sdmx_import(file, &options, problems, &list, NULL);
    FUZZ_REQUIRE((status == OK) == (list.count > 0));
    FUZZ_REQUIRE(status != OK || problems->total == 0);
    for (size_t i = 0; i < list.count && i < 4; i++)
        try_again(&list.items[i], &options);
    sdmx_release_list_fini(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    int64_t live = mem_live();
    struct problems problems;
    problems_init(&problems, "fuzz");
    struct span file = span_of(data + 1, size - 1);
    if (data[0] == 'e')
        try_excerpts(file, &problems);
    else
        try_figures(file, &problems);
    for (size_t i = 0; i < problems.count; i++) {
        struct buf line = BUF_INIT;
        FUZZ_REQUIRE(problem_format(&problems, &problems.items[i], &line, NULL) == OK);
        buf_fini(&line);
    }
    problems_fini(&problems);
    FUZZ_REQUIRE(mem_live() == live);
    return 0;
}
