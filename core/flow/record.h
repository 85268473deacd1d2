/*
 * The record: one JSON line an exchange, made when it is over, whatever its ending.
 *
 *     record_format(&lines, x);   // see recorder.h for who keeps them
 *
 * Shape (absent = null or left out where the comment says so):
 *   {"id","time","api","path","stream","model","model_asked","target","provider","status","outcome",
 *    "identity":{"key_id","issuer","app","department","user","team","tier","region","clearance","env","roles":[…],
 *        "approvals":[…],"labels":{…},"added":{what policies gave},
 *        "credential","header","refusal","claim" (why nothing of it is believed)},
 *    "data","labels":[…],"session",
 *    "decision":{"policy","rule","code","reason"},              denials only
 *    "fault":{"code","text"},                                    when something failed
 *    "decided":{"kind","targets":[…],"models","edits":{…},"warnings":[…],"trace","annotations","replaced"},
 *        before the call, whatever became of it; the last three where later hooks added to those
 *    "policy":{"sha256"},"config":{"sha256"},"trace":[{"policy","rule","verb","reason","mode","at"}],
 *    "facts":{"time_ns","task","quality","data","label","max_latency_ms","uses","max_tokens","answers","tools",
 *        "pictures","characters","searches","may_search","may_call","seconds","temperature","service_tier",…},
 *                            what the request told, and what it was decided by
 *    "prompt":{"name","version","sha256","status","label","arm","variables":[names],"bytes","verified":true},
 *                            which it names, and what answers it; label and arm (thousandths): not where by its number
 *    "asked":{…},                                                what policies asked beside (exchange/asked.h), and
 *        "found":{how many of each kind that was looked for}
 *    "names":[ids],                                              of what the provider keeps, as the request has them
 *    "not_replayable":[names],                                   what they read and no record keeps
 *    "estimate":{"input_tokens","output_tokens","estimated","at_least":true},   the request, as counted before the call
 *    "usage":{"input_tokens","output_tokens","total_tokens","cached_tokens","reasoning_tokens"} or null (not reported),
 *    "billed":{"input","cached_input","output","reasoning",…,"estimated":true,"drained":true},    see below
 *    "cost":{"usd","nano_usd","price","long_context":true,"parts_unpriced":[…],"tier_unpriced":true}
 *           or null (no price),
 *    "holds":[{"id","money":[[key,start,stop,idle],…]}],         what counters held for it (store/counters/
 *        counters.h): each budget by its key and period in seconds since 1970, of a session 0, 0 and after how long a
 *        silence it ends
 *    "upstream":{"status","request_id","finish_reason"},
 *    "attempts":[{"target","provider","model","status","error","ms","request_id","finish_reason","estimate","usage",
 *        "billed","cost"}],
 *    "objects":{"owner","made":[{"kind","id","account","until"}],"gone":[ids]},    that the provider keeps from now on,
 *        whose they are, until when (seconds since 1970), and those it keeps no longer
 *    "ms":{"total","deciding","calling","first_byte"},"bytes_out","events","inspect_errors",
 *    "client":{"user_agent","request_id"},"traceparent","redaction","annotations":{…}}
 *
 * billed: what is paid for, in disjoint parts (wire/usage.h), from usage or, marked as estimated, counted by the
 * gateway; {} when the provider did no work. cost: of billed, at the price in force when the request came; "price"
 * names its figures. usd is for people, sums are made of nano_usd.
 * Both stand in records of requests that were sent to a target.
 *
 * Never holds a prompt, an answer, a key or a credential; one that a caller pasted into the name of a model or a path
 * is "[api_key]" or "[jwt]" there (wire/secrets.h). Times are RFC 3339, durations milliseconds with three digits.
 */
#ifndef MOONGATE_FLOW_RECORD_H
#define MOONGATE_FLOW_RECORD_H

#include "base/buf.h"
#include "exchange/exchange.h"

/* Appends the record and its newline. */
void record_format(struct buf *out, const struct exchange *x);
/* Of a decision alone what a record has: "model", "identity", "data", "labels", "session", "decision", "fault",
 * "decided", "trace", "annotations". Without a newline. */
void record_format_decision(struct buf *out, const struct exchange *x);

#endif
