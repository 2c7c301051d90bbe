/* The scripts of certs/: what they make is what this node accepts, and their refusals. */
#include "base/clock.h"
#include "crypto/card.h"
#include "crypto/pem.h"
#include "support/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/comity-authority-XXXXXX";
static struct card_rule rule;

/* Runs one of the scripts in the test's own folder; its words go to `said`. */
static int run(const char *command, char *said, size_t room)
{
    char line[1024];
    snprintf(line, sizeof(line), "D=%s; %s 2>&1 </dev/null", directory, command);
    FILE *out = popen(line, "r"); /* NOLINT(cert-env33-c): the test's own commands */
    assert_non_null(out);
    size_t size = fread(said, 1, room - 1, out);
    said[size] = '\0';
    int status = pclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void must(const char *command)
{
    char said[4096];
    if (run(command, said, sizeof(said)) != 0)
        fail_msg("%s: %s", command, said);
}

static int make_authority(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    must("certs/make-anchor --realm training --code KE --authority $D/a --no-passphrase");
    must("certs/make-requests --realm training --code KE --directory $D/s");
    must("for r in tls log receipt witness; do certs/issue --authority $D/a --role $r "
         "--request $D/s/$r.csr --out $D/s/$r.crt || exit 1; done");
    must("cp $D/a/anchor.crt $D/a/crl.pem $D/s");
    must("certs/make-card --realm training --code KE --name K\xc3\xa9nya --address a.example:7400 "
         "--directory $D/s --out $D/card.pem");
    struct clock *clock = clock_system();
    rule = (struct card_rule){ .realm = { "training" },
                               .self = { "GB" },
                               .now_ms = clock->wall_ms(clock) };
    return 0;
}

static int remove_authority(void **state)
{
    (void)state;
    must("rm -rf $D");
    return 0;
}

static enum status read_card(const char *name, struct card *ret_card, struct error *err)
{
    char path[128];
    static char text[CARD_MAX];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof(text), file);
    fclose(file);
    return card_read(span_of(text, size), &rule, ret_card, NULL, err);
}

static void the_card_of_an_authority_is_accepted(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct card card = { 0 };
    CHECK_OK(read_card("card.pem", &card, &err), &err);
    assert_string_equal(card.code.text, "KE");
    assert_string_equal(card.name, "K\xc3\xa9nya");
    assert_true(card.crl.size > 0);
    struct buf again = BUF_INIT;
    CHECK_OK(card_encode(&card, &again, &err), &err);
    buf_fini(&again);
    card_fini(&card);
}

static void the_script_prints_the_same_fingerprint(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct card card = { 0 };
    struct fingerprint ours;
    struct fingerprint theirs;
    char said[256];
    CHECK_OK(read_card("card.pem", &card, &err), &err);
    CHECK_OK(fingerprint_of(&card.realm, &card.code, buf_span(&card.anchor), &ours, &err), &err);
    assert_int_equal(run("certs/fingerprint --realm training --code KE --anchor $D/a/anchor.crt",
                         said, sizeof(said)),
                     0);
    assert_memory_equal(said, "fingerprint: ", 13);
    CHECK_OK(fingerprint_parse(said + 13, &theirs, &err), &err);
    assert_int_equal(fingerprint_difference(&ours, &theirs), 0);
    card_fini(&card);
}

static void the_server_keys_belong_to_the_certificates(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        char path[128];
        struct private_key *key = NULL;
        struct buf der = BUF_INIT;
        snprintf(path, sizeof(path), "%s/s/%s.key", directory, role_name((enum role)i));
        CHECK_OK(private_key_read(path, &key, &err), &err); /* and its mode is 0600 */
        snprintf(path, sizeof(path), "%s/s/%s.crt", directory, role_name((enum role)i));
        CHECK_OK(pem_read(PEM_CERTIFICATE, path, &der, &err), &err);
        CHECK_OK(certificate_check_key(buf_span(&der), key, &err), &err);
        private_key_free(key);
        buf_fini(&der);
    }
}

