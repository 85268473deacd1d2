/*
 * Requests of real clients (../shared/captured, or where MOONGATE_CAPTURED says), for who reads them in some dialect.
 *
 *     size_t count = captured_each(names, sizeof names / sizeof names[0], check);   // 0: there are none here
 */
#ifndef MOONGATE_TESTS_UNIT_CAPTURED_H
#define MOONGATE_TESTS_UNIT_CAPTURED_H

#include "../files.h"

#include <stdlib.h>

#include "oracle.h"

typedef void (*captured_fn)(const char *name, json_t *body);

static inline size_t captured_each(const char *const names[], size_t count, captured_fn check)
{
    const char *folder = getenv("MOONGATE_CAPTURED") ? getenv("MOONGATE_CAPTURED") : "../shared/captured";
    size_t captured = 0;
    for (size_t i = 0; i < count; i++) {
        struct buf text;
        json_error_t error;
        if (!read_file(folder, names[i], &text)) continue;
        json_t *file = json_loadb(buf_ptr(&text), buf_len(&text), 0, &error);
        if (file) check(names[i], json_object_get(file, "body"));
        captured += file != NULL;
        json_decref(file);
        buf_clear(&text);
    }
    return captured;
}

#endif
