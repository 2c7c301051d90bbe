/* comityctl: the command line of a State's administrators.  See docs/man/comityctl.1. */
#include "cli/run.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>

int main(int argc, char **argv)
{
    /* Texts are UTF-8 whatever the locale; without this, tables would show it as bytes. */
    if (setlocale(LC_CTYPE, "") == NULL || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    const struct streams streams = { stdout, stderr };
    return run(argc, argv, &streams);
}