static void a_revoked_certificate_spoils_the_card(void **state)
{
    (void)state;
    struct error err = ERROR_INIT;
    struct card card = { 0 };
    must("certs/make-requests --realm training --code KE --role log --directory $D/next");
    must("certs/rotate --authority $D/a --role log --old $D/s/log.crt --request $D/next/log.csr "
         "--out $D/next/log.crt --revoke superseded");
    must("cp -r $D/s $D/old && cp $D/a/crl.pem $D/old");
    must("certs/make-card --realm training --code KE --name Kenya --directory $D/old "
         "--out $D/revoked.pem");
    CHECK_STATUS(read_card("revoked.pem", &card, &err), ERR_DENIED, &err);
    CHECK_CONTAINS(err.text, "KE's log certificate");
    CHECK_CONTAINS(err.text, "list number 2");
    must("certs/renew-list --authority $D/a --days 30");
    must("cp -r $D/old $D/new && cp $D/next/log.crt $D/a/crl.pem $D/new");
    must("certs/make-card --realm training --code KE --name Kenya --directory $D/new "
         "--out $D/renewed.pem");
    CHECK_OK(read_card("renewed.pem", &card, &err), &err);
    struct crl *crl = NULL;
    CHECK_OK(crl_parse(buf_span(&card.crl), &crl, &err), &err);
    assert_int_equal(crl_facts(crl).number, 3);
    assert_int_equal(crl_facts(crl).revoked, 1);
    crl_free(crl);
    card_fini(&card);
}

static void the_hash_trap_is_noticed(void **state)
{
    (void)state;
    char said[4096];
    /* The same configuration, written with the sign that OpenSSL takes for a comment. */
    must("mkdir $D/trap && cp certs/* $D/trap && "
         "sed -i 's/URI:$ENV::COMITY_URI/URI:urn:comity:training:ke#log/' $D/trap/openssl.cnf");
    must("certs/make-requests --realm training --code KE --role witness --directory $D/trapped");
    assert_int_equal(run("$D/trap/issue --authority $D/a --role witness "
                         "--request $D/trapped/witness.csr --out $D/trapped/witness.crt",
                         said, sizeof(said)),
                     1);
    CHECK_CONTAINS(said, "was written with 'URI:urn:comity:training:ke'");
    CHECK_CONTAINS(said, "do not use it");
}

static void a_passphrase_protects_the_anchor(void **state)
{
    (void)state;
    char said[4096];
    must("echo correct horse battery >$D/phrase; echo wrong horse >$D/wrong");
    must(
        "certs/make-anchor --realm live --code UNODC --authority $D/u --passphrase-file $D/phrase");
    must("grep -q 'ENCRYPTED PRIVATE KEY' $D/u/anchor.key");
    must("certs/renew-list --authority $D/u --passphrase-file $D/phrase");
    assert_int_equal(
        run("certs/renew-list --authority $D/u --passphrase-file $D/wrong", said, sizeof(said)), 1);
    CHECK_CONTAINS(said, "passphrase does not open");
    assert_null(strstr(said, "error:"));
    must("cd $D && $OLDPWD/certs/make-anchor --realm live --code EU --authority eu "
         "--passphrase-file phrase");
}

