/* The figures and excerpts that the project carries can be imported, and come out as they went in.
 */
#include "support/check.h"

#include "base/memory.h"
#include "record/excerpt.h"
#include "record/sdmx.h"
#include "support/record_file.h"

static void the_project_s_figures_import_and_export_to_the_same_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *file, *publisher;
        size_t releases, observations;
    } cases[] = {
        { "data/statistics/au_extradition.csv", "AU", 8, 144 },
        { "data/statistics/au_mutual_assistance.csv", "AU", 12, 24 },
        { "data/statistics/gb_extradition.csv", "GB", 15, 53 },
        { "data/statistics/gb_surrender_by_state.csv", "GB", 5, 60 },
        { "data/statistics/ie_surrender.csv", "IE", 4, 28 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf file = record_file(cases[i].file), again = BUF_INIT;
        struct sdmx_release_list list = { NULL, 0, 0 }, second = { NULL, 0, 0 };
        struct problems problems;
        struct error err = ERROR_INIT;
        struct code publisher;
        CHECK_OK(code_parse(cases[i].publisher, &publisher, &err), &err);
        struct sdmx_import_options options = { &publisher, NULL };
        problems_init(&problems, cases[i].file);
        CHECK_OK(sdmx_import(buf_span(&file), &options, &problems, &list, &err), &err);
        assert_int_equal(list.count, cases[i].releases);
        size_t observations = 0;
        struct release releases[16];
        const struct release *pointers[16];
        for (size_t k = 0; k < list.count; k++) {
            observations += list.items[k].observation_count;
            CHECK_OK(release_decode(NULL, buf_span(&list.items[k].bytes), &releases[k], &err),
                     &err);
            pointers[k] = &releases[k];
        }
        assert_int_equal(observations, cases[i].observations);
        CHECK_OK(sdmx_export_all(pointers, list.count, &again, &err), &err);
        CHECK_OK(sdmx_import(buf_span(&again), &options, &problems, &second, &err), &err);
        assert_int_equal(second.count, list.count);
        for (size_t k = 0; k < list.count; k++) {
            assert_true(
                span_equal(buf_span(&list.items[k].bytes), buf_span(&second.items[k].bytes)));
            release_fini(&releases[k]);
        }
        sdmx_release_list_fini(&list);
        sdmx_release_list_fini(&second);
        problems_fini(&problems);
        buf_fini(&file);
        buf_fini(&again);
    }
}

static void the_project_s_excerpts_import(void **state)
{
    (void)state;
    static const char *const files[] = { "data/excerpts/au.csv", "data/excerpts/gb.csv",
                                         "data/excerpts/ie.csv", "data/excerpts/ke.csv" };
    for (size_t i = 0; i < COUNT(files); i++) {
        struct buf file = record_file(files[i]);
        struct excerpt_list list = { NULL, 0, 0 };
        struct problems problems;
        struct error err = ERROR_INIT;
        problems_init(&problems, files[i]);
        CHECK_OK(excerpt_import(buf_span(&file), &problems, &list, &err), &err);
        assert_true(list.count >= 2);
        excerpt_list_fini(&list);
        problems_fini(&problems);
        buf_fini(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_project_s_figures_import_and_export_to_the_same_bytes),
        cmocka_unit_test(the_project_s_excerpts_import),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
