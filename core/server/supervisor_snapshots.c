#include <jansson.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/control.h"
#include "server/supervisor_inner.h"

#define AGAIN_NS (10 * NS_PER_S)

static void snapshots_begin(struct supervisor *sup);

static json_t *answer_of(struct report *report)
{
    if (report_errors(report) == 0) return json_pack("{s:b}", "ok", 1);
    return json_pack("{s:b, s:s, s:O}", "ok", 0, "error", "the registry cannot be read", "report", report_json(report));
}

static void say_failure(struct supervisor *sup, struct report *report)
{
    struct buf first;
    buf_init(&first);
    report_first_line(report, &first);
    buf_append_char(&first, '\0');
    log_event(LOG_ERROR, "registry_unread", "%s", buf_ptr(&first));
    if (sup->snapshots.fd < 0) supervisor_fail(sup, report_first(report), "%s", buf_ptr(&first));
    buf_clear(&first);
}

static void on_checked(void *arg, struct check_result *result)
{
    struct supervisor *sup = arg;
    struct snapshots *s = &sup->snapshots;
    bool is_first = s->fd < 0;
    s->checker = NULL;
    s->again_ns = result->is_good ? 0 : clock_mono_ns() + AGAIN_NS;
    if (result->is_good) {
        if (s->fd >= 0) close(s->fd);
        s->fd = result->registry_fd;
        result->registry_fd = -1;
        children_send(sup, CONTROL_REGISTRY, SLICE_NONE, s->fd);
        ledger_look(sup);
    } else {
        say_failure(sup, result->report);
    }
    bool is_again = waiters_answer(&s->waiters, answer_of(result->report));
    if (is_first && result->is_good && sup->state == BOARD_STARTING) children_start(sup);
    if (is_again) snapshots_begin(sup);
}

static void snapshots_begin(struct supervisor *sup)
{
    struct check_job job = {.what = CHECK_REGISTRY, .data_dir = sup->data_dir};
    sup->snapshots.mark = registry_mark(sup->data_dir); /* before it: what is changed meanwhile is seen afterwards */
    sup->snapshots.wall_ns = clock_wall_ns();
    sup->snapshots.checker = checker_start(sup->loop, &job, on_checked, sup);
}

void snapshots_request(struct supervisor *sup, struct line_peer *peer)
{
    /* While one is read, what was read may be older than the change that is asked for: another follows. */
    waiters_add(&sup->snapshots.waiters, sup->snapshots.checker != NULL, peer);
    if (!sup->snapshots.checker) snapshots_begin(sup);
}

/* A file that is not there is being replaced, or lost: what workers have is better than a registry made anew. And what
 * a clock that was ahead took for over comes back when it is set right. */
void snapshots_look(struct supervisor *sup)
{
    struct snapshots *s = &sup->snapshots;
    if (s->checker || s->fd < 0) return;
    struct registry_mark now = registry_mark(sup->data_dir);
    bool is_due = !registry_mark_is_same(&s->mark, &now) || clock_wall_ns() < s->wall_ns ||
                  (s->again_ns && clock_mono_ns() >= s->again_ns);
    if (is_due && now.file.size > 0) snapshots_request(sup, NULL);
}

void snapshots_init(struct supervisor *sup)
{
    sup->snapshots.fd = -1;
}

void snapshots_clear(struct supervisor *sup)
{
    checker_cancel(sup->snapshots.checker);
    if (sup->snapshots.fd >= 0) close(sup->snapshots.fd);
}
