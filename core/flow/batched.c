#include "flow/batched.h"

#include "base/limits.h"
#include "flow/counting.h"
#include "flow/reply.h"
#include "wire/form.h"
#include "exchange/lines.h"

struct batched {
    struct lines *lines;
    void (*then)(struct job *job);
    bool is_bad;
    struct fault why;
};

static bool step(struct job *job)
{
    struct batched *b = job->batched;
    enum lines_state state = lines_step(b->lines, LIMIT_COUNT_STEP_BYTES, &b->why);
    b->is_bad = state == LINES_BAD;
    return state != LINES_MORE;
}

static void on_read(struct job *job)
{
    struct batched *b = job->batched;
    if (b->is_bad)
        reply_fault(job, &b->why);
    else
        b->then(job);
}

void batched_first(struct job *job, void (*then)(struct job *job))
{
    struct exchange *x = job->x;
    if (!lines_are_in(&x->request)) {
        then(job);
        return;
    }
    struct slice text = x->form ? form_file_text(x->form, buf_slice(&x->upload), SLICE("file")) : SLICE_NONE;
    job->batched = arena_zalloc(&x->arena, sizeof *job->batched);
    job->batched->lines = lines_new(&x->request, text, &x->arena);
    job->batched->then = then;
    counting_steps(job, step, on_read);
}
