#include "flow/audit.h"

#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "flow/record.h"

#define LINES_BYTES_MAX (64u * KIB) /* from here on they are written in the middle of a turn */

struct audit {
    struct loop *loop;
    int fd;
    void (*on_lost)(void *arg, struct slice id);
    void *arg;
    struct buf lines;
    bool is_torn; /* the file ends in half a line */
};

/* Each record begins with {"id":"req_… (record_format). */
static struct slice id_of(struct slice line)
{
    static const struct slice before = {"{\"id\":\"", 7};
    struct slice rest;
    if (!slice_starts(line, before)) return SLICE("a request");
    return slice_split(slice_of(line.ptr + before.len, line.len - before.len), '"', &rest);
}

/* The file has the first `written` of these bytes, and the line that they end in the middle of is lost too. */
static void lose(struct audit *audit, struct slice lines, size_t written)
{
    size_t from = written;
    while (from > 0 && lines.ptr[from - 1] != '\n')
        from--;
    if (from < written) audit->is_torn = true;
    struct slice rest = slice_of(lines.ptr + from, lines.len - from);
    while (rest.len) {
        struct slice line = slice_split(rest, '\n', &rest);
        if (line.len) audit->on_lost(audit->arg, id_of(line));
    }
}

static void flush(void *arg)
{
    struct audit *audit = arg;
    struct slice lines = buf_slice(&audit->lines);
    size_t written = 0;
    while (written < lines.len) {
        ssize_t now = write(audit->fd, lines.ptr + written, lines.len - written);
        if (now > 0) {
            written += (size_t)now;
            audit->is_torn = false;
        } else if (now == 0 || errno != EINTR) {
            break;
        }
    }
    if (written < lines.len) lose(audit, lines, written);
    buf_reset(&audit->lines);
}

struct audit *audit_new(struct loop *loop, int fd, void (*on_lost)(void *arg, struct slice id), void *arg)
{
    struct audit *audit = mem_zalloc(1, sizeof *audit);
    audit->loop = loop;
    audit->fd = fd;
    audit->on_lost = on_lost;
    audit->arg = arg;
    buf_init(&audit->lines);
    loop_at_turn_end(loop, flush, audit);
    return audit;
}

void audit_free(struct audit *audit)
{
    if (!audit) return;
    loop_at_turn_end(audit->loop, NULL, NULL);
    flush(audit);
    buf_clear(&audit->lines);
    mem_free(audit);
}

void audit_add(struct audit *audit, const struct exchange *x)
{
    if (audit->is_torn && buf_len(&audit->lines) == 0) buf_append_char(&audit->lines, '\n');
    record_format(&audit->lines, x);
    if (buf_len(&audit->lines) >= LINES_BYTES_MAX) flush(audit);
}
