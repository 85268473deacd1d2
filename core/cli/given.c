#include "cli/given.h"

#include <string.h>

#include "cli/cli.h"

#define FILE_BYTES_MAX (256u << 20)

static bool is_stdin(const char *path)
{
    return strcmp(path, "-") == 0;
}

const char *given_name(const char *path)
{
    return is_stdin(path) ? "stdin" : path;
}

bool given_open(struct input *in, const char *path, const char *cure)
{
    struct fault why;
    if (input_open(in, is_stdin(path) ? NULL : path, &why)) return true;
    cli_fault(&why, cure);
    return false;
}

bool given_read(const char *path, const char *cure, struct buf *to)
{
    struct fault why;
    struct input in;
    if (!given_open(&in, path, cure)) return false;
    bool ok = input_all(&in, FILE_BYTES_MAX, to, &why);
    if (!ok) cli_fault(&why, NULL);
    input_close(&in);
    return ok;
}
