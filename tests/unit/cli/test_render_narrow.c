/* Tables on a terminal that is narrower than they are. */
#include "support/check.h"

#include "base/memory.h"
#include "cli/render_narrow.h"

#include <locale.h>

#define ID_A "01a213301ed427eb7a951153b3aee99f"
#define ID_B "01a213301ed4b51b4b81e9c5f68b37fe"
#define TIME "2026-11-25T14:50:59Z"

static struct error err;
static char shown[4096];

static void show(const struct reply_section *section, size_t width)
{
    FILE *out = tmpfile();
    assert_non_null(out);
    struct render render = { .out = out, .messages = out, .mode = RENDER_TABLE, .width = width };
    CHECK_OK(render_table(&render, section, &err), &err);
    rewind(out);
    shown[fread(shown, 1, sizeof(shown) - 1, out)] = '\0';
    (void)fclose(out);
}

static struct reply_column given_columns[] = {
    { "to", "To", false },           { "index", "Place", true },  { "record", "Record", false },
    { "version", "Version", true },  { "kind", "Kind", false },   { "title", "Title", false },
    { "consent", "Consent", false }, { "state", "State", false }, { "sent", "Sent", false },
    { "why", "Why", false },
};
static const char *given_cells[] = {
    "UNODC",
    "12",
    ID_A,
    "1",
    "release",
    "Extradition requests, 2012-07-01/P1Y",
    ID_B,
    "erased",
    TIME,
    "-",
    "AU",
    "3",
    ID_B,
    "10",
    "good-practice",
    "Short",
    ID_A,
    "held",
    TIME,
    "it went back at their request, and they say that it was never read by anybody",
};
static const struct reply_section given = { .name = "given",
                                            .title = "Given",
                                            .kind = SECTION_TABLE,
                                            .columns = given_columns,
                                            .column_count = COUNT(given_columns),
                                            .cells = given_cells,
                                            .row_count = 2 };

static void what_has_no_room_beside_the_others_stands_below_its_row(void **state)
{
    (void)state;
    show(&given, 80);
    assert_string_equal(
        shown, "Given\n"
               "To    Place Record           Version Kind          Title\n"
               "UNODC    12 01a213301ed427eb       1 release       Extradition requests,\n"
               "                                                   2012-07-01/P1Y\n"
               "    Consent: 01a213301ed4b51b  State: erased  Sent: 2026-11-25T14:50:59Z\n"
               "AU        3 01a213301ed4b51b      10 good-practice Short\n"
               "    Consent: 01a213301ed427eb  State: held  Sent: 2026-11-25T14:50:59Z\n"
               "    Why: it went back at their request, and they say that it was never read by\n"
               "        anybody\n");
}

static void a_table_that_fits_and_one_for_a_file_stay_as_they_are(void **state)
{
    (void)state;
    show(&given, 300);
    CHECK_CONTAINS(shown, ID_A);
    char wide[sizeof(shown)];
    (void)snprintf(wide, sizeof(wide), "%s", shown);
    show(&given, 0);
    assert_string_equal(shown, wide);
}

static void no_line_is_wider_than_the_terminal_however_narrow(void **state)
{
    (void)state;
    for (size_t width = 40; width < 200; width++) {
        show(&given, width);
        for (char *line = shown; *line != '\0'; line += strcspn(line, "\n") + 1)
            if (strcspn(line, "\n") > width)
                fail_msg("%zu places: %s", width, line);
    }
}

static void commands_and_the_names_of_fields_are_not_broken(void **state)
{
    (void)state;
    static struct reply_column columns[] = { { "what", "What", false },
                                             { "text", "About", false },
                                             { "command", "Next", false } };
    static const char *cells[] = {
        "alarm",
        "goes on in comity.v1/training/feed/KE/UNODC/d58b7929e5e7f424 from now on",
        "comityctl alarm close 1 --reason WHY",
        "note",
        "-",
        "comityctl consent approve " ID_A " --digest 0123456789012345678901234567890123456789",
    };
    struct reply_section tasks = { .title = "",
                                   .kind = SECTION_TABLE,
                                   .columns = columns,
                                   .column_count = 3,
                                   .cells = cells,
                                   .row_count = 1 };
    show(&tasks, 70);
    assert_string_equal(shown,
                        "What  About                       Next\n"
                        "alarm goes on in                  comityctl alarm close 1 --reason WHY\n"
                        "      comity.v1/training/feed/KE/\n"
                        "      UNODC/d58b7929e5e7f424 from\n"
                        "      now on\n");
    tasks.row_count = 2;
    show(&tasks, 70);
    CHECK_CONTAINS(shown, "\n    Next: comityctl alarm close 1 --reason WHY\n");
    CHECK_CONTAINS(shown, "\n    Next: comityctl consent approve " ID_A " --digest 0123");
    static struct reply_column fields[] = { { "a", "Revocation list until", false },
                                            { "b", "Fingerprint", false } };
    static const char *values[] = { "2027-02-23", "92777 66257 56251 88782 25119 67214 81905" };
    show(&(struct reply_section){ .title = "Peer",
                                  .kind = SECTION_FIELDS,
                                  .columns = fields,
                                  .column_count = 2,
                                  .cells = values,
                                  .row_count = 1 },
         50);
    assert_string_equal(shown, "Peer\n"
                               "Revocation list until 2027-02-23\n"
                               "Fingerprint           92777 66257 56251 88782\n"
                               "                      25119 67214 81905\n");
}

static void wide_characters_count_as_the_places_that_they_take(void **state)
{
    (void)state;
    static struct reply_column columns[] = { { "a", "A", false }, { "b", "B", false } };
    static const char *cells[] = {
        /* 司法部, twice, and a word with a combining acute */
        "\xe5\x8f\xb8\xe6\xb3\x95\xe9\x83\xa8\xe5\x8f\xb8\xe6\xb3\x95\xe9\x83\xa8",
        "re\xcc\x81publique one two three four five six"
    };
    show(&(struct reply_section){ .title = "",
                                  .kind = SECTION_TABLE,
                                  .columns = columns,
                                  .column_count = 2,
                                  .cells = cells,
                                  .row_count = 1 },
         40);
    assert_string_equal(shown,
                        "A            B\n"
                        "\xe5\x8f\xb8\xe6\xb3\x95\xe9\x83\xa8\xe5\x8f\xb8\xe6\xb3\x95\xe9\x83\xa8 "
                        "re\xcc\x81publique one two three\n"
                        "             four five six\n");
}

static void a_narrow_table_without_memory_says_so(void **state)
{
    (void)state;
    bool hit = true;
    for (uint64_t nth = 1; hit; nth++) {
        FILE *out = tmpfile();
        assert_non_null(out);
        struct render render = { .out = out, .messages = out, .width = 60 };
        mem_fail_at(nth, false);
        enum status status = render_table(&render, &given, &err);
        hit = mem_fail_hit();
        mem_fail_at(0, false);
        assert_int_equal(status, hit ? ERR_MEMORY : OK);
        assert_int_equal(mem_live(), 0);
        (void)fclose(out);
    }
}

int main(void)
{
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_no_room_beside_the_others_stands_below_its_row),
        cmocka_unit_test(a_table_that_fits_and_one_for_a_file_stay_as_they_are),
        cmocka_unit_test(no_line_is_wider_than_the_terminal_however_narrow),
        cmocka_unit_test(commands_and_the_names_of_fields_are_not_broken),
        cmocka_unit_test(wide_characters_count_as_the_places_that_they_take),
        cmocka_unit_test(a_narrow_table_without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
