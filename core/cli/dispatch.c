#include "cli/cli.h"

#include <errno.h>
#include <string.h>

#include "base/nearest.h"
#include "cli/terminal.h"

#define COMMANDS_MAX 192

/* How many of argv's words make up this command's name; 0: another command. */
static int words_of(const struct command *c, int argc, char **argv)
{
    struct slice rest = slice_str(c->name), word;
    int n = 0;
    while (rest.len) {
        word = slice_split(rest, ' ', &rest);
        if (n >= argc || !slice_equal(word, slice_str(argv[n]))) return 0;
        n++;
    }
    return n;
}

/* "topup list" before "topup". */
static const struct command *find_command(int argc, char **argv, int *words)
{
    const struct command *found = NULL;
    *words = 0;
    for (const struct command *c = cli_commands; c->name; c++) {
        int n = words_of(c, argc, argv);
        if (n > *words) found = c, *words = n;
    }
    return found;
}

/* "there are keys create, keys list …", of a word that several begin with. */
static void list_family(const char *first, char *cure, size_t size)
{
    size_t at = 0, len = strlen(first);
    for (const struct command *c = cli_commands; c->name && at < size; c++)
        if (strncmp(c->name, first, len) == 0 && c->name[len] == ' ')
            at += (size_t)snprintf(cure + at, size - at, "%s%s", at ? ", " : "there are ", c->name);
}

static int unknown_command(const char *first, const char *second)
{
    const char *names[COMMANDS_MAX];
    size_t count = 0;
    char said[128], cure[160] = "`moongate help` lists the commands";
    snprintf(said, sizeof said, "%s%s%s", first, second ? " " : "", second ? second : "");
    for (const struct command *c = cli_commands; c->name; c++)
        names[count++] = c->name;
    const char *near = nearest_word(slice_str(said), names, count);
    if (!near) near = nearest_word(slice_str(first), names, count);
    if (near) snprintf(cure, sizeof cure, "did you mean `moongate %s`?", near);
    if (!near) list_family(first, cure, sizeof cure);
    return cli_usage_error(cure, "unknown command `%s`", said);
}

/* What could not be printed must not look as if it had been. Who has closed stdout does not read it. */
static int end_output(int code)
{
    int error = terminal_end();
    if (error == 0 || error == EPIPE || error == EBADF) return code;
    return cli_error(CLI_USAGE, NULL, "stdout: %s", strerror(error));
}

static int run_command(int argc, char **argv)
{
    if (argc < 2) {
        command_help(0, NULL);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) return command_help(0, NULL);
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) return command_version(0, NULL);
    int words;
    const struct command *c = find_command(argc - 1, argv + 1, &words);
    if (c) return c->run(argc - 1 - words, argv + 1 + words);
    bool has_second = argc > 2 && argv[2][0] != '-';
    return unknown_command(argv[1], has_second ? argv[2] : NULL);
}

int cli_main(int argc, char **argv)
{
    terminal_guard();
    return end_output(run_command(argc, argv));
}
