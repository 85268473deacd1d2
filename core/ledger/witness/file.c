#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/limits.h"
#include "base/mem.h"
#include "ledger/witness/witness.h"
#include "net/loop.h"

#define NOT_A_FILE (-1) /* beside the system's errors */

struct file {
    struct witness_way way;
    struct loop *loop;
    char *path;
    struct loop_watch watch;
    int fd;    /* of the pipe that the writing process answers on; -1: none is at work */
    pid_t pid;
};

/* ---- In the process that writes: nothing but system calls, no memory. */

static bool write_all(int fd, struct slice text)
{
    while (text.len) {
        ssize_t n = write(fd, text.ptr, text.len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        text = slice_of(text.ptr + n, text.len - (size_t)n);
    }
    return true;
}

/* A disk that was full may have kept half a line: what follows begins a new one. */
static bool end_line(int fd, const struct stat *st)
{
    char last;
    if (st->st_size == 0 || pread(fd, &last, 1, st->st_size - 1) != 1 || last == '\n') return true;
    return write_all(fd, SLICE("\n"));
}

static int append(const char *path, struct slice text)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0) return errno;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return NOT_A_FILE;
    if (!end_line(fd, &st) || !write_all(fd, text) || fsync(fd) != 0) return errno ? errno : EIO;
    return 0;
}

/* On a dead server it may hang for long: whoever waits for the end of a pipe, or for a lock, waits for the ledger
 * process alone. */
static void leave_others(int fd)
{
    if (fd > 3) close_range(3, (unsigned)fd - 1, 0);
    close_range((unsigned)fd + 1, ~0u, 0);
}

_Noreturn static void run(const char *path, struct slice text, int answer_fd)
{
    leave_others(answer_fd);
    int error = append(path, text);
    ssize_t n = write(answer_fd, &error, sizeof error);
    _exit(n == sizeof error ? 0 : 1);
}

/* ---- Here. */

static void finish(struct file *f, int error)
{
    char why[FAULT_TEXT_BYTES];
    loop_watch_set(&f->watch, 0);
    close(f->fd);
    f->fd = -1;
    waitpid(f->pid, NULL, 0);
    snprintf(why, sizeof why, "%s: %s", f->path, error == NOT_A_FILE ? "is not a file" : strerror(error));
    f->way.done(f->way.arg, error == 0, why);
}

static void on_answer(void *arg, unsigned ready)
{
    struct file *f = arg;
    int error = EIO; /* it was killed */
    (void)ready;
    ssize_t n = read(f->fd, &error, sizeof error);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    finish(f, n == sizeof error ? error : EIO);
}

static void send_lines(struct witness_way *way, const struct witness_lines *lines)
{
    struct file *f = (struct file *)way;
    int fds[2];
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) {
        way->done(way->arg, false, strerror(errno));
        return;
    }
    f->pid = fork();
    if (f->pid == 0) run(f->path, lines->text, fds[1]);
    close(fds[1]);
    f->fd = fds[0];
    if (f->pid < 0) {
        close(fds[0]);
        f->fd = -1;
        way->done(way->arg, false, strerror(errno));
        return;
    }
    loop_watch_init(&f->watch, f->loop, f->fd, on_answer, f);
    loop_watch_set(&f->watch, LOOP_READ);
}

/* One that is still writing ends by itself. */
static void free_file(struct witness_way *way)
{
    struct file *f = (struct file *)way;
    loop_watch_set(&f->watch, 0);
    if (f->fd >= 0) close(f->fd);
    mem_free(f->path);
    mem_free(f);
}

struct witness_way *witness_file_new(struct loop *loop, const char *path)
{
    struct file *f = mem_zalloc(1, sizeof *f);
    f->way = (struct witness_way){.send = send_lines, .free = free_file, .batch = LIMIT_WITNESS_BATCH};
    f->loop = loop;
    f->fd = -1;
    f->path = mem_strdup(path);
    return &f->way;
}
