/*
 * An exchange made up from a description, as if its request had come in: for the examples of policy files and for
 * specs.
 *
 *     struct exchange *x = simulate_exchange(SLICE("{\"api\":\"chat\",\"body\":{…},\"key\":{…}}"), &why);
 *     ... policy_decide(set, x) ...
 *     simulate_free(x);
 *
 * A token's claims stand for a token that was verified: simulate_adopt() makes its identity, by the rules of a policy.
 * Members, all optional: "api" (a word of exchange/api.h: "chat", "models" …), "body" (the JSON body itself),
 * "headers" {name: text}, "token" (its claims, or the word of a refusal of wire/jwt.h), "key" (a record as keyring.h
 * says, without its digest), "key_presented", "model_path",
 * "grants" [{"model","id","covers","ends_at" or "lasts_s","purpose","state"}] (what the registry says of the caller;
 * exchange/granted.h), "prompt" {"name","version","label","status","sha256"} (that it names; exchange/prompted.h),
 * "topups" (of budgets, a list as store/topups.h says), "input_tokens" and "output_tokens" (instead of the
 * estimate), "cost_nano" (nano-dollars, instead of prices times tokens), "time" (seconds since 1970).
 * Nothing is sent anywhere.
 */
#ifndef MOONGATE_LUA_SIMULATE_H
#define MOONGATE_LUA_SIMULATE_H

#include "base/fault.h"
#include "base/slice.h"
#include "exchange/exchange.h"

/* NULL and *why when the description, its body or its key is refused. Copies the description. */
struct exchange *simulate_exchange(struct slice json, struct fault *why);
/* What the token's claims say, where there is one; rules may be NULL, and no token counts then. */
void simulate_adopt(struct exchange *x, const struct auth_rules *rules);
/* In whatever state it is; NULL is welcome. */
void simulate_free(struct exchange *x);

#endif
