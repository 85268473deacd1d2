#include "net/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/slice.h"
#include "net/loop.h"

/* What the child says of one name: an address, or why there is none. No larger than a pipe takes in one piece. */
struct word {
    uint32_t name;
    uint32_t is_fault;
    char text[128];
};

struct resolve {
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer timer;
    resolve_fn fn;
    void *arg;
    pid_t pid;
    int fd;
    struct resolve_result result;
    struct fault why;
    struct word word; /* half read */
    size_t word_bytes;
};

/* ---- The child. */

static void say(int fd, size_t name, bool is_fault, const char *text)
{
    struct word w = {.name = (uint32_t)name, .is_fault = is_fault};
    snprintf(w.text, sizeof w.text, "%s", text);
    if (write(fd, &w, sizeof w) != (ssize_t)sizeof w) _exit(1);
}

static void look_up(int fd, size_t index, const char *name)
{
    struct addrinfo *list = NULL, wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    int error = getaddrinfo(name, NULL, &wanted, &list);
    if (error == EAI_NONAME || error == EAI_ADDRFAMILY) { /* a machine with nothing but a loopback has addresses too */
        wanted.ai_flags = 0;
        error = getaddrinfo(name, NULL, &wanted, &list);
    }
    if (error) {
        say(fd, index, true, error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
        return;
    }
    size_t told = 0;
    for (struct addrinfo *a = list; a && told < LIMIT_RESOLVE_ADDRESSES_EACH; a = a->ai_next, told++) {
        char text[INET6_ADDRSTRLEN];
        const void *at = a->ai_family == AF_INET6 ? (const void *)&((struct sockaddr_in6 *)a->ai_addr)->sin6_addr
                                                  : (const void *)&((struct sockaddr_in *)a->ai_addr)->sin_addr;
        if (inet_ntop(a->ai_family, at, text, sizeof text)) say(fd, index, false, text);
    }
}

/* A copy of this process: it holds nothing open that others wait for the end of, and ends with its parent. */
static _Noreturn void be_child(int fd, const char *const *names, size_t count)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    if (dup2(fd, 3) != 3) _exit(1);
    close_range(4, ~0u, 0);
    for (size_t i = 0; i < count; i++)
        look_up(3, i, names[i]);
    _exit(0);
}

/* ---- The parent. */

static void stop(struct resolve *r)
{
    loop_watch_set(&r->watch, 0);
    loop_timer_disarm(&r->timer);
    if (r->fd >= 0) close(r->fd);
    r->fd = -1;
    if (r->pid > 0) {
        kill(r->pid, SIGKILL);
        waitpid(r->pid, NULL, 0);
    }
    r->pid = 0;
}

static void end(struct resolve *r)
{
    stop(r);
    if (r->result.count == 0 && r->why.code == FAULT_NONE) {
        fault_set(&r->why, FAULT_INTERNAL, "the lookup of its name ended without an answer");
    }
    r->fn(r->arg, &r->result, r->why.code == FAULT_NONE ? NULL : &r->why);
}

static void on_time(void *arg)
{
    struct resolve *r = arg;
    fault_set(&r->why, FAULT_INTERNAL, "no name server has answered for %u seconds", LIMIT_RESOLVE_MS / 1000);
    end(r);
}

static void take(struct resolve *r)
{
    r->word_bytes = 0;
    r->word.text[sizeof r->word.text - 1] = '\0';
    if (r->word.is_fault) {
        if (r->why.code == FAULT_NONE) fault_set(&r->why, FAULT_INTERNAL, "%s", r->word.text);
        return;
    }
    if (r->result.count == LIMIT_RESOLVE_ADDRESSES || strlen(r->word.text) >= INET6_ADDRSTRLEN) return;
    struct resolve_address *a = &r->result.addresses[r->result.count++];
    a->name = r->word.name;
    memcpy(a->text, r->word.text, sizeof a->text);
}

static void on_ready(void *arg, unsigned ready)
{
    struct resolve *r = arg;
    (void)ready;
    for (;;) {
        ssize_t got = read(r->fd, (char *)&r->word + r->word_bytes, sizeof r->word - r->word_bytes);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) break;
        r->word_bytes += (size_t)got;
        if (r->word_bytes == sizeof r->word) take(r);
    }
    end(r);
}

static bool make_child(struct resolve *r, const char *const *names, size_t count, struct fault *why)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) return fault_set(why, FAULT_INTERNAL, "pipe: %s", strerror(errno));
    r->pid = fork();
    if (r->pid == 0) be_child(fds[1], names, count);
    close(fds[1]);
    r->fd = fds[0];
    if (r->pid < 0) return fault_set(why, FAULT_INTERNAL, "fork: %s", strerror(errno));
    fcntl(r->fd, F_SETFL, O_NONBLOCK);
    return true;
}

struct resolve *resolve_start(struct loop *loop, const char *const *names, size_t count, resolve_fn fn, void *arg,
                              struct fault *why)
{
    struct resolve *r = mem_zalloc(1, sizeof *r);
    *r = (struct resolve){.loop = loop, .fn = fn, .arg = arg, .fd = -1};
    if (!make_child(r, names, count, why)) {
        resolve_free(r);
        return NULL;
    }
    loop_watch_init(&r->watch, loop, r->fd, on_ready, r);
    loop_watch_set(&r->watch, LOOP_READ);
    loop_timer_init(&r->timer, loop, on_time, r);
    loop_timer_arm_ms(&r->timer, LIMIT_RESOLVE_MS);
    return r;
}

void resolve_free(struct resolve *r)
{
    if (!r) return;
    stop(r);
    loop_defer(r->loop, mem_free, r);
}
