/*
 * What scripts/ may ask of C: one table, `core`, filled by the bind_*.c beside this file.
 *
 *     bind_push_core(L);   // pushes the table; scripts get it as the argument of their chunk, policies never see it
 *
 * Everything here runs inside Lua and may raise, so nothing holds a C resource across a call into Lua: what outlives
 * the call goes into the exchange's arena, whose owner frees it however the evaluation ends.
 */
#ifndef MOONGATE_LUA_BIND_H
#define MOONGATE_LUA_BIND_H

#include <lauxlib.h>
#include <lua.h>

#include "lua/bind_values.h"
#include "lua/eval.h"

void bind_push_core(lua_State *L);

/* Each adds its functions to the table on top. */
void bind_load_register(lua_State *L);
void bind_settings_register(lua_State *L);
void bind_source_register(lua_State *L);
void bind_terms_register(lua_State *L);
void bind_facts_register(lua_State *L);
void bind_grants_register(lua_State *L);
void bind_prompts_register(lua_State *L);
void bind_auth_register(lua_State *L);
void bind_verdict_register(lua_State *L);
void bind_ctx_register(lua_State *L);
void bind_text_register(lua_State *L);
void bind_asked_register(lua_State *L);
void bind_redact_register(lua_State *L);
void bind_keywords_register(lua_State *L);
void bind_log_register(lua_State *L);
void bind_counters_register(lua_State *L);
void bind_topups_register(lua_State *L);

void bind_answer_register(lua_State *L);
void bind_edit_register(lua_State *L);
void bind_calls_register(lua_State *L);
void bind_json_register(lua_State *L);
void bind_services_register(lua_State *L);

struct policy_set *bind_set(lua_State *L);
/* The evaluation under way; raises when there is none. */
struct policy_eval *bind_eval(lua_State *L);
/* The same for what may wait ("http"): raises, in words for authors, where nothing can be put aside. */
struct policy_eval *bind_waiting_eval(lua_State *L, const char *name);

/* The userdata on top is one of that kind, which gc takes apart. */
void bind_set_kind(lua_State *L, const char *kind, lua_CFunction gc);
/* The userdata on top keeps what stands at `index`. */
void bind_keep(lua_State *L, int index);

/* Numbers of facts from here on are views of bind_ctx.c. */
#define BIND_VIEWS 100
/* The facts' own view of that number, counted from 0; the table of facts is at index 1. Policies' functions are given
 * views, asked for anew each time, so this is where their code begins to be counted (vm_distrust). */
void bind_push_view(lua_State *L, struct policy_eval *eval, int view);

/* Of a boolean: for bind_note(). */
static inline struct slice bind_word(bool value)
{
    return value ? SLICE("true") : SLICE("false");
}

/* What looks at the evaluation's request, made when it is needed first; NULL: nothing does. */
struct redact *bind_redact(struct policy_eval *eval);
/* Notes for the record what was asked and answered, in the phase that decides; nothing in later ones. value.ptr NULL:
 * null. */
void bind_note(struct policy_eval *eval, enum asked_group group, struct slice key, enum asked_form form,
               struct slice value);
/* What is read and is not kept. */
void bind_miss(struct policy_eval *eval, struct slice name);
/* True in a decision that is taken again: what was noted is pushed, nil where nothing was, which is a miss by that
 * name. */
bool bind_recall(lua_State *L, struct policy_eval *eval, enum asked_group group, struct slice key, const char *miss);

/* In which texts nothing was found before; NULL: nobody remembers. */
struct memo *bind_quiet(const struct policy_eval *eval);

/* For the sandbox: next() over a view, math.random(). */
int bind_view_next(lua_State *L);
int bind_random(lua_State *L);

#endif
