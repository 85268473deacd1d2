/*
 * Redis servers of a test's own, and questions to them past the code under test.
 *
 *     struct redis_server s;
 *     const char *const settings[] = {"--port", "6380", NULL};
 *     redis_server_start(&s, settings);                // NULL: none; in a temporary folder
 *     redis_server_say(&s, "CONFIG SET maxmemory 1mb") // the first line of the answer: "+OK"
 *     redis_server_kill(&s, SIGKILL);  redis_server_again(&s, settings);     // in the same folder
 *     redis_server_end(&s);                            // and its folder goes
 */
#ifndef MOONGATE_TESTS_REDIS_KIT_H
#define MOONGATE_TESTS_REDIS_KIT_H

#include <arpa/inet.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define REDIS_SETTINGS_MAX 32

struct redis_server {
    char dir[32];
    char url[64]; /* of its socket */
    pid_t pid;
};

/* A port of 127.0.0.1 that nobody had a moment ago. */
static inline unsigned redis_free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&a, len) != 0 || getsockname(fd, (struct sockaddr *)&a, &len) != 0) abort();
    close(fd);
    return ntohs(a.sin_port);
}

static inline void redis_server_run(struct redis_server *s, const char *const *settings)
{
    const char *args[REDIS_SETTINGS_MAX + 3] = {"redis", s->dir};
    for (size_t i = 0; settings && settings[i] && i < REDIS_SETTINGS_MAX; i++)
        args[2 + i] = settings[i];
    s->pid = fork();
    if (s->pid) return;
    execv("tests/lib/redis", (char *const *)(uintptr_t)args);
    _exit(127);
}

/* Sends one command as a line, or several with \r\n between them, and gives what is answered; "" when nobody is there. */
static inline const char *redis_server_said(const struct redis_server *s, const char *command, bool is_whole)
{
    static char answers[4][8192];
    static unsigned turn;
    char *out = answers[turn++ % 4];
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s/redis.sock", s->dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t len = 0;
    ssize_t n = 1;
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0) {
        dprintf(fd, "%s\r\n", command);
        shutdown(fd, SHUT_WR);
        while (n > 0 && len < sizeof answers[0] - 1 && (n = read(fd, out + len, sizeof answers[0] - 1 - len)) > 0)
            len += (size_t)n;
    }
    close(fd);
    out[len] = '\0';
    if (!is_whole) out[strcspn(out, "\r\n")] = '\0';
    return out;
}

static inline const char *redis_server_say(const struct redis_server *s, const char *command)
{
    return redis_server_said(s, command, false);
}

static inline void redis_server_again(struct redis_server *s, const char *const *settings)
{
    redis_server_run(s, settings);
    while (!redis_server_say(s, "PING")[0]) {
        if (waitpid(s->pid, NULL, WNOHANG) == s->pid) {
            fprintf(stderr, "Redis does not start: see %s\n", s->dir);
            exit(1);
        }
        usleep(5000);
    }
}

static inline void redis_server_folder(struct redis_server *s)
{
    *s = (struct redis_server){.dir = "/tmp/moongate-redis-XXXXXX"};
    if (!mkdtemp(s->dir)) abort();
    snprintf(s->url, sizeof s->url, "unix://%s/redis.sock", s->dir);
}

static inline void redis_server_start(struct redis_server *s, const char *const *settings)
{
    redis_server_folder(s);
    redis_server_again(s, settings);
}

static inline void redis_server_kill(struct redis_server *s, int signal_number)
{
    kill(s->pid, signal_number);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

static inline int redis_server_remove(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static inline void redis_server_end(struct redis_server *s)
{
    if (s->pid) redis_server_kill(s, SIGKILL);
    nftw(s->dir, redis_server_remove, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
