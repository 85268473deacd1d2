/*
 * A file that somebody named, or stdin: read as a whole or line by line, of a bounded size.
 *
 *     struct input in;
 *     if (!input_open(&in, path, &why)) …                                       // NULL: stdin
 *     while ((got = input_line(&in, most, &line, &why)) == INPUT_LINE) …        // valid until the next
 *     if (!input_all(&in, most, &text, &why)) …                                 // or all that there is
 *     input_close(&in);
 *
 * Opening waits for nobody: a named pipe without a writer is empty. Reading waits for stdin and for pipes, as it must.
 * No folder is read. Memory: what was asked for at most, and a block.
 */
#ifndef MOONGATE_BASE_INPUT_H
#define MOONGATE_BASE_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/slice.h"

struct input {
    const char *name; /* "stdin" */
    int fd;
    size_t line; /* number of the line that was given last */
    size_t done; /* its bytes, which go with the next */
    bool is_over;
    struct buf bytes;
};

enum input_got { INPUT_LINE, INPUT_END, INPUT_FAILED };

/* *why names the file. */
bool input_open(struct input *in, const char *path, struct fault *why);
void input_close(struct input *in); /* also of one that could not be opened */
/* Appends. False: it cannot be read, or has more than most bytes. */
bool input_all(struct input *in, size_t most, struct buf *to, struct fault *why);
/* Is there something of that name that is neither a file nor a folder, which others might wait for? */
bool input_is_odd(const char *path);
/* Is it a file, which may be read twice and has an end? *why names what it is instead, and the cure. */
bool input_is_file(const char *path, struct fault *why);
/* Without its end; a last one needs none. */
enum input_got input_line(struct input *in, size_t most, struct slice *line, struct fault *why);

#endif
