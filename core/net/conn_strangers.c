/* Connections of which nobody knows yet whose they are. They are let in freely, since whoever has a key comes as one
 * too, and there are only so many: the next to come takes the place of whoever has been here for longest without
 * showing a key. Who has one shows it with his first bytes; who holds a place with half a head loses it. */
#include "net/conn_inner.h"

void conn_be_stranger(struct conn *c)
{
    struct conn_server *s = c->server;
    if (!list_is_empty(&c->stranger_link)) return;
    list_append(&s->strangers, &c->stranger_link);
    s->counts.strangers++;
}

void conn_be_none(struct conn *c)
{
    struct conn_server *s = c->server;
    if (list_is_empty(&c->stranger_link)) return;
    list_remove(&c->stranger_link);
    s->counts.strangers--;
    s->stranger_bytes -= c->stranger_bytes;
    c->stranger_bytes = 0;
}

bool conn_drop_stranger(struct conn_server *s, const struct conn *but)
{
    if (list_is_empty(&s->strangers)) return false;
    struct conn *c = LIST_OWNER(s->strangers.next, struct conn, stranger_link);
    if (c == but) return false;
    s->counts.dropped++;
    conn_lost(c, false);
    return true;
}

void conn_stranger_holds(struct conn *c)
{
    struct conn_server *s = c->server;
    if (list_is_empty(&c->stranger_link)) return;
    s->stranger_bytes += c->in.cap - c->stranger_bytes;
    c->stranger_bytes = c->in.cap;
    while (s->stranger_bytes > s->options.stranger_bytes_max && conn_drop_stranger(s, c))
        ;
}

void conn_set_known(struct conn *c, bool is_known)
{
    if (c->is_dead || c->is_overloaded) return;
    if (is_known)
        conn_be_none(c);
    else
        conn_be_stranger(c);
}
