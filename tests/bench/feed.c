/*
 * The bench of the ledger process: records fed at its socket as a worker does, without a worker.
 *
 *     build/bench/feed [-r SECONDS] DIR RECORDS [RATE [URL]]     # RATE: records a second; 0: as many as are taken
 *     fed {"records":200000,"seconds":5.1,"rate":39215,"p50_us":310,"p99_us":2900,"max_us":9100,"db_mb":441.2,
 *          "wal_mb":17.9}
 *     cpu {"user_us":14.2,"system_us":6.1}          # of the ledger process, for each record
 *
 * DIR is the data folder, which stays. URL: a PostgreSQL that may be down; then it says "committed" when all is on the
 * disk, goes on until all is there, and says "shipped SECONDS", from then on. Latency is the time from a record's
 * sending to its acknowledgement; wal_mb the most that the log had. The records' own time goes on by 2 ms each, as at
 * 500 a second: 1,800,000 of them are an hour. -r is ledger.retain: a file made without it gives all back beside what
 * is fed in a second run with it:
 *
 *     build/bench/feed DIR 400000; build/bench/feed -r 1 DIR 6000 100     # db_mb is that of the end
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "ledger/process.h"
#include "net/loop.h"
#include "net/pipe.h"
#include "store/chain.h"
#include "store/ledger/link.h"

#define IN_FLIGHT_MAX 8192u
#define TICK_MS 2u
#define BODIES 1000u /* made before; then each record has but its own id and time */
#define BORN_NS (1790000000ull * NS_PER_S)

/* ---- The ledger process. */

static void on_end(void *arg)
{
    loop_stop(arg);
}

static void ignore(void *arg)
{
    (void)arg;
}

static void on_shut(void *arg, const char *why)
{
    (void)arg;
    fprintf(stderr, "the ledger: %s\n", why);
}

static void on_state(void *arg, const struct process_state *state)
{
    (void)arg;
    if (state->is_failing) fprintf(stderr, "the ledger: %s\n", state->why);
}

static const struct process_events process_events = {
    .on_open = ignore, .on_shut = on_shut, .on_state = on_state, .on_end = on_end};

_Noreturn static void be_ledger(const char *dir, const char *url, uint64_t retain_ms, int fd)
{
    struct loop *loop = loop_new();
    void *segment = mem_zalloc(1, stats_segment_bytes());
    struct stats *stats = stats_attach(segment);
    struct process_options options = {.version = "bench",
                                      .data_dir = slice_str(dir),
                                      .gateway = SLICE("bench"),
                                      .zone = SLICE("UTC"),
                                      .postgres = slice_str(url),
                                      .retain_ms = retain_ms};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct process *p = process_new(loop, stats, &options, &process_events, loop);
    process_add_worker(p, 0, getppid(), fd);
    process_leave(p, false); /* when the pipe has ended */
    loop_run(loop);
    process_free(p);
    stats_detach(stats);
    mem_free(segment);
    loop_free(loop);
    exit(0);
}

/* ---- The worker. */

struct feed {
    struct loop *loop;
    struct loop_timer tick;
    struct pipe *pipe;
    const char *dir;
    bool ships;
    uint64_t committed_ns;
    uint64_t records, rate, sent, acknowledged, began_ns;
    uint64_t *sent_ns; /* by number; then what its acknowledgement took */
    uint64_t wal_bytes;
    struct buf bodies[BODIES];
};

