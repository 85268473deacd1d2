#include "flow/ask.h"

#include "flow/egress.h"

static void on_ready(void *arg)
{
    struct question *q = arg;
    loop_timer_arm_ms(&q->job->timer, 0);
}

static void step(void *arg)
{
    struct question *q = arg;
    struct policy_eval *eval = q->eval;
    switch (policy_eval_step(eval)) {
    case POLICY_MORE: loop_timer_arm_ms(&q->job->timer, 0); return;
    case POLICY_WAITING: loop_timer_arm_ms(&q->job->timer, policy_eval_left_ms(eval) + 1); return;
    case POLICY_DONE:
        loop_timer_disarm(&q->job->timer);
        q->eval = NULL; /* the next question may be asked inside */
        q->then(q->job, policy_eval_answer(eval));
        policy_eval_free(eval);
        return;
    }
}

void ask(struct job *job, struct policy_call how, answer_fn then)
{
    struct question *q = &job->question;
    how.settings = job->settings;
    how.host = &egress_host;
    how.host_arg = job->flow;
    how.on_ready = on_ready;
    how.arg = q;
    q->job = job;
    q->then = then;
    q->eval = policy_begin(job->policies, job->x, &how);
    loop_timer_init(&q->job->timer, job->flow->parts.loop, step, q);
    step(q);
}

void ask_cancel(struct job *job)
{
    struct question *q = &job->question;
    if (!q->eval) return;
    loop_timer_disarm(&q->job->timer);
    policy_eval_free(q->eval);
    q->eval = NULL;
}
