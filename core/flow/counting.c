#include "flow/counting.h"

#include "base/clock.h"
#include "base/limits.h"
#include "exchange/terms.h"

/* Has this turn of the loop its share of counting? What is spent is what all jobs have spent together: a batch of
 * requests that come at once would else hold the loop as long as each of them may. */
static bool is_spent(struct counting *counting, struct loop *loop)
{
    uint64_t turn_ns = loop_now_ns(loop);
    if (turn_ns != counting->turn_ns) {
        counting->turn_ns = turn_ns;
        counting->spent_ns = 0;
    }
    return counting->spent_ns >= LIMIT_COUNT_SLICE_MS * NS_PER_MS;
}

static bool count_step_of(struct job *job)
{
    return count_step(job->x->count, LIMIT_COUNT_STEP_BYTES);
}

/* As much as this turn has left; true: it is done. */
static bool do_some(struct job *job)
{
    struct flow *flow = job->flow;
    uint64_t began_ns = clock_mono_ns();
    bool is_done = false;
    while (!is_done && !is_spent(&flow->counting, flow->parts.loop)) {
        is_done = job->wait.step(job);
        uint64_t now_ns = clock_mono_ns();
        flow->counting.spent_ns += now_ns - began_ns;
        began_ns = now_ns;
    }
    return is_done;
}

static void go_on(struct job *job)
{
    uint64_t began_ns = clock_mono_ns();
    struct flow *flow = job->flow;
    list_remove(&job->wait.link);
    job->stop = NULL;
    job->wait.then(job);
    flow->counting.spent_ns += clock_mono_ns() - began_ns; /* that is work of this turn as well */
}

/* Whoever is not done goes behind the others. */
static void on_turn(void *arg)
{
    struct flow *flow = arg;
    struct counting *counting = &flow->counting;
    while (!list_is_empty(&counting->jobs) && !is_spent(counting, flow->parts.loop)) {
        struct job *job = LIST_OWNER(counting->jobs.next, struct job, wait.link);
        if (do_some(job)) {
            go_on(job);
        } else {
            list_remove(&job->wait.link);
            list_append(&counting->jobs, &job->wait.link);
        }
    }
    if (!list_is_empty(&counting->jobs)) loop_timer_arm_ms(&counting->timer, 0);
}

static void cancel(struct job *job)
{
    list_remove(&job->wait.link);
}

/* Where others wait nobody goes first: who comes anew in every turn would else keep them waiting. */
void counting_steps(struct job *job, bool (*step)(struct job *job), void (*then)(struct job *job))
{
    struct counting *counting = &job->flow->counting;
    job->wait.step = step;
    if (list_is_empty(&counting->jobs) && do_some(job)) {
        then(job);
        return;
    }
    job->wait.then = then;
    job->stop = cancel;
    list_append(&counting->jobs, &job->wait.link);
    loop_timer_arm_ms(&counting->timer, 0);
}

void counting_run(struct job *job, void (*then)(struct job *job))
{
    counting_steps(job, count_step_of, then);
}

void counting_for_target(struct job *job, const struct target *target, void (*then)(struct job *job))
{
    struct count *count = job->x->count;
    unsigned vocabulary = vocabulary_index(count_vocabulary(target->terms ? target->terms->counting : NULL));
    if (count) count_want(count, vocabulary);
    if (!count || count_step(count, 0))
        then(job);
    else
        counting_run(job, then);
}

void counting_init(struct flow *flow)
{
    list_init(&flow->counting.jobs);
    loop_timer_init(&flow->counting.timer, flow->parts.loop, on_turn, flow);
}

void counting_clear(struct flow *flow)
{
    loop_timer_disarm(&flow->counting.timer);
}