static uint64_t file_bytes(const char *dir, const char *name)
{
    char path[4096];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static const char *const departments[] = {"engineering", "sales", "support", "marketing", "research"};
static const char *const models[] = {"gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "llama-3.1-70b"};

/* As flow/record.h writes one of a plain call: 1.6 KB. */
static void write_body(struct buf *out, uint64_t n, const char *uuid)
{
    char time[CLOCK_TEXT_BYTES];
    const char *model = models[n % 4], *department = departments[n % 5];
    uint64_t input = 200 + n % 3000, output = 50 + n % 700;
    clock_format(BORN_NS + n * 2 * NS_PER_MS, time);
    buf_printf(out,
               "{\"id\":\"req_%s\",\"time\":\"%s\",\"api\":\"chat\",\"path\":\"/v1/chat/completions\",\"stream\":true,"
               "\"model\":\"%s\",\"model_asked\":\"%s\",\"target\":\"openai/%s\",\"provider\":\"openai\",\"status\":200,"
               "\"outcome\":\"ok\",\"identity\":{\"key_id\":\"key_%012llu\",\"app\":\"app-%llu\",\"department\":\"%s\","
               "\"user\":\"user-%llu\",\"labels\":{\"cost_center\":\"%llu\"}},",
               uuid, time, model, model, model, (unsigned long long)(n % 200), (unsigned long long)(n % 40), department,
               (unsigned long long)(n % 500), (unsigned long long)(n % 20));
    buf_printf(out,
               "\"policy\":{\"sha256\":\"%064d\"},\"config\":{\"sha256\":\"%064d\"},\"durability\":\"local\",\"data\":\"internal\","
               "\"trace\":[{\"policy\":\"access\",\"rule\":\"models.%s.departments\",\"verb\":\"allow\",\"at\":\"access.lua:12\"},"
               "{\"policy\":\"routing\",\"rule\":\"plain\",\"verb\":\"route\",\"reason\":\"asked for by name\",\"at\":\"routing.lua:30\"}],"
               "\"facts\":{\"task\":\"chat\",\"quality\":\"standard\",\"max_tokens\":1024,\"temperature\":\"0.2\",\"text_bytes\":%llu},",
               1, 2, model, (unsigned long long)input * 4);
    buf_printf(out,
               "\"estimate\":{\"input_tokens\":%llu,\"output_tokens\":1024,\"estimated\":false},"
               "\"usage\":{\"input_tokens\":%llu,\"output_tokens\":%llu,\"total_tokens\":%llu,\"cached_tokens\":0},"
               "\"billed\":{\"input\":%llu,\"output\":%llu,\"requests\":1},\"cost\":{\"usd\":0.0042,\"nano_usd\":%llu,\"price\":\"2026-08-21\"},"
               "\"upstream\":{\"status\":200,\"request_id\":\"chatcmpl-%llu\",\"finish_reason\":\"stop\"},"
               "\"attempts\":[{\"target\":\"openai/%s\",\"provider\":\"openai\",\"model\":\"%s\",\"status\":200,\"ms\":812.311,"
               "\"usage\":{\"input_tokens\":%llu,\"output_tokens\":%llu},\"billed\":{\"input\":%llu,\"output\":%llu,\"requests\":1},"
               "\"cost\":{\"usd\":0.0042,\"nano_usd\":%llu,\"price\":\"2026-08-21\"}}],"
               "\"ms\":{\"total\":815.102,\"deciding\":0.201,\"calling\":813.9,\"first_byte\":402.44},\"bytes_out\":18211,\"events\":91}",
               (unsigned long long)input, (unsigned long long)input, (unsigned long long)output,
               (unsigned long long)(input + output), (unsigned long long)input, (unsigned long long)output,
               (unsigned long long)(input * 2500 + output * 10000), (unsigned long long)n, model, model,
               (unsigned long long)input, (unsigned long long)output, (unsigned long long)input,
               (unsigned long long)output, (unsigned long long)(input * 2500 + output * 10000));
}

/* UUIDv7 of the record's time; the rest is its number and this process, so that a second run is not the first one's. */
static void make_id(uint64_t n, uint8_t id[LINK_ID_BYTES], char uuid[40])
{
    uint64_t ms = BORN_NS / NS_PER_MS + 2 * n, mixed = (n + 1) * 0x9E3779B97F4A7C15ull;
    static uint64_t run;
    if (!run) run = clock_mono_ns();
    for (int i = 0; i < 6; i++)
        id[i] = (uint8_t)(ms >> (40 - 8 * i));
    memcpy(id + 6, &run, 4);
    memcpy(id + 10, &mixed, 6);
    id[6] = 0x70 | (id[6] & 0x0F);
    id[8] = 0x80 | (id[8] & 0x3F);
    static const char digits[] = "0123456789abcdef";
    char *to = uuid;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
        *to++ = digits[id[i] >> 4];
        *to++ = digits[id[i] & 15];
    }
    *to = '\0';
}

#define ID_AT (sizeof "{\"id\":\"req_" - 1)
#define TIME_AT (ID_AT + 36 + sizeof "\",\"time\":\"" - 1)

static void make_bodies(struct feed *f)
{
    for (unsigned i = 0; i < BODIES; i++) {
        uint8_t id[LINK_ID_BYTES];
        char uuid[40];
        make_id(i, id, uuid);
        buf_init(&f->bodies[i]);
        write_body(&f->bodies[i], i, uuid);
    }
}

static struct slice body_of(struct feed *f, uint64_t n, uint8_t id[LINK_ID_BYTES])
{
    struct buf *body = &f->bodies[n % BODIES];
    char *text = body->data + body->start, uuid[40], time[CLOCK_TEXT_BYTES];
    make_id(n, id, uuid);
    clock_format(BORN_NS + n * 2 * NS_PER_MS, time);
    memcpy(text + ID_AT, uuid, 36);
    memcpy(text + TIME_AT, time, strlen(time));
    return buf_slice(body);
}

static bool send_one(struct feed *f)
{
    struct link_entry head = {.number = f->sent + 1, .kind = CHAIN_EXCHANGE, .durability = DURABILITY_LOCAL};
    struct buf message;
    struct fault why;
    struct slice body = body_of(f, f->sent, head.id);
    head.body_bytes = (uint32_t)body.len;
    buf_init_small(&message, sizeof head + body.len);
    buf_append(&message, slice_of((const char *)&head, sizeof head));
    buf_append(&message, body);
    bool is_sent = pipe_send(f->pipe, LINK_ENTRY, buf_slice(&message), -1, &why);
    buf_clear(&message);
    if (is_sent) f->sent_ns[f->sent++] = clock_mono_ns();
    return is_sent;
}

static uint64_t wanted(const struct feed *f)
{
    if (!f->rate) return f->records;
    uint64_t due = (clock_mono_ns() - f->began_ns) / 1000 * f->rate / 1000000 + 1;
    return due < f->records ? due : f->records;
}

static void send_some(struct feed *f)
{
    uint64_t until = wanted(f);
    while (f->sent < until && f->sent - f->acknowledged < IN_FLIGHT_MAX && send_one(f))
        ;
}

static void on_tick(void *arg)
{
    struct feed *f = arg;
    uint64_t wal = file_bytes(f->dir, "ledger.db-wal");
    if (wal > f->wal_bytes) f->wal_bytes = wal;
    send_some(f);
    loop_timer_arm_ms(&f->tick, TICK_MS);
}

static int compare(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static void report(struct feed *f)
{
    double seconds = (double)(clock_mono_ns() - f->began_ns) / 1e9;
    qsort(f->sent_ns, f->records, sizeof *f->sent_ns, compare);
    printf("fed {\"records\":%llu,\"seconds\":%.2f,\"rate\":%.0f,\"p50_us\":%llu,\"p99_us\":%llu,\"max_us\":%llu,"
           "\"db_mb\":%.1f,\"wal_mb\":%.1f}\n",
           (unsigned long long)f->records, seconds, (double)f->records / seconds,
           (unsigned long long)f->sent_ns[f->records / 2] / 1000,
           (unsigned long long)f->sent_ns[f->records / 100 * 99] / 1000,
           (unsigned long long)f->sent_ns[f->records - 1] / 1000,
           (double)file_bytes(f->dir, "ledger.db") / MIB, (double)f->wal_bytes / MIB);
}

static void note_committed(struct feed *f)
{
    f->committed_ns = clock_mono_ns();
    report(f);
    printf("committed\n");
    fflush(stdout);
}

static void on_message(void *arg, const struct pipe_message *message)
{
    struct feed *f = arg;
    struct link_ack ack;
    if (message->type != LINK_ACK || message->body.len != sizeof ack) return;
    memcpy(&ack, message->body.ptr, sizeof ack);
    check(ack.committed <= f->sent);
    uint64_t now = clock_mono_ns();
    for (; f->acknowledged < ack.committed; f->acknowledged++)
        f->sent_ns[f->acknowledged] = now - f->sent_ns[f->acknowledged];
    if (f->acknowledged < f->records)
        send_some(f);
    else if (!f->committed_ns)
        note_committed(f);
    if (f->committed_ns && (!f->ships || ack.shipped == f->records)) loop_stop(f->loop);
}

static void on_gone(void *arg, const struct fault *why)
{
    (void)arg;
    fprintf(stderr, "the ledger process has ended: %s\n", why ? fault_message(why) : "end of file");
    exit(1);
}

static const struct pipe_events events = {.on_message = on_message, .on_end = on_gone};

static void feed_all(struct feed *f, int fd)
{
    struct link_hello hello;
    struct fault why;
    memset(hello.instance, 7, sizeof hello.instance);
    f->loop = loop_new();
    f->pipe = pipe_new(f->loop, fd, 64u * MIB, &events, f);
    f->sent_ns = mem_alloc(f->records * sizeof *f->sent_ns);
    check(pipe_send(f->pipe, LINK_HELLO, slice_of((const char *)&hello, sizeof hello), -1, &why));
    loop_timer_init(&f->tick, f->loop, on_tick, f);
    f->began_ns = clock_mono_ns();
    on_tick(f);
    loop_run(f->loop);
    if (f->ships) printf("shipped %.1f\n", (double)(clock_mono_ns() - f->committed_ns) / 1e9);
    loop_timer_disarm(&f->tick);
    pipe_free(f->pipe);
    loop_free(f->loop);
    mem_free(f->sent_ns);
    for (unsigned i = 0; i < BODIES; i++)
        buf_clear(&f->bodies[i]);
}

static double us_each(const struct feed *f, struct timeval time)
{
    return ((double)time.tv_sec * 1e6 + (double)time.tv_usec) / (double)f->records;
}

/* When the ledger process has ended. */
static void report_cpu(const struct feed *f)
{
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    printf("cpu {\"user_us\":%.1f,\"system_us\":%.1f}\n", us_each(f, usage.ru_utime), us_each(f, usage.ru_stime));
}

static _Noreturn void explain(void)
{
    fprintf(stderr, "usage: feed [-r SECONDS] DIR RECORDS [RATE [URL]]\n");
    exit(2);
}

int main(int argc, char **argv)
{
    struct fault why;
    int fds[2], option;
    uint64_t retain_ms = 0;
    while ((option = getopt(argc, argv, "r:")) != -1) {
        if (option != 'r') explain();
        retain_ms = strtoull(optarg, NULL, 10) * 1000;
    }
    argv += optind;
    argc -= optind;
    if (argc < 2) explain();
    struct feed f = {.dir = argv[0], .records = strtoull(argv[1], NULL, 10)};
    f.rate = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    f.ships = argc > 3;
    mkdir(f.dir, 0700);
    check(f.records && pipe_pair(fds, &why));
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        be_ledger(f.dir, f.ships ? argv[3] : "", retain_ms, fds[1]);
    }
    close(fds[1]);
    make_bodies(&f);
    feed_all(&f, fds[0]);
    int status;
    waitpid(pid, &status, 0);
    report_cpu(&f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
