#include "server/loading.h"

#include "base/fiber.h"
#include "base/mem.h"
#include "lua/unspent.h"
#include "net/pipe.h"
#include "server/check_policies.h"

struct loading {
    struct background_work work;
    struct loading_order order;
    struct loading_result result;
    loaded_fn on_loaded;
    void *arg;
    bool is_cancelled;
};

/* ---- On a fiber. */

static void load(struct loading *l, struct bundle *bundle)
{
    struct policy_errors errors;
    policy_errors_init(&errors);
    l->result.policies = policy_set_load_for(
        bundle,
        &(struct policy_load){.settings = l->order.settings, .host = unspent_host(), .is_checked = true}, &errors);
    check_add_errors(&errors, bundle, l->result.report);
    policy_errors_clear(&errors);
}

static void run(void *arg)
{
    struct loading *l = arg;
    struct fault why;
    struct bundle *bundle = fiber_is_cancelled() ? NULL : bundle_parse(l->order.bytes, &why);
    if (bundle)
        load(l, bundle);
    else if (!fiber_is_cancelled())
        report_say(l->result.report, FINDING_OTHER_ERROR, "%s", fault_message(&why));
    bundle_unref(bundle);
}

/* ---- On the loop. */

static void on_end(void *arg)
{
    struct loading *l = arg;
    if (l->is_cancelled)
        policy_set_unref(l->result.policies);
    else
        l->on_loaded(l->arg, &l->result);
    pipe_memfd_unmap(l->order.bytes);
    settings_unref(l->order.settings);
    report_free(l->result.report);
    mem_free(l);
}

struct loading *loading_begin(struct background *background, const struct loading_order *order, loaded_fn on_loaded,
                              void *arg)
{
    struct loading *l = mem_zalloc(1, sizeof *l);
    l->order = *order;
    settings_ref(l->order.settings);
    l->result = (struct loading_result){.number = order->number, .report = report_new()};
    l->on_loaded = on_loaded;
    l->arg = arg;
    background_add(background, &l->work, run, on_end, l);
    return l;
}

void loading_cancel(struct loading *l)
{
    if (!l) return;
    l->is_cancelled = true;
    background_cancel(&l->work);
}

/* ---- Generations that nobody needs any more. */

struct burial {
    struct background_work work;
    struct policy_set *set;
};

static void bury(void *arg)
{
    struct burial *b = arg;
    policy_set_free_dead(b->set);
}

static void on_buried(void *arg)
{
    mem_free(arg);
}

static void on_dead(void *arg, struct policy_set *set)
{
    struct burial *b = mem_zalloc(1, sizeof *b);
    b->set = set;
    background_add(arg, &b->work, bury, on_buried, b);
}

void loading_watch_dead(struct background *background)
{
    policy_on_dead(background ? on_dead : NULL, background);
}
