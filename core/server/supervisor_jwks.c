/* Keys of token issuers on their way: the admin process fetches them, the workers use them, and who is started later
 * gets what is here. */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/control.h"
#include "server/supervisor_inner.h"

/* The URL of a message that is whole; false otherwise. */
static bool read_message(struct slice body, struct control_jwks *head, struct slice *url)
{
    if (body.len < sizeof *head) return false;
    memcpy(head, body.ptr, sizeof *head);
    if (head->url_bytes == 0 || head->url_bytes > body.len - sizeof *head) return false;
    *url = slice_of(body.ptr + sizeof *head, head->url_bytes);
    return true;
}

static struct slice url_of(const struct jwks_held *held)
{
    struct control_jwks head;
    struct slice url = SLICE_NONE;
    read_message(buf_slice(&held->message), &head, &url);
    return url;
}

static struct jwks_held *find(struct supervisor *sup, struct slice url)
{
    for (size_t i = 0; i < sup->jwks_count; i++) {
        if (slice_equal(url_of(&sup->jwks[i]), url)) return &sup->jwks[i];
    }
    return NULL;
}

/* A tab on each side of the URL: it stands in a line of sources. */
static bool is_named(const struct supervisor *sup, struct slice url)
{
    struct slice rest = slice_str(sup->current.jwks_sources);
    while (rest.len) {
        struct slice line = slice_split(rest, '\n', &rest), more;
        slice_split(line, '\t', &more);
        if (slice_equal(slice_split(more, '\t', &line), url)) return true;
    }
    return false;
}

static void hold(struct supervisor *sup, struct slice url, struct slice message)
{
    struct jwks_held *held = find(sup, url);
    if (!held && (!is_named(sup, url) || sup->jwks_count == LIMIT_JWKS_SOURCES)) return;
    if (!held) {
        held = &sup->jwks[sup->jwks_count++];
        buf_init(&held->message);
    }
    buf_reset(&held->message);
    buf_append(&held->message, message);
}

void jwks_send_sources(struct supervisor *sup)
{
    const char *sources = sup->current.jwks_sources;
    child_send(children_find(sup, "admin"), CONTROL_JWKS_SOURCES, slice_str(sources), -1);
}

void jwks_send_held(struct child *worker)
{
    for (size_t i = 0; i < worker->sup->jwks_count; i++)
        child_send(worker, CONTROL_JWKS, buf_slice(&worker->sup->jwks[i].message), -1);
}

void jwks_on_accepted(struct supervisor *sup)
{
    size_t kept = 0;
    for (size_t i = 0; i < sup->jwks_count; i++) {
        struct jwks_held *held = &sup->jwks[i];
        if (is_named(sup, url_of(held)))
            sup->jwks[kept++] = *held;
        else
            buf_clear(&held->message);
    }
    sup->jwks_count = kept;
    if (sup->worker_count) jwks_send_sources(sup);
}

static void count(struct supervisor *sup, const struct control_jwks *head)
{
    struct slice outcome = head->outcome == JWKS_FAILED ? SLICE("failed")
                           : head->is_changed           ? SLICE("changed")
                                                        : SLICE("unchanged");
    if (head->outcome == JWKS_ASKED_TOO_OFTEN) return;
    stats_add(sup->stats, stats_series(sup->stats, STATS_JWKS_REFRESHES, &outcome), 1);
}

void jwks_on_outcome(struct child *admin, const struct pipe_message *message)
{
    struct supervisor *sup = admin->sup;
    struct control_jwks head;
    struct slice url;
    if (!read_message(message->body, &head, &url)) return;
    if (head.outcome == JWKS_FETCHED) hold(sup, url, message->body);
    count(sup, &head);
    children_send(sup, CONTROL_JWKS, message->body, -1);
}

/* Without an admin process nobody can look: who waits for it is told at once. */
static void say_nothing_new(struct child *worker, struct slice url)
{
    struct control_jwks head = {.outcome = JWKS_ASKED_TOO_OFTEN, .url_bytes = (uint32_t)url.len};
    struct buf body;
    buf_init(&body);
    buf_append(&body, slice_of((const char *)&head, sizeof head));
    buf_append(&body, url);
    child_send(worker, CONTROL_JWKS, buf_slice(&body), -1);
    buf_clear(&body);
}

void jwks_on_wanted(struct child *worker, const struct pipe_message *message)
{
    struct child *admin = children_find(worker->sup, "admin");
    if (message->body.len == 0) return;
    if (admin->pid && is_named(worker->sup, message->body))
        child_send(admin, CONTROL_JWKS_WANTED, message->body, -1);
    else
        say_nothing_new(worker, message->body);
}

void jwks_clear(struct supervisor *sup)
{
    for (size_t i = 0; i < sup->jwks_count; i++)
        buf_clear(&sup->jwks[i].message);
    sup->jwks_count = 0;
}
