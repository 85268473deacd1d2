#include "ledger/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "ledger/import.h"
#include "net/loop.h"
#include "store/ledger/follow.h"

#define MARK_SEQ "copy"
#define MARK_FILE "copy.inode"
#define TAIL_BYTES (2u * LIMIT_PIPE_MESSAGE_BYTES) /* holds a whole line, and half of the next */

struct copy {
    struct loop *loop;
    struct loop_work work;
    struct loop_timer retry;
    struct ledger *ledger;
    char *path;
    int fd;         /* -1: it could not be opened */
    uint64_t seq, marked; /* all up to seq is written */
    bool is_found;        /* where to go on is known */
    struct buf torn;      /* what stands behind the last whole line of the file */
    struct buf lines;     /* of this slice, and of each its seq and where it ends */
    unsigned gathered;
    uint64_t seqs[LIMIT_LEDGER_SLICE];
    size_t ends[LIMIT_LEDGER_SLICE];
    char why[256];
};

/* ---- The end of a file that was written before. */

static bool read_tail(int fd, struct buf *tail)
{
    struct stat st;
    if (fstat(fd, &st) != 0) return false;
    off_t from = st.st_size > (off_t)TAIL_BYTES ? st.st_size - (off_t)TAIL_BYTES : 0;
    while (from < st.st_size) {
        ssize_t got = pread(fd, buf_reserve(tail, 64 * KIB), 64 * KIB, from);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got == 0;
        buf_grew(tail, (size_t)got);
        from += got;
    }
    return true;
}

/* The seq of the last whole line that the ledger knows; what stands behind the last newline goes into `torn`. */
static bool find_last(struct ledger *ledger, int fd, struct buf *torn, uint64_t *seq)
{
    struct buf tail;
    uint8_t id[LINK_ID_BYTES];
    bool is_found = false;
    buf_init(&tail);
    read_tail(fd, &tail);
    struct slice all = buf_slice(&tail);
    const char *end = memrchr(all.ptr, '\n', all.len);
    size_t whole = end ? (size_t)(end - all.ptr) : 0;
    if (torn) buf_append(torn, end ? slice_of(end + 1, all.len - whole - 1) : all);
    if (end) {
        const char *before = memrchr(all.ptr, '\n', whole);
        const char *from = before ? before + 1 : all.ptr;
        struct slice line = slice_of(from, (size_t)(end - from));
        is_found = import_read_id(line, id) && ledger_seq_of(ledger, id, seq);
    }
    buf_clear(&tail);
    return is_found;
}

static int open_own(const char *path, int flags)
{
    struct stat st;
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0) return -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid()) return fd;
    close(fd);
    errno = ELOOP;
    return -1;
}

/* The file that was written last has another name now: by its inode, in the folder where it was. */
static int open_renamed(const char *path, uint64_t inode)
{
    char name[4096];
    const char *slash = strrchr(path, '/');
    int fd = -1;
    snprintf(name, sizeof name, "%.*s", slash ? (int)(slash - path) + 1 : 2, slash ? path : "./");
    DIR *dir = opendir(name);
    size_t len = strlen(name);
    for (struct dirent *e; dir && fd < 0 && (e = readdir(dir));) {
        if (e->d_ino != inode) continue;
        snprintf(name + len, sizeof name - len, "%s", e->d_name);
        fd = open_own(name, O_RDONLY);
    }
    if (dir) closedir(dir);
    return fd;
}

/* ---- Where to go on. */

static void take_later(struct copy *c, uint64_t seq)
{
    c->is_found = true;
    if (seq > c->seq) c->seq = seq;
}

static void find_in_renamed(struct copy *c)
{
    uint64_t inode, seq;
    if (!ledger_marked(c->ledger, MARK_FILE, &inode)) return;
    int fd = open_renamed(c->path, inode);
    if (fd < 0) return;
    if (find_last(c->ledger, fd, NULL, &seq)) take_later(c, seq);
    close(fd);
}

/* Once a process; the file itself was looked at. */
static void find_place(struct copy *c)
{
    uint64_t seq;
    uint8_t hash[CHAIN_HASH_BYTES];
    if (ledger_marked(c->ledger, MARK_SEQ, &seq)) take_later(c, seq);
    find_in_renamed(c);
    if (!c->is_found) take_later(c, ledger_head(c->ledger, hash));
}

static void set_why(struct copy *c, const char *what)
{
    if (what[0] && strcmp(c->why, what) != 0) log_event(LOG_ERROR, "copy_failed", "%s: %s", c->path, what);
    if (!what[0] && c->why[0]) log_event(LOG_INFO, "copy_written", "%s is written again", c->path);
    snprintf(c->why, sizeof c->why, "%s", what);
}

/* The file is another one: what the mark says of the one before is said of this. */
static void mark_file(struct copy *c)
{
    struct stat st;
    struct fault ignored;
    if (fstat(c->fd, &st) == 0) ledger_mark(c->ledger, MARK_FILE, st.st_ino, &ignored);
}

void copy_mark(struct copy *c)
{
    struct fault ignored;
    if (c->fd < 0 || c->marked == c->seq) return;
    /* A mark may be behind the file, never before it. */
    if (fdatasync(c->fd) == 0 && ledger_mark(c->ledger, MARK_SEQ, c->seq, &ignored)) c->marked = c->seq;
}

static bool open_file(struct copy *c)
{
    c->fd = open_own(c->path, O_RDWR | O_APPEND | O_CREAT);
    if (c->fd < 0) {
        set_why(c, errno == ELOOP ? "it is not a file of this user's own; move it away" : strerror(errno));
        return false;
    }
    uint64_t seq;
    buf_reset(&c->torn);
    if (find_last(c->ledger, c->fd, &c->torn, &seq)) take_later(c, seq);
    set_why(c, "");
    return true;
}

