#include "flow/crossing.h"

#include "exchange/outgoing.h"
#include "exchange/terms.h"
#include "flow/fitted.h"
#include "flow/hosted.h"
#include "wire/count_rules.h"
#include "wire/reach.h"
#include "wire/translate/translate.h"

const struct dialect *crossing_dialect(const struct job *job, const struct target *target)
{
    const struct provider *p = settings_provider(job->settings, target->provider);
    const struct api *api = job->x->api;
    const struct traits *traits = target->terms ? target->terms->traits : NULL;
    const struct dialect *dialect = p ? dialect_for(p->kind, traits, api->client) : NULL;
    bool is_spoken = dialect && (dialect == api->client || translate_can(api->client, dialect, api->asks));
    return is_spoken ? dialect : NULL;
}

bool crossing_is_counted_here(const struct job *job, const struct provider *provider, const struct dialect *dialect)
{
    return job->x->api->asks == CHAT_COUNT && (dialect != job->x->api->client || !reach_counts(provider->kind));
}

static struct slice spell(const struct dropped *dropped, struct arena *arena)
{
    struct buf names;
    buf_init(&names);
    dropped_write(dropped, &names);
    struct slice text = arena_copy(arena, buf_slice(&names));
    buf_clear(&names);
    return text;
}

static bool refuse_dropped(const struct exchange *x, struct slice names, struct fault *why)
{
    return fault_set(why, FAULT_UNCARRIED, "The provider of %.*s has no words for: %.*s",
                     SLICE_FMT(x->decision.verdict.model), SLICE_FMT(names));
}

/* What is held of it until it is sent. */
static bool hold(struct call *call, struct fault *why)
{
    struct job *job = call->job;
    return intake_hold(&job->hold, exchange_request_bytes(job->x) + buf_len(&call->crossed), why);
}

/* Told, or refused where the model's row wants that. */
static bool tell_dropped(const struct call *call, const struct target *target, const struct dropped *dropped,
                         struct slice *names, struct fault *why)
{
    struct exchange *x = call->job->x;
    if (dropped_is_empty(dropped)) return true;
    *names = spell(dropped, &x->arena);
    return target->terms && target->terms->refuses_dropped ? refuse_dropped(x, *names, why) : true;
}

static bool translate(struct call *call, const struct target *target, struct slice body, struct arena *arena,
                      struct slice *names, struct fault *why)
{
    static const struct traits nobodys = {0};
    const struct terms *terms = target->terms;
    const struct count_rules *counting = terms ? terms->counting : NULL;
    struct tool_names names_there = {.first = NULL};
    struct translate_target to = {.traits = terms && terms->traits ? terms->traits : &nobodys,
                                  .limit = counting ? counting->limit : CHAT_LIMIT_ANY,
                                  .asks_usage = call->provider->can_report_usage,
                                  .model = target->model.len ? target->model : call->job->x->request.model,
                                  .is_stream = call->job->x->request.is_stream,
                                  .names = &names_there};
    struct dropped dropped = {.count = 0};
    if (!translate_request(call->job->x->api->client, body, call->dialect, &to, arena, &call->crossed, &dropped, why))
        return false;
    tool_names_keep(&names_there, &call->job->x->arena, &call->tool_names);
    if (!hosted_rewrite(call, why) || !fitted_rewrite(call, &dropped, why)) return false;
    return tell_dropped(call, target, &dropped, names, why) && hold(call, why);
}

/* Policies' edits and masks are of the caller's body, in its dialect: that is made first, and read once more. */
bool crossing_write(struct call *call, const struct target *target, struct slice *dropped, struct fault *why)
{
    struct splice edits;
    struct arena arena;
    struct buf edited;
    struct dropped unknown = {.count = 0};
    *dropped = SLICE_NONE;
    if (!crossing_is_foreign(call)) {
        hosted_note(call, &unknown);
        return fitted_write(call, target, &unknown, why) && tell_dropped(call, target, &unknown, dropped, why) &&
               hold(call, why);
    }
    arena_init(&arena);
    buf_init(&edited);
    outgoing_edit(call->job->x, target, false, &arena, &edits);
    outgoing_edit_user(call->job->x, &edits);
    splice_apply(&edits, &edited);
    bool is_written = translate(call, target, buf_slice(&edited), &arena, dropped, why);
    buf_clear(&edited);
    arena_clear(&arena);
    return is_written;
}

void crossing_note(struct job *job, const struct target *target, const struct fault *why)
{
    struct exchange *x = job->x;
    trace_add(&x->decision.trace, &x->arena,
              &(struct trace_entry){.policy = SLICE("translation"),
                                    .rule = target->name,
                                    .verb = SLICE("pass_over"),
                                    .reason = slice_str(fault_message(why)),
                                    .mode = SLICE("enforce")});
}
