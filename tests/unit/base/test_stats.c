/* Shared memory and metrics: sums over segments, restarts, the bound on label sets, a reader beside a writer. */
#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/shared.h"
#include "base/stats.h"

static struct shared areas[2];
static void *segments[2];

static void open_areas(void)
{
    for (int i = 0; i < 2; i++) {
        EXPECT(shared_create(&areas[i], "test", stats_segment_bytes()));
        segments[i] = areas[i].base;
    }
}

static void close_areas(void)
{
    for (int i = 0; i < 2; i++)
        shared_close(&areas[i]);
}

/* The line of the rendered text that starts with `start`, without it; "(none)" when there is none. */
static const char *line_of(const char *start)
{
    static char found[512];
    struct buf out;
    buf_init(&out);
    stats_render(segments, 2, &out);
    buf_append_char(&out, '\0');
    snprintf(found, sizeof found, "(none)");
    size_t len = strlen(start);
    for (const char *line = buf_ptr(&out); *line;) {
        const char *end = strchr(line, '\n');
        if (strncmp(line, start, len) == 0) {
            snprintf(found, sizeof found, "%.*s", (int)(end - line) - (int)len, line + len);
            break;
        }
        line = end + 1;
    }
    buf_clear(&out);
    return found;
}

static stats_handle tokens(struct stats *s, const char *model, const char *department, const char *direction)
{
    struct slice labels[] = {slice_str(model), slice_str(department), slice_str(direction)};
    return stats_series(s, STATS_TOKENS, labels);
}

static void segments_are_summed_by_label_set(void)
{
    open_areas();
    struct stats *a = stats_attach(segments[0]), *b = stats_attach(segments[1]);
    stats_add(a, tokens(a, "gpt-4o", "Sales", "input"), 40);
    stats_add(b, tokens(b, "gpt-4o", "Sales", "input"), 2);
    stats_add(b, tokens(b, "gpt-4o", "Sales", "output"), 5);
    stats_add(b, stats_series(b, STATS_EXCHANGES_OPEN, NULL), 3);
    stats_add(a, stats_series(a, STATS_EXCHANGES_OPEN, NULL), -1);
    stats_set(a, stats_series(a, STATS_POLICY_GENERATIONS, NULL), 4);
    stats_set(b, stats_series(b, STATS_POLICY_GENERATIONS, NULL), 2);
    EXPECT_STR("{model=\"gpt-4o\",department=\"Sales\",direction=\"input\"} 42", line_of("moongate_tokens_total"));
    EXPECT_STR(" 5", line_of("moongate_tokens_total{model=\"gpt-4o\",department=\"Sales\",direction=\"output\"}"));
    EXPECT_STR("2", line_of("moongate_exchanges_open "));
    EXPECT_STR("4", line_of("moongate_policy_generations "));
    EXPECT_STR("0", line_of("moongate_worker_restarts_total "));
    stats_detach(a);
    stats_detach(b);
    close_areas();
}

static void a_restart_keeps_counts_and_drops_gauges(void)
{
    open_areas();
    struct stats *s = stats_attach(segments[0]);
    stats_handle t = tokens(s, "m", "d", "input");
    EXPECT_INT(t, tokens(s, "m", "d", "input"));
    stats_add(s, t, 7);
    stats_add(s, stats_series(s, STATS_CONNECTIONS_OPEN, NULL), 9);
    stats_observe(s, stats_series(s, STATS_OVERHEAD, NULL), 3000000);
    stats_detach(s);
    s = stats_attach(segments[0]);
    EXPECT_INT(t, tokens(s, "m", "d", "input"));
    EXPECT_INT(7, stats_value(s, t));
    stats_add(s, tokens(s, "other model", "d", "input"), 1);
    stats_add(s, t, 1);
    EXPECT_STR(" 8", line_of("moongate_tokens_total{model=\"m\",department=\"d\",direction=\"input\"}"));
    EXPECT_STR("0", line_of("moongate_connections_open "));
    EXPECT_STR("1", line_of("moongate_overhead_seconds_count "));
    stats_detach(s);
    close_areas();
}

