#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "ledger/witness/witness.h"

#define DEV_LOG "/dev/log"

struct log {
    struct witness_way way;
    struct sockaddr_un to;
    int fd; /* -1: not connected */
};

/* "<109>Nov 29 10:00:00 moongate[7]: ", as syslog(3) begins its lines on this socket. */
static void begin(struct buf *out)
{
    struct tm tm;
    char stamp[32];
    time_t now = time(NULL);
    localtime_r(&now, &tm);
    strftime(stamp, sizeof stamp, "%b %e %T", &tm);
    buf_printf(out, "<%d>%s moongate[%d]: ", LOG_AUTHPRIV | LOG_NOTICE, stamp, (int)getpid());
}

static bool connect_log(struct log *l)
{
    if (l->fd >= 0) return true;
    l->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd >= 0 && connect(l->fd, (struct sockaddr *)&l->to, sizeof l->to) == 0) return true;
    if (l->fd >= 0) close(l->fd);
    l->fd = -1;
    return false;
}

/* A daemon that was started anew has another socket: the old one is left at the first failure. */
static void send_line(struct witness_way *way, const struct witness_lines *lines)
{
    struct log *l = (struct log *)way;
    struct buf out;
    char why[160];
    buf_init(&out);
    begin(&out);
    buf_append(&out, slice_of(lines->text.ptr, lines->text.len - 1));
    bool is_good = connect_log(l) && send(l->fd, buf_ptr(&out), buf_len(&out), MSG_NOSIGNAL) == (ssize_t)buf_len(&out);
    snprintf(why, sizeof why, "%s: %s", l->to.sun_path, strerror(errno));
    if (!is_good && l->fd >= 0) {
        close(l->fd);
        l->fd = -1;
    }
    buf_clear(&out);
    way->done(way->arg, is_good, why);
}

static void free_log(struct witness_way *way)
{
    struct log *l = (struct log *)way;
    if (l->fd >= 0) close(l->fd);
    mem_free(l);
}

struct witness_way *witness_syslog_new(const char *path)
{
    struct log *l = mem_zalloc(1, sizeof *l);
    l->way = (struct witness_way){.send = send_line, .free = free_log, .batch = 1};
    l->to.sun_family = AF_UNIX;
    snprintf(l->to.sun_path, sizeof l->to.sun_path, "%s", path ? path : DEV_LOG);
    l->fd = -1;
    return &l->way;
}
