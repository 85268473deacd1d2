#include "flow/audit.h"

#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "flow/record.h"

#define RETRY_NS (200 * NS_PER_MS)
#define LINES_BYTES_MAX (64u * KIB) /* from here on they are written in the middle of a turn */

struct audit {
    struct loop *loop;
    int fd;
    void (*on_lost)(void *arg, struct slice id);
    void *arg;
    struct buf lines;
    bool is_torn;    /* the file ends in half a line */
    bool is_failing; /* the last lines did not all fit */
    uint64_t retry_ns;
};

/* Each record begins with {"id":"req_… (record_format). */
static struct slice id_of(struct slice line)
{
    static const struct slice before = {"{\"id\":\"", 7};
    struct slice rest;
    if (!slice_starts(line, before)) return SLICE("a request");
    return slice_split(slice_of(line.ptr + before.len, line.len - before.len), '"', &rest);
}

/* What the file has taken goes; the line that it ends in the middle of stays whole, to be written again. */
static void keep_rest(struct audit *audit, size_t written)
{
    size_t from = written;
    const char *lines = buf_ptr(&audit->lines);
    while (from > 0 && lines[from - 1] != '\n')
        from--;
    audit->is_torn = from < written || (written == 0 && audit->is_torn);
    buf_consume(&audit->lines, from);
}

/* Half a line of before is ended first. -1: not even that fits. */
static ssize_t write_some(struct audit *audit, struct slice lines)
{
    if (audit->is_torn && write(audit->fd, "\n", 1) != 1) return -1;
    audit->is_torn = false;
    return write(audit->fd, lines.ptr, lines.len);
}

static void flush(void *arg)
{
    struct audit *audit = arg;
    struct slice lines = buf_slice(&audit->lines);
    size_t written = 0;
    if (lines.len == 0 || loop_now_ns(audit->loop) < audit->retry_ns) return;
    while (written < lines.len) {
        ssize_t now = write_some(audit, slice_of(lines.ptr + written, lines.len - written));
        if (now > 0)
            written += (size_t)now;
        else if (now == 0 || errno != EINTR)
            break;
    }
    audit->is_failing = written < lines.len;
    audit->retry_ns = audit->is_failing ? loop_now_ns(audit->loop) + RETRY_NS : 0;
    keep_rest(audit, written);
}

static void lose_all(struct audit *audit)
{
    struct slice rest = buf_slice(&audit->lines);
    while (rest.len) {
        struct slice line = slice_split(rest, '\n', &rest);
        if (line.len) audit->on_lost(audit->arg, id_of(line));
    }
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
    audit->retry_ns = 0;
    flush(audit);
    lose_all(audit);
    buf_clear(&audit->lines);
    mem_free(audit);
}

bool audit_is_failing(const struct audit *audit)
{
    return audit->is_failing;
}

void audit_add(struct audit *audit, const struct exchange *x)
{
    if (audit->is_failing && buf_len(&audit->lines) >= LIMIT_AUDIT_HELD_BYTES) {
        audit->on_lost(audit->arg, slice_str(x->id));
        return;
    }
    record_format(&audit->lines, x);
    if (buf_len(&audit->lines) >= LINES_BYTES_MAX) flush(audit);
}
