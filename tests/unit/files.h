/*
 * A file's bytes, for tests that read what is kept elsewhere.
 *
 *     struct buf bytes;
 *     if (!read_file(folder, "manifest.json", &bytes)) ...   // false: it is not there
 *     buf_clear(&bytes);
 */
#ifndef MOONGATE_TESTS_FILES_H
#define MOONGATE_TESTS_FILES_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"

static inline bool read_file(const char *folder, const char *name, struct buf *to)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    buf_init(to);
    if (!file) return false;
    for (size_t len = 1; len > 0;) {
        char *at = buf_reserve(to, 65536);
        len = fread(at, 1, 65536, file);
        buf_grew(to, len);
    }
    fclose(file);
    return true;
}

#endif
