#include <jansson.h>
#include <unistd.h>

#include "base/log.h"
#include "server/control.h"
#include "server/supervisor_inner.h"

static void keys_begin(struct supervisor *sup);

static json_t *answer_of(struct report *report)
{
    if (report_errors(report) == 0) return json_pack("{s:b}", "ok", 1);
    return json_pack("{s:b, s:s, s:O}", "ok", 0, "error", "the keys cannot be read", "report", report_json(report));
}

static void say_failure(struct supervisor *sup, struct report *report)
{
    struct buf first;
    buf_init(&first);
    report_first_line(report, &first);
    buf_append_char(&first, '\0');
    log_event(LOG_ERROR, "keys_unread", "%s", buf_ptr(&first));
    if (sup->keys.fd < 0) supervisor_fail(sup, report_first(report), "%s", buf_ptr(&first));
    buf_clear(&first);
}

static void on_checked(void *arg, struct check_result *result)
{
    struct supervisor *sup = arg;
    struct keys *k = &sup->keys;
    bool is_first = k->fd < 0;
    k->checker = NULL;
    if (result->is_good) {
        if (k->fd >= 0) close(k->fd);
        k->fd = result->keys_fd;
        result->keys_fd = -1;
        children_send(sup, CONTROL_KEYS, SLICE_NONE, k->fd);
        ledger_look(sup);
    } else {
        say_failure(sup, result->report);
    }
    bool is_again = waiters_answer(&k->waiters, answer_of(result->report));
    if (is_first && result->is_good && sup->state == BOARD_STARTING) children_start(sup);
    if (is_again) keys_begin(sup);
}

static void keys_begin(struct supervisor *sup)
{
    struct check_job job = {.what = CHECK_KEYS, .data_dir = sup->data_dir};
    sup->keys.checker = checker_start(sup->loop, &job, on_checked, sup);
}

void keys_request(struct supervisor *sup, struct line_peer *peer)
{
    /* While one is read, what was read may be older than the change that is asked for: another follows. */
    waiters_add(&sup->keys.waiters, sup->keys.checker != NULL, peer);
    if (!sup->keys.checker) keys_begin(sup);
}

void keys_init(struct supervisor *sup)
{
    sup->keys.fd = -1;
}

void keys_clear(struct supervisor *sup)
{
    checker_cancel(sup->keys.checker);
    if (sup->keys.fd >= 0) close(sup->keys.fd);
}