static bool open_again(struct copy *c)
{
    if (!open_file(c)) return false;
    mark_file(c);
    copy_mark(c);
    return true;
}

void copy_forget(struct ledger *ledger)
{
    struct fault ignored;
    uint64_t seq;
    if (!ledger_marked(ledger, MARK_SEQ, &seq)) return;
    ledger_unmark(ledger, MARK_SEQ, &ignored);
    ledger_unmark(ledger, MARK_FILE, &ignored);
}

/* ---- Writing. */

static bool gather(void *arg, uint64_t seq, struct slice body)
{
    struct copy *c = arg;
    buf_append(&c->lines, body);
    buf_append_char(&c->lines, '\n');
    c->seqs[c->gathered] = seq;
    c->ends[c->gathered++] = buf_len(&c->lines);
    return buf_len(&c->lines) < LIMIT_LEDGER_COPY_BYTES;
}

static size_t write_out(int fd, struct slice bytes)
{
    size_t at = 0;
    while (at < bytes.len) {
        ssize_t n = write(fd, bytes.ptr + at, bytes.len - at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        at += (size_t)n;
    }
    return at;
}

/* From which byte on the gathered lines are to be written: of a line that the file has the beginning of, the rest; one
 * that the file has half of, and is another's, is ended first. False: not even that fits. */
static bool mend(struct copy *c, size_t *from)
{
    struct slice torn = buf_slice(&c->torn);
    *from = 0;
    if (torn.len && slice_starts(buf_slice(&c->lines), torn)) {
        *from = torn.len;
    } else if (torn.len) {
        if (write_out(c->fd, SLICE("\n")) != 1) return false;
        buf_reset(&c->torn);
    }
    return true;
}

static void note_written(struct copy *c, size_t at)
{
    unsigned whole = 0;
    while (whole < c->gathered && c->ends[whole] <= at)
        whole++;
    size_t from = whole ? c->ends[whole - 1] : 0;
    if (whole) c->seq = c->seqs[whole - 1];
    buf_reset(&c->torn);
    buf_append(&c->torn, slice_of(buf_ptr(&c->lines) + from, at - from));
}

/* False: nothing is left, or nothing goes now. */
static bool write_slice(struct copy *c)
{
    struct fault why;
    size_t from = 0, at = 0;
    buf_reset(&c->lines);
    c->gathered = 0;
    if (!ledger_entries(c->ledger, c->seq, CHAIN_EXCHANGE, LIMIT_LEDGER_SLICE, gather, c, &why)) {
        set_why(c, fault_message(&why));
        return false;
    }
    struct slice lines = buf_slice(&c->lines);
    if (lines.len == 0) return false;
    bool is_good = mend(c, &from);
    if (is_good) {
        at = from + write_out(c->fd, slice_of(lines.ptr + from, lines.len - from));
        is_good = at == lines.len;
        int failed = errno;
        note_written(c, at);
        errno = failed;
    }
    set_why(c, is_good ? "" : strerror(errno));
    return is_good;
}

/* Once more, later: the file cannot be opened, or the disk takes nothing. */
static void plan(struct copy *c, bool is_more)
{
    if (c->why[0])
        loop_timer_arm_ms(&c->retry, LIMIT_LEDGER_RETRY_MS);
    else if (is_more)
        loop_work_add(&c->work);
}

static void on_turn(void *arg)
{
    struct copy *c = arg;
    plan(c, (c->fd >= 0 || open_again(c)) && write_slice(c));
}

void copy_follow(struct copy *c)
{
    if (!loop_timer_is_armed(&c->retry)) loop_work_add(&c->work);
}

void copy_all(struct copy *c)
{
    while ((c->fd >= 0 || open_again(c)) && write_slice(c))
        ;
    copy_mark(c);
}

struct copy *copy_new(struct loop *loop, struct ledger *ledger, const char *path)
{
    struct copy *c = mem_zalloc(1, sizeof *c);
    c->loop = loop;
    c->ledger = ledger;
    c->path = mem_strdup(path);
    buf_init(&c->lines);
    buf_init(&c->torn);
    loop_work_init(&c->work, loop, on_turn, c);
    loop_timer_init(&c->retry, loop, on_turn, c);
    c->fd = -1;
    c->marked = UINT64_MAX;
    open_file(c);
    find_place(c); /* before the file is marked: it may be another one than before */
    if (c->fd >= 0) mark_file(c);
    copy_mark(c);
    plan(c, c->fd >= 0);
    return c;
}

void copy_free(struct copy *c)
{
    if (!c) return;
    loop_work_drop(&c->work);
    loop_timer_disarm(&c->retry);
    copy_mark(c);
    if (c->fd >= 0) close(c->fd);
    buf_clear(&c->lines);
    buf_clear(&c->torn);
    mem_free(c->path);
    mem_free(c);
}

void copy_reopen(struct copy *c)
{
    if (c->fd >= 0) {
        copy_mark(c);
        close(c->fd);
    }
    c->fd = -1;
    open_again(c);
    plan(c, c->fd >= 0);
}

uint64_t copy_position(const struct copy *c)
{
    return c->seq;
}

const char *copy_why(const struct copy *c)
{
    return c->why;
}

char *copy_path(const char *data_dir, struct slice wanted)
{
    struct buf path;
    if (!wanted.len) return NULL;
    buf_init(&path);
    if (wanted.ptr[0] != '/') buf_printf(&path, "%s/", data_dir);
    buf_append(&path, wanted);
    char *text = mem_strndup(buf_ptr(&path), buf_len(&path));
    buf_clear(&path);
    return text;
}
