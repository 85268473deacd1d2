#include "server/child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"

#define KEEP_MAX 16

static int compare_ints(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void close_all_but(const int *keep, size_t count)
{
    int sorted[KEEP_MAX];
    unsigned next = STDERR_FILENO + 1;
    check(count <= KEEP_MAX);
    memcpy(sorted, keep, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_ints);
    for (size_t i = 0; i < count; i++) {
        if (sorted[i] < (int)next) continue;
        if (sorted[i] > (int)next) close_range(next, (unsigned)sorted[i] - 1, 0);
        next = (unsigned)sorted[i] + 1;
    }
    close_range(next, ~0u, 0);
}

/* The parent has died. A healthy child sees the end of its pipe and drains; this is for one that hangs. */
static void on_orphaned(int signal_number)
{
    (void)signal_number;
    alarm(CHILD_ORPHAN_S);
}

static void set_signal(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    check(sigaction(number, &action, NULL) == 0);
}

static void set_signals(void)
{
    sigset_t none;
    set_signal(SIGHUP, SIG_IGN);
    set_signal(SIGINT, SIG_IGN);
    set_signal(SIGTERM, SIG_IGN);
    set_signal(SIGPIPE, SIG_IGN);
    set_signal(SIGXFSZ, SIG_IGN); /* a file may grow no further: write() says so, nobody dies of it */
    set_signal(SIGCHLD, SIG_DFL);
    set_signal(SIGALRM, SIG_DFL);
    set_signal(SIGUSR2, on_orphaned);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void child_guard_memory(void)
{
    struct rlimit none = {0, 0};
    prctl(PR_SET_DUMPABLE, 0);
    setrlimit(RLIMIT_CORE, &none);
}

/* What a process of ours, OpenSSL, the C library or a sink's command may look at after its start. */
static bool is_kept_variable(const char *text)
{
    static const char *const names[] = {"SSL_CERT_", "OPENSSL_", "LC_", "LANG=", "TZ=", "TMPDIR=", "PATH=", "HOME="};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strncmp(text, names[i], strlen(names[i])) == 0) return true;
    }
    return false;
}

void child_forget_environment(void)
{
    char **to = environ;
    for (char **at = environ; at && *at; at++) {
        if (is_kept_variable(*at))
            *to++ = *at;
        else
            explicit_bzero(*at, strlen(*at));
    }
    if (to) *to = NULL;
}

pid_t child_fork(const char *who, const int *keep, size_t keep_count)
{
    pid_t parent = getpid();
    sigset_t all, before;
    /* No handler of the parent's may run in the child before its own are set. */
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid_t pid = fork();
    if (pid != 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGUSR2);
    set_signals();
    if (getppid() != parent) _exit(0);
    prctl(PR_SET_NAME, who);
    child_guard_memory();
    close_all_but(keep, keep_count);
    int null = open("/dev/null", O_RDONLY);
    if (null > STDIN_FILENO) {
        dup2(null, STDIN_FILENO);
        close(null);
    }
    log_init(who);
    return 0;
}