static void what_is_not_finished_leaves_nothing(void **state)
{
    (void)state;
    char said[4096];
    /* No terminal on which the passphrase could be asked for. */
    assert_int_not_equal(run("setsid certs/make-anchor --realm training --code KE --authority $D/v",
                             said, sizeof(said)),
                         0);
    assert_int_equal(run("test -e $D/v", said, sizeof(said)), 1);
    must("certs/make-requests --realm training --code KE --role log --directory $D/half && "
         "cp -r $D/a $D/before");
    static const char *const refused[] = {
        "certs/issue --authority $D/a --role log --request $D/half/log.csr --out $D/none/x",
        "faketime 2060-01-01 certs/issue --authority $D/a --role log --request $D/half/log.csr "
        "--out $D/x",
        "certs/rotate --authority $D/a --role log --old $D/next/log.crt --request $D/half/log.csr "
        "--out $D/x --revoke boredom",
        "certs/rotate --authority $D/a --role log --old $D/s/log.crt --request $D/half/log.csr "
        "--out $D/x --revoke superseded",
        "certs/rotate --authority $D/a --role log --old $D/next/log.crt --request $D/half/log.csr "
        "--out $D/x --revoke superseded",
        "certs/revoke --authority $D/a --certificate $D/next/log.crt",
        "certs/renew-list --authority $D/a",
        "faketime 2060-01-01 certs/renew-list --authority $D/a",
        "faketime 2060-01-01 certs/revoke --authority $D/a --certificate $D/next/log.crt",
    };
    must("cp $D/before/crl.pem $D/a/lists/$(cat $D/a/crlnumber).pem"); /* an old copy of it */
    must("cp $D/before/crl.pem $D/before/lists/$(cat $D/a/crlnumber).pem");
    for (size_t i = 0; i < COUNT(refused); i++) {
        assert_int_equal(run(refused[i], said, sizeof(said)), 1);
        if (run("diff -r $D/a $D/before && test ! -e $D/x", said, sizeof(said)) != 0)
            fail_msg("%s: %s", refused[i], said);
    }
    must("rm $D/a/lists/$(cat $D/a/crlnumber).pem");
}

static void an_old_anchor_vouches_for_a_new_one_and_for_no_other(void **state)
{
    (void)state;
    char said[4096];
    static const struct {
        const char *link, *old, *new, *says;
    } refused[] = {
        { "l.crt", "gb/anchor.crt", "n/anchor.crt", "one of" },
        { "l.crt", "n/anchor.crt", "a/anchor.crt", "does not carry the key" },
        { "l.crt", "o/anchor.crt", "n/anchor.crt", "was not signed by" },
        { "n/anchor.crt", "a/anchor.crt", "n/anchor.crt", "was not signed by" },
        { "n/anchor.crt", "n/anchor.crt", "n/anchor.crt", "the same anchor" },
        { "s/log.crt", "a/anchor.crt", "n/anchor.crt", "one of" },
    };
    must("for f in n o; do certs/make-anchor --realm training --code KE --authority $D/$f "
         "--no-passphrase || exit 1; done");
    must("certs/make-anchor --realm training --code GB --authority $D/gb --no-passphrase");
    must("certs/link --authority $D/a --new $D/n/anchor.crt --out $D/l.crt");
    must("certs/link --check $D/l.crt --old $D/a/anchor.crt --new $D/n/anchor.crt "
         "--realm training --code KE");
    assert_int_equal(
        run("certs/link --authority $D/a --new $D/gb/anchor.crt --out $D/x", said, sizeof(said)),
        1);
    CHECK_CONTAINS(said, "is the certificate of 'urn:comity:training:gb:anchor'");
    assert_int_equal(
        run("certs/link --authority $D/a --new $D/a/anchor.crt --out $D/x", said, sizeof(said)), 1);
    CHECK_CONTAINS(said, "nothing to link");
    for (size_t i = 0; i < COUNT(refused); i++) {
        char command[300];
        snprintf(command, sizeof(command),
                 "certs/link --check $D/%s --old $D/%s --new $D/%s --realm training --code KE",
                 refused[i].link, refused[i].old, refused[i].new);
        if (run(command, said, sizeof(said)) != 1 || strstr(said, refused[i].says) == NULL)
            fail_msg("%zu: %s", i, said);
    }
}

