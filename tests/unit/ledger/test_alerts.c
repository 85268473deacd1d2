/* Notices on their way to their sinks: at least once, with the same id, whatever becomes of this process or of the sink,
 * and no longer than a day. The sinks are programs. */
#include "../store/ledger_kit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "ledger/alerts.h"
#include "net/loop.h"

static struct loop *loop;
static struct ledger *ledger;
static void *segment;
static struct stats *stats;
static struct alerts *alerts;

/* ---- The scene. */

static const char *path_of(const char *name)
{
    static char paths[4][96];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    kit_path(path, name);
    return path;
}

static void fresh(void)
{
    static const char *const names[] = {"told", "begun", "ready", "env"};
    kit_fresh();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(path_of(names[i]));
}

/* Lines "script\nwords" of /bin/sh -c. */
static struct slice sh(const char *script)
{
    static char lines[2][600];
    static unsigned turn;
    char *text = lines[turn++ % 2];
    snprintf(text, sizeof lines[0], "/bin/sh\n-c\n%s\n-\n%s", script, kit_dir);
    return slice_str(text);
}

static struct sink program(const char *name, const char *script)
{
    return (struct sink){.name = slice_str(name), .kind = SLICE("command"), .command = sh(script)};
}

static void begin(const struct sink *sinks, size_t count)
{
    loop = loop_new();
    segment = mem_zalloc(1, stats_segment_bytes());
    stats = stats_attach(segment);
    ledger = kit_open();
    alerts = alerts_new(loop, stats, SLICE("gw-1"));
    alerts_configure(alerts, sinks, count);
    alerts_open(alerts, ledger);
}

/* As if it were killed. */
static void end(void)
{
    alerts_free(alerts);
    ledger_close(ledger);
    loop_free(loop);
    stats_detach(stats);
    mem_free(segment);
}

static void tell(const char *budget, const char *to)
{
    struct buf body;
    buf_init(&body);
    buf_printf(&body,
               "{\"id\":\"alert_%s\",\"time\":\"" KIT_TIME "\",\"key\":\"app=x\",\"period\":1000,\"at\":8000,"
               "\"to\":[%s],\"text\":\"x has used 80%%\",\"rule\":\"budget/%s@80%%\",\"owner\":\"ada\"}",
               budget, to, budget);
    kit_begin(ledger);
    EXPECT_INT(LEDGER_STORED, kit_put_text(ledger, CHAIN_ALERT, NULL, buf_slice(&body)));
    kit_commit(ledger);
    buf_clear(&body);
}

static void commit(const char *budget, const char *to)
{
    tell(budget, to);
    alerts_committed(alerts);
}

static void stop(void *arg)
{
    loop_stop(arg);
}

static void turns(unsigned ms)
{
    struct loop_timer timer;
    loop_timer_init(&timer, loop, stop, loop);
    loop_timer_arm_ms(&timer, ms);
    loop_run(loop);
    loop_timer_disarm(&timer);
}

static unsigned waiting(void)
{
    return (unsigned)strtoul(kit_ask("SELECT count(*) FROM outbox"), NULL, 10);
}

static void run_until_waiting(unsigned wanted)
{
    for (int i = 0; i < 3000 && waiting() != wanted; i++)
        turns(10);
    EXPECT_INT(wanted, waiting());
}

static void run_until_there(const char *name)
{
    for (int i = 0; i < 1000 && access(path_of(name), F_OK) != 0; i++)
        turns(10);
    EXPECT(access(path_of(name), F_OK) == 0);
}

static const char *told(void)
{
    static char text[8192];
    FILE *file = fopen(path_of("told"), "r");
    size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[n] = '\0';
    if (file) fclose(file);
    return text;
}

static unsigned count_of(const char *text, const char *part)
{
    unsigned count = 0;
    while ((text = strstr(text, part)) != NULL) {
        text += strlen(part);
        count++;
    }
    return count;
}

static int64_t metric(enum stats_metric which, const char *sink)
{
    static char name[160];
    struct buf out;
    void *segments[] = {segment};
    static const char *const names[] = {[STATS_NOTICES_SENT] = "moongate_notices_sent_total",
                                        [STATS_NOTICES_FAILED] = "moongate_notices_failed_total",
                                        [STATS_NOTICES_GIVEN_UP] = "moongate_notices_given_up_total"};
    buf_init(&out);
    stats_render(segments, 1, &out);
    buf_append_char(&out, '\0');
    snprintf(name, sizeof name, "\n%s{sink=\"%s\"} ", names[which], sink);
    const char *at = strstr(buf_ptr(&out), name);
    int64_t value = at ? strtoll(at + strlen(name), NULL, 10) : -1;
    buf_clear(&out);
    return value;
}