static void histograms_are_cumulative_and_in_seconds(void)
{
    open_areas();
    struct stats *s = stats_attach(segments[0]);
    stats_handle h = stats_series(s, STATS_REQUEST_DURATION, NULL);
    stats_observe(s, h, 1000000);      /* on the bound: inside */
    stats_observe(s, h, 1000001);      /* just above it */
    stats_observe(s, h, 90000000000u); /* above every bound */
    EXPECT_STR(" 1", line_of("moongate_request_duration_seconds_bucket{le=\"0.001\"}"));
    EXPECT_STR(" 2", line_of("moongate_request_duration_seconds_bucket{le=\"0.005\"}"));
    EXPECT_STR(" 2", line_of("moongate_request_duration_seconds_bucket{le=\"60\"}"));
    EXPECT_STR(" 3", line_of("moongate_request_duration_seconds_bucket{le=\"+Inf\"}"));
    EXPECT_STR("90.002000001", line_of("moongate_request_duration_seconds_sum "));
    EXPECT_STR("3", line_of("moongate_request_duration_seconds_count "));
    stats_detach(s);
    close_areas();
}

static void labels_are_cut_at_a_character_and_escaped(void)
{
    open_areas();
    struct stats *s = stats_attach(segments[0]);
    char wide[LIMIT_LABEL_BYTES + 8];
    memset(wide, 'x', LIMIT_LABEL_BYTES - 1);
    memcpy(wide + LIMIT_LABEL_BYTES - 1, "é rest", 8); /* the é would straddle the bound */
    stats_add(s, tokens(s, wide, "a\"b\\c\nd", "\xff"), 1);
    char want[256];
    snprintf(want, sizeof want, "{model=\"%.*s\",department=\"a\\\"b\\\\c\\nd\",direction=\"\xEF\xBF\xBD\"} 1",
             (int)LIMIT_LABEL_BYTES - 1, wide);
    EXPECT_STR(want, line_of("moongate_tokens_total"));
    stats_detach(s);
    close_areas();
}

static void too_many_label_sets_fold_into_other(void)
{
    open_areas();
    struct stats *s = stats_attach(segments[0]);
    char model[32];
    for (unsigned i = 0; i < LIMIT_SERIES + 500; i++) {
        snprintf(model, sizeof model, "model-%u", i);
        stats_add(s, tokens(s, model, "d", "input"), 1);
    }
    EXPECT_STR(" 500", line_of("moongate_tokens_total{model=\"other\",department=\"other\",direction=\"other\"}"));
    EXPECT_STR(" 1", line_of("moongate_tokens_total{model=\"model-0\",department=\"d\",direction=\"input\"}"));
    /* Every metric still has its place, histograms too. */
    stats_add(s, stats_series(s, STATS_INSPECT_ERRORS, NULL), 2);
    stats_observe(s, stats_series(s, STATS_OVERHEAD, NULL), 5);
    EXPECT_STR("2", line_of("moongate_inspect_errors_total "));
    EXPECT_STR("1", line_of("moongate_overhead_seconds_count "));
    /* A later process finds the same. */
    stats_detach(s);
    s = stats_attach(segments[0]);
    stats_add(s, tokens(s, "one more", "d", "input"), 1);
    EXPECT_STR(" 501", line_of("moongate_tokens_total{model=\"other\",department=\"other\",direction=\"other\"}"));
    stats_detach(s);
    close_areas();
}

static void labels_too_long_together_fold_too(void)
{
    open_areas();
    struct stats *s = stats_attach(segments[0]);
    char wide[LIMIT_LABEL_BYTES + 1] = {0};
    memset(wide, 'w', LIMIT_LABEL_BYTES);
    struct slice labels[6];
    for (int i = 0; i < 6; i++)
        labels[i] = slice_str(wide);
    stats_add(s, stats_series(s, STATS_REQUESTS, labels), 1);
    EXPECT_STR(" 1", line_of("moongate_requests_total{app=\"other\",department=\"other\",model=\"other\","
                             "provider=\"other\",outcome=\"other\",code=\"other\"}"));
    stats_detach(s);
    close_areas();
}