/* With SoftHSM and the engine, where they are installed. */
static void the_key_of_an_anchor_can_stay_in_a_hardware_module(void **state)
{
    (void)state;
    char said[4096];
    if (run("command -v softhsm2-util pkcs11-tool && openssl engine pkcs11", said, sizeof(said)) !=
        0) {
        print_message("no SoftHSM, OpenSC or engine here\n");
        return;
    }
    must("mkdir $D/tokens; printf 'directories.tokendir = %s/tokens\\n' $D >$D/softhsm.conf");
#define HSM                                 \
    "export SOFTHSM2_CONF=$D/softhsm.conf " \
    "PKCS11_MODULE_PATH=$(find /usr/lib -name libsofthsm2.so | head -n 1); "
    must(HSM "softhsm2-util --init-token --free --label ke --pin 1234 --so-pin 5678");
    must(HSM "pkcs11-tool --module $PKCS11_MODULE_PATH --login --pin 1234 --token-label ke "
             "--keypairgen --key-type EC:prime256v1 --label anchor --id 01");
    must(HSM "certs/make-anchor --realm training --code KE --authority $D/h "
             "--hsm 'pkcs11:token=ke;object=anchor;type=private?pin-value=1234'");
    must("test ! -e $D/h/anchor.key && certs/make-requests --realm training --code KE "
         "--directory $D/hs");
    must(HSM "certs/issue --authority $D/h --role log --request $D/hs/log.csr --out $D/hs/log.crt");
    must(HSM "certs/renew-list --authority $D/h");
    must("openssl verify -CAfile $D/h/anchor.crt $D/hs/log.crt");
    assert_int_equal(run("certs/make-anchor --realm training --code KE --authority $D/x "
                         "--hsm 'pkcs11:token=a b'",
                         said, sizeof(said)),
                     1);
    CHECK_CONTAINS(said, "has a blank");
}

static void every_script_explains_itself(void **state)
{
    (void)state;
    static const char *const names[] = {
        "make-anchor", "make-requests", "issue",       "revoke", "renew-list",
        "rotate",      "make-card",     "fingerprint", "link",
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        char command[128];
        char said[4096];
        snprintf(command, sizeof(command), "certs/%s --help", names[i]);
        assert_int_equal(run(command, said, sizeof(said)), 0);
        assert_memory_equal(said, names[i], strlen(names[i]));
        snprintf(command, sizeof(command), "certs/%s --nonsense", names[i]);
        assert_int_equal(run(command, said, sizeof(said)), 2);
        CHECK_CONTAINS(said, "unknown option '--nonsense'");
        CHECK_CONTAINS(said, "--help");
    }
}

/* Each option that a script takes has a line of its own in its help, and each line is of one. */
static void help_and_options_agree(void **state)
{
    (void)state;
    must(
        "for s in make-anchor make-requests issue revoke renew-list rotate make-card fingerprint "
        "link; do certs/$s --help | sed -n 's/^  \\(--[a-z-]*\\).*/\\1/p' | sort >$D/told; "
        "sed -n 's/^    \\(--[a-z-]*\\)) .*/\\1/p' certs/$s | grep -vx -e --help | sort >$D/taken; "
        "test -s $D/told && diff $D/told $D/taken || { echo $s; exit 1; }; done");
}

