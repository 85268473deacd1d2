/* A ledger with notices to send, and sinks that are programs. */
#ifndef MOONGATE_TESTS_ALERTS_KIT_H
#define MOONGATE_TESTS_ALERTS_KIT_H

#include "../log_kit.h"
#include "../store/ledger_kit.h"

#include "base/limits.h"
#include "base/mem.h"
#include "ledger/alerts.h"
#include "net/loop.h"

static struct loop *loop;
static struct ledger *ledger;
static void *segment;
static struct stats *stats;
static struct alerts *alerts;

static inline const char *path_of(const char *name)
{
    static char paths[4][96];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    kit_path(path, name);
    return path;
}

static inline void fresh(void)
{
    static const char *const names[] = {"told", "begun", "ready", "env"};
    kit_fresh();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(path_of(names[i]));
}

/* Lines "script\nwords" of /bin/sh -c. */
static inline struct slice sh(const char *script)
{
    static char lines[2][600];
    static unsigned turn;
    char *text = lines[turn++ % 2];
    snprintf(text, sizeof lines[0], "/bin/sh\n-c\n%s\n-\n%s", script, kit_dir);
    return slice_str(text);
}

static inline struct sink program(const char *name, const char *script)
{
    return (struct sink){.name = slice_str(name), .kind = SLICE("command"), .command = sh(script)};
}

static inline void begin(const struct sink *sinks, size_t count)
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
static inline void end(void)
{
    alerts_free(alerts);
    ledger_close(ledger);
    loop_free(loop);
    stats_detach(stats);
    mem_free(segment);
}

static inline void tell(const char *budget, const char *to)
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

static inline void commit(const char *budget, const char *to)
{
    tell(budget, to);
    alerts_committed(alerts);
}

static inline void stop(void *arg)
{
    loop_stop(arg);
}

static inline void turns(unsigned ms)
{
    struct loop_timer timer;
    loop_timer_init(&timer, loop, stop, loop);
    loop_timer_arm_ms(&timer, ms);
    loop_run(loop);
    loop_timer_disarm(&timer);
}

static inline unsigned waiting(void)
{
    return (unsigned)strtoul(kit_ask("SELECT count(*) FROM outbox"), NULL, 10);
}

static inline void run_until_waiting(unsigned wanted)
{
    for (int i = 0; i < 3000 && waiting() != wanted; i++)
        turns(10);
    EXPECT_INT(wanted, waiting());
}

static inline void run_until_there(const char *name)
{
    for (int i = 0; i < 1000 && access(path_of(name), F_OK) != 0; i++)
        turns(10);
    EXPECT(access(path_of(name), F_OK) == 0);
}

static inline const char *told(void)
{
    static char text[8192];
    FILE *file = fopen(path_of("told"), "r");
    size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[n] = '\0';
    if (file) fclose(file);
    return text;
}

static inline int64_t metric(enum stats_metric which, const char *sink)
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

#endif