/* ---- */

static void a_program_gets_it_as_json_once(void)
{
    struct sink sinks[] = {program("ops", "cat >> $1/told")};
    fresh();
    begin(sinks, 1);
    commit("sales", "\"ops:team-a\"");
    run_until_waiting(0);
    EXPECT_STR("{\"receiver\":\"ops:team-a\",\"address\":\"team-a\",\"gateway\":\"gw-1\",\"id\":\"alert_sales\","
               "\"time\":\"" KIT_TIME "\",\"key\":\"app=x\",\"period\":1000,\"at\":8000,\"to\":[\"ops:team-a\"],"
               "\"text\":\"x has used 80%\",\"rule\":\"budget/sales@80%\",\"owner\":\"ada\"}\n",
               told());
    EXPECT_INT(1, metric(STATS_NOTICES_SENT, "ops"));
    EXPECT_INT(0, metric(STATS_NOTICES_FAILED, "ops"));
    end();
    begin(sinks, 1); /* and not once more */
    turns(50);
    EXPECT_INT(1, count_of(told(), "alert_sales"));
    end();
}

static void killed_between_commit_and_sending_it_is_sent_at_the_next_start(void)
{
    struct sink sinks[] = {program("ops", "cat >> $1/told")};
    fresh();
    begin(sinks, 1);
    tell("sales", "\"ops:team-a\"");
    end();
    EXPECT_STR("", told());
    begin(sinks, 1);
    run_until_waiting(0);
    EXPECT_INT(1, count_of(told(), "\"id\":\"alert_sales\""));
    EXPECT_STR("1", kit_ask("SELECT count(*) FROM chain WHERE kind = 8"));
    end();
}

/* Killed while it is being taken, it is sent once more, with the same id; what it had begun is over. */
static void killed_while_sending_it_is_sent_again(void)
{
    struct sink slow[] = {program("ops", "cat >> $1/told; touch $1/begun; sleep 100; touch $1/ready")};
    struct sink sinks[] = {program("ops", "cat >> $1/told")};
    fresh();
    begin(slow, 1);
    commit("sales", "\"ops\"");
    run_until_there("begun");
    end();
    EXPECT_INT(1, waiting());
    begin(sinks, 1);
    run_until_waiting(0);
    EXPECT_INT(2, count_of(told(), "\"id\":\"alert_sales\""));
    EXPECT(access(path_of("ready"), F_OK) != 0);
    end();
}

static void what_is_not_taken_is_tried_again_and_holds_up_nobody_else(void)
{
    struct sink sinks[] = {program("ops", "test -e $1/ready && cat >> $1/told"), program("pager", "cat >> $1/told")};
    fresh();
    begin(sinks, 2);
    commit("sales", "\"ops\",\"pager:x\"");
    run_until_waiting(1);
    EXPECT_INT(1, count_of(told(), "\"receiver\":\"pager:x\""));
    for (int i = 0; i < 1000 && metric(STATS_NOTICES_FAILED, "ops") < 2; i++)
        turns(10);
    EXPECT(strtol(kit_ask("SELECT tries FROM outbox"), NULL, 10) >= 2);
    fclose(fopen(path_of("ready"), "w"));
    run_until_waiting(0);
    EXPECT_INT(1, count_of(told(), "\"receiver\":\"ops\""));
    EXPECT_INT(1, metric(STATS_NOTICES_SENT, "ops"));
    end();
}

static void after_a_day_it_is_given_up(void)
{
    struct sink sinks[] = {program("ops", "exit 1")};
    fresh();
    begin(sinks, 1);
    tell("sales", "\"ops\",\"nobody:x\"");
    sqlite3_exec(ledger_connection(ledger), "UPDATE outbox SET since_us = since_us - 86401 * 1000000", NULL, NULL, NULL);
    alerts_committed(alerts);
    run_until_waiting(0);
    EXPECT_INT(1, metric(STATS_NOTICES_GIVEN_UP, "ops"));
    EXPECT_STR("1", kit_ask("SELECT count(*) FROM chain WHERE kind = 8"));
    end();
}

