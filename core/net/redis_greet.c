#include <string.h>

#include "net/redis_inner.h"

enum step { STEP_AUTH, STEP_SELECT, STEP_ROLE, STEP_SCRIPT, STEP_CONFIG, STEP_MEMORY, STEP_PING };

/* ---- What is asked, all at once. */

static void ask(struct redis_greet *g, struct buf *out, enum step step, const struct slice *parts, size_t count)
{
    g->steps[g->asked++] = (uint8_t)step;
    redis_wire_command(out, parts, count);
}

static void ask_for_entry(struct redis_greet *g, struct buf *out)
{
    const struct redis_target *t = g->target;
    const struct slice both[] = {SLICE("AUTH"), slice_str(t->user), slice_str(t->password)};
    const struct slice alone[] = {SLICE("AUTH"), slice_str(t->password)};
    char number[12];
    snprintf(number, sizeof number, "%u", t->db);
    const struct slice select[] = {SLICE("SELECT"), slice_str(number)};
    if (t->user) ask(g, out, STEP_AUTH, both, 3);
    else if (t->password) ask(g, out, STEP_AUTH, alone, 2);
    if (t->db) ask(g, out, STEP_SELECT, select, 2);
}

/* PING last: of all these it is what a server that is still loading refuses. */
void redis_greet_begin(struct redis_greet *g, const struct redis_target *target, const struct redis_script *scripts,
                       size_t script_count, struct buf *out)
{
    static const struct slice role[] = {SLICE("ROLE")}, ping[] = {SLICE("PING")};
    static const struct slice config[] = {SLICE("CONFIG"), SLICE("GET"), SLICE("maxmemory-policy")};
    static const struct slice memory[] = {SLICE("INFO"), SLICE("memory")};
    *g = (struct redis_greet){.target = target, .scripts = scripts, .script_count = script_count};
    ask_for_entry(g, out);
    ask(g, out, STEP_ROLE, role, 1);
    for (size_t i = 0; i < script_count; i++) {
        const struct slice load[] = {SLICE("SCRIPT"), SLICE("LOAD"), slice_of(scripts[i].source, scripts[i].len)};
        ask(g, out, STEP_SCRIPT, load, 3);
    }
    ask(g, out, STEP_CONFIG, config, 3);
    ask(g, out, STEP_MEMORY, memory, 2);
    ask(g, out, STEP_PING, ping, 1);
}

/* ---- What is made of the answers. */

static enum redis_greeted refuse(struct fault *why, const char *what, const struct redis_reply *reply)
{
    bool has_said = reply && reply->kind == REDIS_ERROR;
    fault_set(why, FAULT_INTERNAL, "%s%s%.200s", what, has_said ? ": " : "", has_said ? reply->text.ptr : "");
    return REDIS_GREET_REFUSED;
}

/* Said before anything is asked, and taken for the answer to what is asked first. */
static const char *unasked(const struct redis_reply *reply)
{
    if (reply->kind != REDIS_ERROR) return NULL;
    if (slice_starts(reply->text, SLICE("ERR max number of clients")))
        return "it has as many clients as it takes (maxclients)";
    if (slice_starts(reply->text, SLICE("DENIED")))
        return "it is in protected mode: give it a password, or let it listen to this machine alone";
    return NULL;
}

/* Redis may repeat what it was sent: of that, nothing is told. */
static enum redis_greeted take_auth(const struct redis_reply *reply, struct fault *why)
{
    if (reply->kind == REDIS_STATUS) return REDIS_GREET_MORE;
    if (reply->error == REDIS_WRONGPASS) return refuse(why, "the user or the password of redis.url is refused", NULL);
    return refuse(why, "redis.url has a password, and this Redis takes none (AUTH is refused)", NULL);
}

static enum redis_greeted take_role(struct redis_greet *g, const struct redis_reply *reply, struct fault *why)
{
    if (reply->kind == REDIS_ERROR && reply->error == REDIS_NOPERM) {
        g->is_role_hidden = true;
        return REDIS_GREET_MORE;
    }
    if (reply->kind == REDIS_ERROR && reply->error == REDIS_NOAUTH)
        return refuse(why, "it wants a password, and redis.url has none", NULL);
    if (reply->kind != REDIS_ARRAY || reply->count == 0) return refuse(why, "its role is not known", reply);
    struct slice role = reply->items[0].text;
    if (slice_equal(role, SLICE("master"))) return REDIS_GREET_MORE;
    if (slice_equal(role, SLICE("sentinel")))
        return refuse(why, "it is a Sentinel: the URL is redis+sentinel://host:26379/name", NULL);
    return refuse(why, "it is a replica, and its master is wanted", NULL);
}

/* A script that does not load is sent in full when it is wanted, and its caller told what is wrong with it. */
static void take_script(struct redis_greet *g, const struct redis_reply *reply)
{
    if (reply->kind != REDIS_ERROR || reply->error == REDIS_LOADING || g->script_why[0]) return;
    snprintf(g->script_why, sizeof g->script_why, "%s", reply->text.ptr);
    g->script_error = reply->error;
}

static void take_policy(struct redis_greet *g, struct slice policy)
{
    g->eviction = slice_equal(policy, SLICE("noeviction")) ? REDIS_EVICTS_NOTHING : REDIS_EVICTS;
}

static void take_config(struct redis_greet *g, const struct redis_reply *reply)
{
    if (reply->kind == REDIS_ARRAY && reply->count == 2) take_policy(g, reply->items[1].text);
}

/* "…\r\nmaxmemory_policy:noeviction\r\n…" */
static void take_memory(struct redis_greet *g, const struct redis_reply *reply)
{
    static const char name[] = "\nmaxmemory_policy:";
    const char *at = reply->kind == REDIS_TEXT ? strstr(reply->text.ptr, name) : NULL;
    if (!at || g->eviction != REDIS_EVICTION_UNKNOWN) return;
    at += sizeof name - 1;
    take_policy(g, slice_of(at, strcspn(at, "\r\n")));
}

static enum redis_greeted take_ping(const struct redis_reply *reply, struct fault *why)
{
    bool is_good = reply->kind == REDIS_STATUS || (reply->kind == REDIS_ERROR && reply->error == REDIS_NOPERM);
    return is_good ? REDIS_GREET_DONE : refuse(why, "it does not serve yet", reply);
}

enum redis_greeted redis_greet_take(struct redis_greet *g, const struct redis_reply *reply, struct fault *why)
{
    const char *first = g->answered == 0 ? unasked(reply) : NULL;
    if (first) return refuse(why, first, NULL);
    switch ((enum step)g->steps[g->answered++]) {
    case STEP_AUTH: return take_auth(reply, why);
    case STEP_SELECT:
        return reply->kind == REDIS_STATUS ? REDIS_GREET_MORE : refuse(why, "its database cannot be used", reply);
    case STEP_ROLE: return take_role(g, reply, why);
    case STEP_SCRIPT: take_script(g, reply); return REDIS_GREET_MORE;
    case STEP_CONFIG: take_config(g, reply); return REDIS_GREET_MORE;
    case STEP_MEMORY: take_memory(g, reply); return REDIS_GREET_MORE;
    case STEP_PING: return take_ping(reply, why);
    }
    return REDIS_GREET_REFUSED;
}
