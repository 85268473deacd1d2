/* The pipes between the workers and the ledger process: made here, kept by nobody here, so that each side sees when the
 * other has gone. */
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "server/control.h"
#include "server/supervisor_inner.h"

void ledger_link_worker(struct child *worker)
{
    struct child *ledger = children_find(worker->sup, "ledger");
    struct control_worker body = {worker->slot, worker->pid};
    struct fault why;
    int fds[2];
    if (!ledger->pid || !worker->pid) return;
    if (!pipe_pair(fds, &why)) {
        log_event(LOG_ERROR, "control_failed", "%s: %s", worker->name, fault_message(&why));
        return;
    }
    child_send(ledger, CONTROL_WORKER, slice_of((const char *)&body, sizeof body), fds[0]);
    child_send(worker, CONTROL_LEDGER, SLICE_NONE, fds[1]);
    close(fds[0]);
    close(fds[1]);
}

static void send_config(struct child *ledger)
{
    child_send(ledger, CONTROL_CONFIG, SLICE_NONE, ledger->sup->current.config_fd);
}

void ledger_on_started(struct child *c)
{
    child_set_state(c, BOARD_SLOT_STARTING);
    send_config(c);
    acts_send(c);
    for (unsigned i = 0; i < c->sup->worker_count; i++)
        ledger_link_worker(&c->sup->children[i]);
}

static struct child *running_ledger(struct supervisor *sup)
{
    struct child *ledger = sup->worker_count ? children_find(sup, "ledger") : NULL;
    return ledger && ledger->pid ? ledger : NULL;
}

void ledger_on_accepted(struct supervisor *sup)
{
    struct child *ledger = running_ledger(sup);
    if (ledger) send_config(ledger);
}

void ledger_reopen(struct supervisor *sup)
{
    struct child *ledger = running_ledger(sup);
    if (ledger) child_send(ledger, CONTROL_REOPEN, SLICE_NONE, -1);
}

void ledger_look(struct supervisor *sup)
{
    struct child *ledger = running_ledger(sup);
    if (ledger) child_send(ledger, CONTROL_LOOK, SLICE_NONE, -1);
}

static void on_open(struct child *c)
{
    child_set_state(c, BOARD_SLOT_READY);
    if (!c->sup->has_started) children_start_rest(c->sup);
}

/* Later it tries again by itself, and says on the board that it cannot. */
static void on_shut(struct child *c, struct slice why)
{
    if (!c->sup->has_started) supervisor_fail(c->sup, FINDING_NO_FILE, "%.*s", SLICE_FMT(why));
}

/* Without a body it is the configuration that could not be taken. */
static void send_again(struct child *ledger, struct slice body)
{
    struct control_worker lost;
    if (body.len == 0) {
        send_config(ledger);
        acts_send(ledger); /* it could not take them without */
    }
    if (body.len != sizeof lost) return;
    memcpy(&lost, body.ptr, sizeof lost);
    if (lost.slot >= ledger->sup->worker_count) return;
    struct child *worker = &ledger->sup->children[lost.slot];
    if (worker->pid == lost.pid) ledger_link_worker(worker);
}

void ledger_on_message(struct child *c, const struct pipe_message *message)
{
    if (message->type == REPORT_LEDGER_OPEN) on_open(c);
    if (message->type == REPORT_LEDGER_SHUT) on_shut(c, message->body);
    if (message->type == REPORT_LEDGER_WANTED) send_again(c, message->body);
    if (message->type == REPORT_CHANGE) acts_on_end(c, message->body);
}
