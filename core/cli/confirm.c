#include "cli/confirm.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"

/* The first letter of the line decides; the end of the input is a no. */
static bool read_yes(void)
{
    int first = getchar(), c = first;
    while (c != '\n' && c != EOF)
        c = getchar();
    return first == 'y' || first == 'Y';
}

bool confirm(bool is_yes, const char *format, ...)
{
    char what[512];
    va_list args;
    if (is_yes) return true;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (!isatty(STDIN_FILENO)) {
        cli_usage_error("--yes does it without being asked", "this %s", what);
        return false;
    }
    fprintf(stderr, "This %s. Go on? [y/N] ", what);
    fflush(stderr);
    if (read_yes()) return true;
    fputs("nothing was changed\n", stderr);
    return false;
}
