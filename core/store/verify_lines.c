#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/plain.h"
#include "store/verify_inner.h"

#define READ_BYTES 262144u

bool verify_lines_open(struct verify_lines *lines, const char *path, struct fault *why)
{
    *lines = (struct verify_lines){.path = path, .fd = plain_open(path, why)};
    buf_init(&lines->bytes);
    return lines->fd >= 0;
}

void verify_lines_close(struct verify_lines *lines)
{
    if (lines->fd >= 0) close(lines->fd);
    buf_clear(&lines->bytes);
}

static bool read_more(struct verify_lines *lines, struct fault *why)
{
    if (buf_len(&lines->bytes) > LIMIT_VERIFY_LINE_BYTES)
        return fault_set(why, FAULT_INTERNAL, "%s: line %llu is longer than %u bytes", lines->path,
                         (unsigned long long)lines->line + 1, LIMIT_VERIFY_LINE_BYTES);
    char *at = buf_reserve(&lines->bytes, READ_BYTES);
    ssize_t n;
    while ((n = read(lines->fd, at, READ_BYTES)) < 0 && errno == EINTR)
        continue;
    if (n < 0) return fault_set(why, FAULT_INTERNAL, "%s: %s", lines->path, strerror(errno));
    buf_grew(&lines->bytes, (size_t)n);
    lines->is_over = n == 0;
    return true;
}

/* Looks for the newline only in what was not looked at before. */
static bool find_end(struct verify_lines *lines, size_t *end, struct fault *why)
{
    for (size_t at = 0;;) {
        struct slice all = buf_slice(&lines->bytes);
        const char *newline = all.len > at ? memchr(all.ptr + at, '\n', all.len - at) : NULL;
        *end = newline ? (size_t)(newline - all.ptr) : all.len;
        if (newline || lines->is_over) return true;
        at = all.len;
        if (!read_more(lines, why)) return false;
    }
}

/* The line that was given before is still there, so that it may be read: it goes now. */
enum verify_line verify_lines_next(struct verify_lines *lines, struct slice *line, struct fault *why)
{
    size_t end;
    buf_consume(&lines->bytes, lines->given);
    lines->given = 0;
    if (!find_end(lines, &end, why)) return VERIFY_LINE_FAILED;
    bool is_ended = end < buf_len(&lines->bytes);
    if (!is_ended && end == 0) return VERIFY_NO_LINE;
    *line = slice_of(buf_ptr(&lines->bytes), end);
    lines->given = end + is_ended;
    lines->line++;
    return VERIFY_LINE;
}