static void what_policies_count_names_itself(void)
{
    open_areas();
    struct stats *a = stats_attach(segments[0]), *b = stats_attach(segments[1]);
    struct slice checks[7] = {SLICE("checks_total"), SLICE("verdict"), SLICE("a")};
    struct slice plain[7] = {SLICE("others_total")};
    EXPECT_STR("(none)", line_of("# TYPE moongate_policy_"
                                 "checks"));
    stats_add(a, stats_series(a, STATS_POLICY_COUNTER, checks), 2);
    stats_add(b, stats_series(b, STATS_POLICY_COUNTER, checks), 3);
    stats_add(b, stats_series(b, STATS_POLICY_COUNTER, plain), 1);
    stats_observe(a, stats_series(a, STATS_POLICY_HISTOGRAM, plain), 30u * 1000 * 1000);
    EXPECT_STR(" counter", line_of("# TYPE moongate_policy_checks_total"));
    EXPECT_STR(" 5", line_of("moongate_policy_checks_total{verdict=\"a\"}"));
    EXPECT_STR(" 1", line_of("moongate_policy_others_total"));
    EXPECT_STR(" 1", line_of("moongate_policy_others_total_bucket{le=\"0.1\"}"));
    EXPECT_STR("(none)", line_of("moongate_policy_ "));
    EXPECT_STR("(none)", line_of("# TYPE moongate_policy_ "));
    char long_name[LIMIT_LABEL_BYTES + 1];
    memset(long_name, 'x', sizeof long_name);
    struct slice many[7];
    for (size_t i = 0; i < 7; i++) /* together over the bound of one key */
        many[i] = slice_of(long_name, LIMIT_LABEL_BYTES);
    stats_add(a, stats_series(a, STATS_POLICY_COUNTER, many), 1);
    EXPECT_STR(" 1", line_of("moongate_policy_other{other=\"other\"}"));
    stats_detach(a);
    stats_detach(b);
    close_areas();
}

static void an_info_at_zero_is_not_shown(void)
{
    open_areas();
    struct stats *s = stats_attach(segments[0]);
    struct slice old = SLICE("aa"), new = SLICE("bb");
    stats_set(s, stats_series(s, STATS_POLICY_INFO, &old), 1);
    stats_set(s, stats_series(s, STATS_POLICY_INFO, &old), 0);
    stats_set(s, stats_series(s, STATS_POLICY_INFO, &new), 1);
    EXPECT_STR("(none)", line_of("moongate_policy_info{sha256=\"aa\"}"));
    EXPECT_STR(" 1", line_of("moongate_policy_info{sha256=\"bb\"}"));
    stats_detach(s);
    close_areas();
}

/* Adds label sets and counts until killed. */
static void write_for_ever(void)
{
    struct stats *s = stats_attach(segments[0]);
    stats_handle total = stats_series(s, STATS_INSPECT_ERRORS, NULL);
    char model[32];
    for (unsigned i = 0;; i++) {
        snprintf(model, sizeof model, "model-%u", i % 4000);
        stats_add(s, tokens(s, model, "d", "input"), 1);
        stats_add(s, total, 1);
    }
}

static void a_reader_beside_a_killed_and_restarted_writer_never_sees_a_jump_back(void)
{
    open_areas();
    uint64_t last = 0, grew = 0;
    for (int life = 0; life < 5; life++) {
        pid_t pid = fork();
        if (pid == 0) write_for_ever();
        for (int i = 0; i < 40; i++) {
            uint64_t now = 0;
            EXPECT(slice_to_u64(slice_str(line_of("moongate_inspect_errors_total ")), &now));
            if (now < last) UNIT_FAIL("%" PRIu64 " after %" PRIu64, now, last);
            grew += now > last;
            last = now;
            usleep(500);
        }
        kill(pid, SIGKILL);
        EXPECT_INT(pid, waitpid(pid, NULL, 0));
    }
    EXPECT(grew > 0);
    close_areas();
}

static void shared_memory_keeps_its_size(void)
{
    struct shared area;
    EXPECT(shared_create(&area, "test", 4096));
    EXPECT(ftruncate(area.fd, 0) < 0 && errno == EPERM);
    EXPECT(ftruncate(area.fd, 8192) < 0 && errno == EPERM);
    EXPECT(fcntl(area.fd, F_GETFD) & FD_CLOEXEC);
    shared_close(&area);
    shared_close(&area);
}

int main(void)
{
    RUN(segments_are_summed_by_label_set);
    RUN(a_restart_keeps_counts_and_drops_gauges);
    RUN(histograms_are_cumulative_and_in_seconds);
    RUN(labels_are_cut_at_a_character_and_escaped);
    RUN(too_many_label_sets_fold_into_other);
    RUN(labels_too_long_together_fold_too);
    RUN(what_policies_count_names_itself);
    RUN(an_info_at_zero_is_not_shown);
    RUN(a_reader_beside_a_killed_and_restarted_writer_never_sees_a_jump_back);
    RUN(shared_memory_keeps_its_size);
    return unit_close("stats");
}
