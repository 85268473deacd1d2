/* The pipes between the workers and the ledger process: made here, kept by nobody here, so that each side sees when the
 * other has gone. */
#include <string.h>

#include "base/log.h"
#include "server/control.h"
#include "server/supervisor_inner.h"

void ledger_link_worker(struct child *worker)
{
    struct child *ledger = children_running(worker->sup, "ledger");
    struct control_worker body = {worker->slot, worker->pid};
    struct fault why;
    int fds[2];
    bool was_unlinked = worker->is_unlinked;
    worker->is_unlinked = false;
    if (!ledger || !worker->pid) return; /* whoever is new brings the pipe with it */
    if (!pipe_pair(fds, &why)) {
        worker->is_unlinked = true;
        if (!was_unlinked)
            log_event(LOG_ERROR, "control_failed", "%s has no way to the ledger yet: %s", worker->name,
                      fault_message(&why));
        return;
    }
    child_give(ledger, CONTROL_WORKER, slice_of((const char *)&body, sizeof body), fds[0]);
    child_give(worker, CONTROL_LEDGER, SLICE_NONE, fds[1]);
}

void ledger_link_again(struct supervisor *sup)
{
    for (unsigned i = 0; i < sup->worker_count; i++) {
        if (sup->children[i].is_unlinked) ledger_link_worker(&sup->children[i]);
    }
}

static void link_all(struct supervisor *sup)
{
    for (unsigned i = 0; i < sup->worker_count; i++)
        ledger_link_worker(&sup->children[i]);
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
    link_all(c->sup);
}

void ledger_on_accepted(struct supervisor *sup)
{
    struct child *ledger = children_running(sup, "ledger");
    if (ledger) send_config(ledger);
}

void ledger_reopen(struct supervisor *sup)
{
    struct child *ledger = children_running(sup, "ledger");
    if (ledger) child_send(ledger, CONTROL_REOPEN, SLICE_NONE, -1);
}

void ledger_look(struct supervisor *sup)
{
    struct child *ledger = children_running(sup, "ledger");
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
        acts_send(ledger); /* neither these nor the pipes could it take without */
        link_all(ledger->sup);
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
