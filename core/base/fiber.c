#include "base/fiber.h"

#include <stddef.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

#define GUARD_BYTES (64u * KIB) /* below the stack: what runs over it is stopped there */

struct fiber {
    ucontext_t inside, outside;
    void (*fn)(void *arg);
    void *arg;
    char *memory; /* the guard, then the stack */
    uint64_t until_ns;
    bool is_done, is_cancelled;
    /* AddressSanitizer's */
    void *fake_stack;
    const void *outside_stack;
    size_t outside_bytes;
};

static struct fiber *current;

/* ---- AddressSanitizer must be told of every change of stacks. */

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

static void before_entering(struct fiber *f, void **own_fake_stack)
{
    __sanitizer_start_switch_fiber(own_fake_stack, f->memory + GUARD_BYTES, LIMIT_FIBER_STACK_BYTES);
}

static void after_entering(struct fiber *f)
{
    __sanitizer_finish_switch_fiber(f->fake_stack, &f->outside_stack, &f->outside_bytes);
}

static void before_leaving(struct fiber *f)
{
    __sanitizer_start_switch_fiber(f->is_done ? NULL : &f->fake_stack, f->outside_stack, f->outside_bytes);
}

static void after_leaving(void *own_fake_stack)
{
    __sanitizer_finish_switch_fiber(own_fake_stack, NULL, NULL);
}

static void forget_stack(struct fiber *f)
{
    __asan_unpoison_memory_region(f->memory + GUARD_BYTES, LIMIT_FIBER_STACK_BYTES);
}
#else
static void before_entering(struct fiber *f, void **own_fake_stack)
{
    (void)f, (void)own_fake_stack;
}

static void after_entering(struct fiber *f)
{
    (void)f;
}

static void before_leaving(struct fiber *f)
{
    (void)f;
}

static void after_leaving(void *own_fake_stack)
{
    (void)own_fake_stack;
}

static void forget_stack(struct fiber *f)
{
    (void)f;
}
#endif

/* ---- Changing over. */

static void leave(struct fiber *f)
{
    before_leaving(f);
    check(swapcontext(&f->inside, &f->outside) == 0);
    after_entering(f);
}

static void begin(void)
{
    struct fiber *f = current;
    after_entering(f);
    f->fn(f->arg);
    f->is_done = true;
    leave(f);
}

struct fiber *fiber_new(void (*fn)(void *arg), void *arg)
{
    struct fiber *f = mem_zalloc(1, sizeof *f);
    f->fn = fn;
    f->arg = arg;
    f->memory = mmap(NULL, GUARD_BYTES + LIMIT_FIBER_STACK_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    check(f->memory != MAP_FAILED && mprotect(f->memory, GUARD_BYTES, PROT_NONE) == 0);
    check(getcontext(&f->inside) == 0);
    f->inside.uc_stack = (stack_t){.ss_sp = f->memory + GUARD_BYTES, .ss_size = LIMIT_FIBER_STACK_BYTES};
    makecontext(&f->inside, begin, 0);
    return f;
}

bool fiber_run(struct fiber *f, uint64_t slice_ns)
{
    void *fake_stack = NULL;
    check(!current);
    if (f->is_done) return true;
    f->until_ns = clock_mono_ns() + slice_ns;
    current = f;
    before_entering(f, &fake_stack);
    check(swapcontext(&f->outside, &f->inside) == 0);
    after_leaving(fake_stack);
    current = NULL;
    return f->is_done;
}

void fiber_cancel(struct fiber *f)
{
    f->is_cancelled = true;
}

void fiber_free(struct fiber *f)
{
    if (!f) return;
    fiber_cancel(f);
    while (!fiber_run(f, NS_PER_S))
        continue;
    forget_stack(f);
    munmap(f->memory, GUARD_BYTES + LIMIT_FIBER_STACK_BYTES);
    mem_free(f);
}

/* ---- Inside. */

bool fiber_is_inside(void)
{
    return current != NULL;
}

bool fiber_is_due(void)
{
    return current && clock_mono_ns() >= current->until_ns;
}

void fiber_pause(void)
{
    if (current) leave(current);
}

void fiber_rest(void)
{
    if (fiber_is_due()) leave(current);
}

bool fiber_is_cancelled(void)
{
    return current && current->is_cancelled;
}