/* One that there is none of may come; the owner's need not be there. */
static void a_sink_may_come_later(void)
{
    struct sink sinks[] = {program("ops", "cat >> $1/told")};
    fresh();
    begin(NULL, 0);
    commit("sales", "\"ops\",\"owner\"");
    run_until_waiting(1);
    EXPECT_STR("ops", kit_ask("SELECT sink FROM outbox"));
    alerts_configure(alerts, sinks, 1);
    run_until_waiting(0);
    EXPECT_INT(1, count_of(told(), "\"receiver\":\"ops\""));
    end();
}

static void the_owner_is_whom_apps_lua_names(void)
{
    struct sink sinks[] = {program("owner", "cat >> $1/told")};
    fresh();
    begin(sinks, 1);
    commit("sales", "\"owner\"");
    run_until_waiting(0);
    EXPECT(strstr(told(), "{\"receiver\":\"owner\",\"address\":\"ada\"") == told());
    end();
}

static void other_sinks_while_one_is_being_told(void)
{
    struct sink slow[] = {program("ops", "touch $1/begun; sleep 100")};
    struct sink sinks[] = {program("ops", "cat >> $1/told")};
    fresh();
    begin(slow, 1);
    commit("sales", "\"ops\"");
    run_until_there("begun");
    alerts_configure(alerts, sinks, 1);
    run_until_waiting(0);
    EXPECT_INT(1, count_of(told(), "\"receiver\":\"ops\""));
    end();
}

/* Secrets of the gateway are in its variables. */
static void a_program_sees_few_variables_and_nothing_that_is_open(void)
{
    struct sink sinks[] = {program("ops", "{ env; ls /proc/self/fd; } > $1/told")};
    fresh();
    setenv("OPENAI_API_KEY", "sk-secret", 1);
    begin(sinks, 1);
    commit("sales", "\"ops\"");
    run_until_waiting(0);
    EXPECT(strstr(told(), "PATH=") != NULL);
    EXPECT(strstr(told(), "sk-secret") == NULL);
    EXPECT(strstr(told(), "\n4\n") == NULL); /* 3 is the folder that ls reads */
    end();
}

static void a_program_that_is_not_there_is_a_failure(void)
{
    struct sink sinks[] = {{.name = SLICE("ops"), .kind = SLICE("command"), .command = SLICE("/nowhere/x")}};
    fresh();
    begin(sinks, 1);
    commit("sales", "\"ops\"");
    for (int i = 0; i < 1000 && metric(STATS_NOTICES_FAILED, "ops") < 1; i++)
        turns(10);
    EXPECT_INT(1, waiting());
    end();
}

/* ---- Trouble. */

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

/* What the case writes into the log. */
static int begin_log(void)
{
    int before = dup(2), fd = open(path_of("log"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    dup2(fd, 2);
    close(fd);
    return before;
}

static const char *end_log(int before)
{
    static char text[8192];
    FILE *file = fopen(path_of("log"), "r");
    size_t n = fread(text, 1, sizeof text - 1, file);
    text[n] = '\0';
    fclose(file);
    dup2(before, 2);
    close(before);
    unlink(path_of("log"));
    return text;
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
    int log = begin_log();
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
    const char *said = end_log(log);
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
    int log = begin_log();
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
    EXPECT_INT(1, count_of(end_log(log), "outbox_failing"));
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
    RUN(a_program_gets_it_as_json_once);
    RUN(killed_between_commit_and_sending_it_is_sent_at_the_next_start);
    RUN(killed_while_sending_it_is_sent_again);
    RUN(what_is_not_taken_is_tried_again_and_holds_up_nobody_else);
    RUN(after_a_day_it_is_given_up);
    RUN(a_sink_may_come_later);
    RUN(the_owner_is_whom_apps_lua_names);
    RUN(other_sinks_while_one_is_being_told);
    RUN(a_program_sees_few_variables_and_nothing_that_is_open);
    RUN(a_program_that_is_not_there_is_a_failure);
    RUN(what_is_old_is_tried_before_it_is_given_up);
    RUN(a_full_disk_sends_nothing_twice);
    RUN(who_takes_too_long_is_broken_off);
    fresh();
    kit_end();
    return unit_close("alerts");
}
