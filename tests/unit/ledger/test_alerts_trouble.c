/* Notices and what goes wrong with them: who takes too long, a disk that is full, a machine that slept. */
#include "alerts_kit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"

enum manner { IS_SILENT, HAS_NO_END };

/* A server that reads what it is sent, and has its manner. */
static pid_t serve(enum manner manner, char url[80])
{
    static const char head[] = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", piece[] = "1\r\nx\r\n";
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char request[4096];
    EXPECT(bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 8) == 0 &&
           getsockname(fd, (struct sockaddr *)&at, &size) == 0);
    snprintf(url, 80, "http://127.0.0.1:%u/services/T0/whsec-0123", ntohs(at.sin_port));
    pid_t pid = fork();
    for (int peer; pid == 0;) {
        if ((peer = accept(fd, NULL, NULL)) < 0 || read(peer, request, sizeof request) <= 0) _exit(1);
        if (manner == HAS_NO_END && write(peer, head, sizeof head - 1) < 0) _exit(1);
        while (manner == HAS_NO_END && send(peer, piece, sizeof piece - 1, MSG_NOSIGNAL) > 0)
            usleep(1000);
    }
    close(fd);
    return pid;
}

static void end_server(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* The process whose number stands in the file; a dead one may be there for somebody to ask for, and has no program. */
static bool is_alive(const char *name)
{
    FILE *file = fopen(path_of(name), "r");
    char at[64], program[16];
    int pid = 0;
    EXPECT(file && fscanf(file, "%d", &pid) == 1);
    if (file) fclose(file);
    snprintf(at, sizeof at, "/proc/%d/exe", pid);
    return readlink(at, program, sizeof program) > 0;
}

static void run_until_failed(const char *sink)
{
    for (int i = 0; i < 3000 && metric(STATS_NOTICES_FAILED, sink) < 1; i++)
        turns(10);
    EXPECT_INT(1, metric(STATS_NOTICES_FAILED, sink));
}

/* A program that stays, with what it has started, and a server that never answers are left after their time. One whose
 * answer has no end has said that it takes it. */
static void who_takes_too_long_is_broken_off(void)
{
    char silent[80], endless[80];
    pid_t servers[] = {serve(IS_SILENT, silent), serve(HAS_NO_END, endless)};
    struct sink sinks[] = {
        program("ops", "sleep 100 & echo $! > $1/begun; cat > $1/told; sleep 100"),
        {.name = SLICE("silent"), .kind = SLICE("webhook"), .url = slice_str(silent), .secret = SLICE("whsec-0123")},
        {.name = SLICE("endless"), .kind = SLICE("slack"), .url = slice_str(endless)}};
    struct log_kit log = log_kit_begin();
    fresh();
    begin(sinks, 3);
    uint64_t from = clock_mono_ns();
    commit("sales", "\"ops\",\"silent:x\",\"endless:#x\"");
    run_until_there("told");
    EXPECT(is_alive("begun"));
    run_until_failed("ops");
    run_until_failed("silent");
    run_until_waiting(2);
    EXPECT(clock_mono_ns() - from >= LIMIT_NOTICE_MS * NS_PER_MS);
    EXPECT_INT(1, metric(STATS_NOTICES_SENT, "endless"));
    EXPECT_INT(0, metric(STATS_NOTICES_FAILED, "endless"));
    for (int i = 0; i < 1000 && is_alive("begun"); i++)
        turns(10);
    EXPECT(!is_alive("begun"));
    end();
    const char *said = log_kit_end(log);
    EXPECT(strstr(said, "ops does not take the notice of entry 1, which is sent again: /bin/sh was killed: it took "
                        "longer than 10 s") != NULL);
    EXPECT_INT(1, count_of(said, "silent does not take the notice of entry 1"));
    EXPECT_INT(0, count_of(said, "whsec"));
    EXPECT_INT(0, count_of(said, "services"));
    end_server(servers[0]);
    end_server(servers[1]);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    EXPECT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

/* Taken, and nothing can be written of that: it is not sent again for it. */
static void a_full_disk_sends_nothing_twice(void)
{
    struct sink sinks[] = {program("ops", "cat >> $1/told")};
    struct log_kit log = log_kit_begin();
    signal(SIGXFSZ, SIG_IGN);
    fresh();
    begin(sinks, 1);
    commit("before", "\"ops\""); /* one after the other, so that the log of writes is there */
    run_until_waiting(0);
    tell("sales", "\"ops\"");
    tell("hr", "\"ops\"");
    limit_files((rlim_t)kit_bytes("ledger.db-wal"));
    alerts_committed(alerts);
    for (int i = 0; i < 1000 && metric(STATS_NOTICES_SENT, "ops") < 2; i++)
        turns(10);
    turns(3 * LIMIT_NOTICE_LOOK_MS);
    EXPECT_INT(2, metric(STATS_NOTICES_SENT, "ops"));
    EXPECT_INT(2, waiting());
    limit_files(RLIM_INFINITY);
    run_until_waiting(0);
    EXPECT_INT(1, count_of(told(), "\"id\":\"alert_sales\""));
    EXPECT_INT(1, count_of(told(), "\"id\":\"alert_hr\""));
    EXPECT_INT(0, metric(STATS_NOTICES_FAILED, "ops"));
    end();
    EXPECT_INT(1, count_of(log_kit_end(log), "outbox_failing"));
}

/* The machine slept over it. */
static void what_is_old_is_tried_before_it_is_given_up(void)
{
    struct sink sinks[] = {program("ops", "cat >> $1/told")};
    fresh();
    begin(sinks, 1);
    tell("sales", "\"ops\",\"nobody\"");
    tell("hr", "\"ops\"");
    sqlite3_exec(ledger_connection(ledger), "UPDATE outbox SET since_us = since_us - 172800 * 1000000", NULL, NULL, NULL);
    alerts_committed(alerts);
    run_until_waiting(0);
    EXPECT_INT(2, metric(STATS_NOTICES_SENT, "ops"));
    end();
}

int main(void)
{
    kit_fresh();
    RUN(what_is_old_is_tried_before_it_is_given_up);
    RUN(a_full_disk_sends_nothing_twice);
    RUN(who_takes_too_long_is_broken_off);
    fresh();
    kit_end();
    return unit_close("alerts_trouble");
}
