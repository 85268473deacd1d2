/*
 * A signal of the operating system while Lua runs: for bytecodes that each take long, which no count of them foresees.
 *
 *     struct alarm_call before = alarm_set((struct alarm_call){on_alarm, vm});   // every ALARM_NS from now on …
 *     … lua_resume() …
 *     alarm_set(before);                                                        // … until here
 *
 * The function runs inside a signal handler of this thread: it may look at clocks and call lua_sethook(), little else.
 * The timer is made with the first call in each process, and rests when nothing has run for a while.
 */
#ifndef MOONGATE_LUA_ALARM_H
#define MOONGATE_LUA_ALARM_H

#include <stdint.h>

#define ALARM_NS ((int64_t)500 * 1000)

struct alarm_call {
    void (*fn)(void *arg); /* NULL: nothing */
    void *arg;
};

/* What was set before. */
struct alarm_call alarm_set(struct alarm_call call);

#endif