static void scripts_refuse_with_a_reason(void **state)
{
    (void)state;
#define CARD "certs/make-card --realm training --code KE --directory $D/s --out $D/x "
    const struct {
        const char *command;
        int code;
        const char *says;
    } rows[] = {
        { "certs/make-anchor --realm training --code KE --authority $D/a", 1, "is there already" },
        { "certs/make-anchor --realm 'tr#x' --code KE --authority $D/x", 1, "is not a realm" },
        { "certs/make-anchor --realm training --code ke --authority $D/x", 1, "node's code" },
        { "certs/make-anchor --realm training --code KE", 2, "missing: --authority" },
        { "certs/make-anchor --realm training --code KE --authority $D/x --days 5", 1, "365" },
        { "certs/make-anchor --realm", 2, "--realm needs a value" },
        { "certs/make-requests --realm training --code KE --directory $D/s", 1,
          "is there already" },
        { "certs/issue --authority $D/a --role boss --request $D/s/log.csr --out $D/x", 1,
          "'boss' is not a role" },
        { "certs/issue --authority $D/a --role tls --request $D/s/log.csr --out $D/x", 1,
          "another key than P-256" },
        { "certs/issue --authority $D/a --role log --request $D/s/tls.csr --out $D/x", 1,
          "another key than Ed25519" },
        { "certs/issue --authority $D/a --role witness --request $D/s/log.csr --out $D/x", 1,
          "has a certificate already" },
        { "certs/issue --authority $D/a --role log --request $D/s/log.csr --out $D/s/log.crt", 1,
          "is there already" },
        { "certs/issue --authority $D/s --role log --request $D/s/log.csr --out $D/x", 1,
          "not an authority's folder" },
        { "certs/issue --authority $D/a --role log --request $D/none --out $D/x", 1,
          "not a file that can be read" },
        { "certs/issue --authority $D/a --role log --request $D/s/log.crt --out $D/x", 1,
          "not a request" },
        { "certs/revoke --authority $D/a --certificate $D/a/anchor.crt", 1,
          "cannot revoke itself" },
        { "certs/revoke --authority $D/a --certificate $D/s/log.csr", 1, "not a certificate" },
        { "certs/revoke --authority $D/a --certificate $D/s/log.crt --reason boredom", 1,
          "not a reason" },
        { "certs/revoke --authority $D/a --certificate $D/s/log.crt", 1, "is revoked already" },
        { "certs/make-card --realm training --code KE --name K --directory $D/s --out $D/card.pem",
          1, "is there already" },
        { "certs/make-card --realm live --code KE --name K --directory $D/s --out $D/x", 1,
          "one of 'urn:comity:live:ke:anchor' belongs here" },
        { CARD "--name K --address a.example", 1, "'a.example' is not an address" },
        { CARD "--name K --address a.example:65536", 1, "is not an address" },
        { CARD "--name K --address ::1:7400", 1, "is not an address" },
        { CARD "--name $(printf 'K\\377')", 1, "not UTF-8" },
        { CARD "--name $(printf %201s | tr ' ' K)", 1, "201 bytes" },
        { "cp -r $D/s $D/c && cp $D/s/tls.crt $D/c/crl.pem; "
          "certs/make-card --realm training --code KE --name K --directory $D/c --out $D/x",
          1, "not a revocation list of this anchor" },
        { "certs/make-card --realm training --code KE --name K --directory $D/s --out $D/none/x", 1,
          "not a folder" },
        { "certs/make-card", 2, "missing: --realm, --code, --name, --directory, --out" },
        { "certs/make-anchor --realm live --code KE --authority $D/x --passphrase-file $D/none", 1,
          "not a file that can" },
        { ": >$D/nothing; certs/make-anchor --realm live --code KE --authority $D/x "
          "--passphrase-file $D/nothing",
          1, "is empty" },
        { "certs/fingerprint --realm training --code KE --anchor $D/s/log.key", 1,
          "not a certificate" },
        { "certs/fingerprint --realm training --code GB --anchor $D/a/anchor.crt", 1,
          "one of 'urn:comity:training:gb:anchor' belongs here" },
        { "certs/fingerprint --realm training --code KE --anchor $D/none", 1,
          "not a file that can" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char said[4096];
        int code = run(rows[i].command, said, sizeof(said));
        if (code != rows[i].code || strstr(said, rows[i].says) == NULL)
            fail_msg("%s: %d: %s", rows[i].command, code, said);
        char path[64];
        snprintf(path, sizeof(path), "%s/x", directory);
        assert_int_not_equal(access(path, F_OK), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_card_of_an_authority_is_accepted),
        cmocka_unit_test(the_script_prints_the_same_fingerprint),
        cmocka_unit_test(the_server_keys_belong_to_the_certificates),
        cmocka_unit_test(a_revoked_certificate_spoils_the_card),
        cmocka_unit_test(the_hash_trap_is_noticed),
        cmocka_unit_test(a_passphrase_protects_the_anchor),
        cmocka_unit_test(what_is_not_finished_leaves_nothing),
        cmocka_unit_test(an_old_anchor_vouches_for_a_new_one_and_for_no_other),
        cmocka_unit_test(the_key_of_an_anchor_can_stay_in_a_hardware_module),
        cmocka_unit_test(every_script_explains_itself),
        cmocka_unit_test(help_and_options_agree),
        cmocka_unit_test(scripts_refuse_with_a_reason),
    };
    return cmocka_run_group_tests_name("crypto/authority", tests, make_authority, remove_authority);
}
