#include "flow/relay/relay_inner.h"

static bool begins_an_object(struct slice json)
{
    size_t at = 0;
    while (at < json.len && strchr(" \t\r\n", json.ptr[at]) && json.ptr[at])
        at++;
    return at < json.len && json.ptr[at] == '{';
}

/* UTF-16, a coding that the head is silent about: who undoes it reads what nobody here has. Text has no such
 * characters. */
static bool is_no_text(struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        if (c < ' ' && !(c >= '\t' && c <= '\r') && c != '\x1B') return true;
    }
    return false;
}

bool piece_hides_text(const struct piece *p)
{
    bool is_tail = p->event && p->event->is_tail;
    if (!p->said || !(p->said->what & SAID_UNREADABLE) || is_tail) return false;
    return begins_an_object(p->said->json) || is_no_text(p->said->json);
}

bool relay_is_success(const struct relay *r)
{
    return r->head.status >= 200 && r->head.status < 300;
}

bool relay_is_heard(const struct relay *r)
{
    return !r->is_over && !r->is_detached;
}

bool relay_is_between_events(const struct relay *r)
{
    return r->form == FORM_EVENTS && !r->is_inside;
}

bool relay_leaves_as_list(const struct relay *r)
{
    return r->translate ? r->writes_list : r->is_list;
}

enum dialect_end relay_judge_provider(const struct relay *r)
{
    enum dialect_end end = r->parts.provider->judge_end(&r->told);
    return end == DIALECT_COMPLETE_UNMARKED && r->is_list ? DIALECT_CUT : end;
}

bool relay_has_said_its_end(const struct relay *r)
{
    enum dialect_end end = relay_judge_provider(r);
    return r->form == FORM_EVENTS && (end == DIALECT_COMPLETE || end == DIALECT_FAILED);
}

bool relay_is_last(const struct relay *r, const struct said *said)
{
    bool is_finished = r->translate && r->parts.client->ends_unmarked && said->what & SAID_FINISHED;
    return is_finished || said->what & (SAID_DONE | SAID_ERROR);
}

/* What was written for another dialect has its marker, or is one that has none, unless it was cut. */
enum dialect_end relay_judge_end(const struct relay *r)
{
    if (!r->translate) return relay_judge_provider(r);
    enum dialect_end end = r->parts.client->judge_end(&r->heard);
    if (end != DIALECT_COMPLETE_UNMARKED) return end;
    return r->parts.client->ends_unmarked && !r->writes_list ? DIALECT_COMPLETE : DIALECT_CUT;
}

void relay_stop_stages(struct relay *r)
{
    if (r->hold && r->hold->stop) r->hold->stop(r->hold);
}

void relay_end_with(struct relay *r, const struct relay_end *end)
{
    if (r->is_over) return;
    r->is_over = true;
    relay_stop_stages(r);
    struct relay_end unheard = {.how = RELAY_DETACHED, .outcome = OUTCOME_CLIENT_CLOSED, .why = end->why};
    r->parts.sink->end(r->parts.sink_arg, r->is_detached ? &unheard : end);
}
