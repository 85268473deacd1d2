#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/limits.h"
#include "base/mem.h"
#include "ledger/sink/sink.h"
#include "net/loop.h"

#define CANNOT_START 127
#define VARIABLES 4

struct command {
    struct sink_way way;
    struct loop *loop;
    char *lines; /* the words, each with a NUL in the place of its line end */
    char *words[LIMIT_SINK_COMMAND_WORDS + 1];
    char *variables[VARIABLES + 1];
    struct loop_watch watch; /* over pid_fd, which can be read when it has ended */
    struct loop_timer timer;
    pid_t pid; /* also its process group; 0: none is at work */
    int pid_fd;
    bool is_late;
};

/* ---- In the process that becomes it: nothing but system calls. */

static void reset_signals(void)
{
    sigset_t none;
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn static void become(const struct command *c, int input)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    reset_signals();
    if (dup2(input, 0) < 0 || dup2(nothing, 1) < 0 || dup2(nothing, 2) < 0) _exit(CANNOT_START);
    close_range(3, ~0u, 0);
    execve(c->words[0], c->words, c->variables);
    _exit(CANNOT_START);
}

/* ---- Here. */

static void say_end(const struct command *c, int status, char *why, size_t size)
{
    if (c->is_late)
        snprintf(why, size, "%s was killed: it took longer than %u s", c->words[0], LIMIT_NOTICE_MS / 1000);
    else if (WIFSIGNALED(status))
        snprintf(why, size, "%s was killed by signal %d", c->words[0], WTERMSIG(status));
    else if (WEXITSTATUS(status) == CANNOT_START)
        snprintf(why, size, "%s cannot be started, or ended with %d", c->words[0], CANNOT_START);
    else
        snprintf(why, size, "%s ended with %d", c->words[0], WEXITSTATUS(status));
}

static void forget(struct command *c)
{
    loop_watch_set(&c->watch, 0);
    loop_timer_disarm(&c->timer);
    close(c->pid_fd);
    c->pid = 0;
}

static void on_ended(void *arg, unsigned ready)
{
    struct command *c = arg;
    char why[FAULT_TEXT_BYTES];
    int status = 0;
    (void)ready;
    pid_t ended = waitpid(c->pid, &status, WNOHANG);
    if (ended == 0) return;
    say_end(c, status, why, sizeof why);
    bool is_good = ended == c->pid && !c->is_late && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    forget(c);
    c->way.done(c->way.arg, is_good, why);
}

/* Its group, and itself: it may have gone to another. */
static void kill_all(const struct command *c)
{
    kill(-c->pid, SIGKILL);
    kill(c->pid, SIGKILL);
}

static void on_late(void *arg)
{
    struct command *c = arg;
    c->is_late = true;
    kill_all(c);
}

/* A file in memory: whoever reads it slowly, or not at all, keeps nobody waiting. */
static int make_input(const struct sink_notice *notice)
{
    struct buf body;
    int fd = memfd_create("notice", MFD_CLOEXEC);
    buf_init(&body);
    sink_write(&body, notice);
    buf_append_char(&body, '\n');
    bool is_good = fd >= 0 && write(fd, buf_ptr(&body), buf_len(&body)) == (ssize_t)buf_len(&body) &&
                   lseek(fd, 0, SEEK_SET) == 0;
    buf_clear(&body);
    if (is_good) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

/* The group is made on both sides, so that it is there for who kills it as for who starts others. */
static bool start(struct command *c, int input)
{
    c->pid = fork();
    if (c->pid == 0) become(c, input);
    if (c->pid < 0) {
        c->pid = 0;
        return false;
    }
    setpgid(c->pid, c->pid);
    c->pid_fd = pidfd_open(c->pid, 0);
    if (c->pid_fd >= 0) return true;
    kill(c->pid, SIGKILL);
    waitpid(c->pid, NULL, 0);
    c->pid = 0;
    return false;
}

static void send_notice(struct sink_way *way, const struct sink_notice *notice)
{
    struct command *c = (struct command *)way;
    int input = make_input(notice);
    bool is_started = input >= 0 && start(c, input);
    int error = errno;
    if (input >= 0) close(input);
    if (!is_started) {
        way->done(way->arg, false, strerror(error));
        return;
    }
    c->is_late = false;
    loop_watch_init(&c->watch, c->loop, c->pid_fd, on_ended, c);
    loop_watch_set(&c->watch, LOOP_READ);
    loop_timer_arm_ms(&c->timer, LIMIT_NOTICE_MS);
}

static void free_command(struct sink_way *way)
{
    struct command *c = (struct command *)way;
    if (c->pid) {
        kill_all(c);
        waitpid(c->pid, NULL, 0);
        forget(c);
    }
    for (size_t i = 0; c->variables[i]; i++)
        mem_free(c->variables[i]);
    mem_free(c->lines);
    mem_free(c);
}

static void set_words(struct command *c, struct slice lines)
{
    size_t count = 0;
    c->lines = mem_strndup(lines.ptr, lines.len);
    for (char *at = c->lines, *end; at && count < LIMIT_SINK_COMMAND_WORDS; at = end) {
        c->words[count++] = at;
        end = strchr(at, '\n');
        if (end) *end++ = '\0';
    }
}

/* Those of the gateway hold its secrets. */
static void set_variables(struct command *c)
{
    static const char *const names[VARIABLES] = {"PATH", "HOME", "LANG", "TZ"};
    size_t count = 0;
    for (size_t i = 0; i < VARIABLES; i++) {
        const char *value = getenv(names[i]);
        struct buf text;
        if (!value) continue;
        buf_init(&text);
        buf_printf(&text, "%s=%s", names[i], value);
        c->variables[count++] = mem_strndup(buf_ptr(&text), buf_len(&text));
        buf_clear(&text);
    }
}

struct sink_way *sink_command_new(struct loop *loop, const struct sink *sink)
{
    struct command *c = mem_zalloc(1, sizeof *c);
    c->way = (struct sink_way){.send = send_notice, .free = free_command};
    c->loop = loop;
    set_words(c, sink->command);
    set_variables(c);
    loop_timer_init(&c->timer, loop, on_late, c);
    return &c->way;
}
